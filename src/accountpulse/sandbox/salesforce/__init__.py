"""The stand-in for Salesforce: its routes, and what it answers."""
