"""The stand-in for Intercom: its routes, and what it answers."""
