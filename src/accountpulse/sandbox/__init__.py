"""A local stand-in for the four systems: one invented company, its customers, and servers that speak for them.

Imports nothing else of the project, so that a misunderstanding of ours can't hide in it.
"""
