"""Scores → one system."""
