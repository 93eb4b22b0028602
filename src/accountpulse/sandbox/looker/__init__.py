"""The stand-in for Looker: its routes, and what it answers."""
