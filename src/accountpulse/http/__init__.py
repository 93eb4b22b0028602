"""Talking to the systems, for both ends: sending, retrying, paging, signing in."""
