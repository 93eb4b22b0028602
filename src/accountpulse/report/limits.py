"""The limits by which a report chooses what it shows."""

AHEAD = 180  # days of renewals that are shown
LEAST_CHANGE = 5.0  # points of health that make an account one that moved
MOST_POINTS = 600  # renewals in the chart; more than that hide each other
TOO_GREEN, TOO_UNKNOWN = 0.80, 0.20  # shares of accounts from which on the distribution is doubtful
