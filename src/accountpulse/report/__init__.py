"""Scores → one document for people: what the page shows and the CSV lists. Pure: no state, no clock, no system."""
