"""Health and churn-risk scores for every customer account, with reasons."""

__version__ = "0.1.0"
