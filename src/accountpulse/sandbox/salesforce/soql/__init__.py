"""A subset of Salesforce's query language: text → tokens → tree → tests on rows.

Stricter than Salesforce where in doubt; what it does not know is refused and never ignored.
"""
