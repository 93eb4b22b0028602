"""The stand-in for Jira: its routes, and what it answers."""
