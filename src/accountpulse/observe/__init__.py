"""A run for machines: JSON lines, embedded metrics, errors to Rollbar."""
