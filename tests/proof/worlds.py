"""Customer books with known truth, as numpy tables: who leaves is drawn from a hazard that is known.

An account has a frailty that never changes and a latent health that moves slowly; each month it leaves with a hazard
that both decide. A row is an account's month; `lost` says whether it leaves within the horizon that follows. Rows
of one account overlap, as they do in life: they aren't independent.
"""

from dataclasses import dataclass

import numpy as np

HORIZON = 6  # months


@dataclass(frozen=True)
class World:
    """One row an account and month, of accounts that are still customers."""

    account: np.ndarray  # integer codes
    month: np.ndarray  # 0, 1, …
    points: np.ndarray  # rows × leaves, 0 to 100; NaN: not known
    lost: np.ndarray  # within the HORIZON months that follow
    arr: np.ndarray

    def __len__(self):
        return self.account.size

    @property
    def events(self):
        """Distinct accounts that left."""
        return np.unique(self.account[self.lost]).size

    def rows(self, chosen):
        return World(self.account[chosen], self.month[chosen], self.points[chosen], self.lost[chosen], self.arr[chosen])


# how much each leaf shows of the latent health; the last one has been anchored the wrong way round
LOADINGS = (0.9, 0.7, 0.5, 0.3, 0.0, 0.0, -0.7)
WEIGHTS = np.array([0.15, 0.10, 0.20, 0.15, 0.15, 0.10, 0.15])


def generate(rng, accounts=200, months=18, *, hazard=0.012, effect=0.9, loadings=LOADINGS, unknown=0.0):
    """A world: monthly hazard of an average account, log hazard ratio for one standard deviation of latent health."""
    frailty = rng.normal(0, 0.5, accounts)
    health = rng.normal(0, 1, accounts)
    habits = rng.normal(0, 0.6, (accounts, len(loadings)))  # a leaf's own level, for good
    missing = rng.random((accounts, len(loadings))) < unknown
    arr = np.round(rng.lognormal(10, 0.8, accounts))
    left_at = np.full(accounts, months + HORIZON)
    alive, points = [], []
    for month in range(months + HORIZON):
        still = left_at > month
        alive.append(still & (left_at == months + HORIZON))
        if month < months:
            noise = rng.normal(0, 0.8, (accounts, len(loadings)))
            shown = np.clip(50 + 20 * (health[:, None] * loadings + habits + noise), 0, 100)
            shown[missing] = np.nan
            points.append(shown)
        leaves = rng.random(accounts) < hazard * np.exp(frailty - effect * health)
        left_at = np.where(alive[-1] & leaves, month, left_at)
        health = 0.95 * health + np.sqrt(1 - 0.95**2) * rng.normal(0, 1, accounts)
    return _table(np.array(alive[:months]), left_at, np.array(points), arr)


def _table(alive, left_at, points, arr):
    month, account = np.nonzero(alive)
    return World(account, month, points[month, account], left_at[account] < month + HORIZON, arr[account])


def health(points, weights=WEIGHTS):
    """The weighted mean of the points that are known."""
    known = np.where(np.isnan(points), 0.0, weights)
    return np.nansum(points * weights, axis=1) / known.sum(axis=1)


def risk_z(points, weights=WEIGHTS):
    """The packaged scorecard's exponent: −2.2 and 0.052 for each point below 50."""
    return -2.2 + 0.052 * (50 - health(points, weights))


CARD = """
name: book
metrics:
  use: {label: Use, unit: points}
  logins: {label: Logins, unit: points}
  breadth: {label: Breadth, unit: points}
  answers: {label: Answers, unit: points}
  surveys: {label: Surveys, unit: points}
  visits: {label: Visits, unit: points}
  turned: {label: Turned, unit: points}
groups:
  adoption:
    weight: 45
    metrics:
      use: {weight: 15, anchors: [[0, 0], [100, 100]]}
      logins: {weight: 10, anchors: [[0, 0], [100, 100]]}
      breadth: {weight: 20, anchors: [[0, 0], [100, 100]]}
  service:
    weight: 30
    metrics:
      answers: {weight: 15, anchors: [[0, 0], [100, 100]]}
      surveys: {weight: 15, anchors: [[0, 0], [100, 100]]}
  relation:
    weight: 25
    metrics:
      visits: {weight: 10, anchors: [[0, 0], [100, 100]]}
      turned: {weight: 15, anchors: [[0, 0], [100, 100]]}
tiers: [{name: Healthy, min: 55}, {name: Even, min: 45}, {name: Weak, min: 0}]
"""  # the WEIGHTS as a scorecard
