"""The metrics, computed again from the vendors' own answers: plain and slow, from docs/metrics.md alone.

Each module gives `measured(answers, keys, start, end)`: account → metric → value (None: not known), where `answers` is
what went through the proxy in order, `keys` the account's keys in the system, and the window is `[start, end)`.
"""
