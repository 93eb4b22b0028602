"""Which lines an account crossed between two states of knowledge: tiers, caps, signals, renewals, coverage."""

from typing import Literal

Line = Literal["tier", "cap", "critical signal", "renewal", "coverage"]
