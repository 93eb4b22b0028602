"""Numbers → scores with reasons: one scorecard, applied to all accounts at once. Pure."""
