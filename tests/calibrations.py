"""A calibration that tests begin from."""

from datetime import date

from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.scorecard import default

FITTED = Calibration(
    intercept=-0.5,
    slope=0.8,
    covariance=(0.04, 0.01, 0.02),
    level=0.95,
    horizon_days=180,
    scorecard_hash=default().hash,
    outcome="lost: a renewal that was closed and not won, ± 60 days",
    months=("2024-11", "2024-12", "2025-01"),
    events=61,
    accounts=803,
    base_rate=0.066,
    kind="account",
    bands=(),
    fitted_on=date(2025, 3, 1),
    expires_on=date(2026, 2, 1),
)
