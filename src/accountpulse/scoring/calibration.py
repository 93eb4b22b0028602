"""A calibration: what turns the risk index into a probability of leaving, as a YAML document and as expressions.

It is Platt's scaling of the risk's exponent z before floors: p = 1 / (1 + e^−(intercept + slope · z)) (J. Platt 1999,
"Probabilistic outputs for support vector machines"). The bounds come from the covariance of the two parameters, on the
scale of the exponent (delta method), so that they hold p and stay between 0 and 100. Fitting is in proof/.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from statistics import NormalDist
from typing import Annotated, Any, Literal

import narwhals.stable.v2 as nw
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.yaml_files import parse, validate
from accountpulse.scoring.columns import (
    AS_OF,
    PROBABILITIES,
    PROBABILITY,
    PROBABILITY_LOWER,
    PROBABILITY_UPPER,
    RISK,
    RISK_Z,
)
from accountpulse.scoring.expressions import Expr, first_true, number, unknown
from accountpulse.scoring.model import Number, Points, Share, Text
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import NativeFrame

FILE = "calibration.yaml"
VERSION = 1
AGAIN = "run `accountpulse calibrate` again"
CalibrationKind = Literal["account", "band"]
HEAD = """\
# Turns the risk index into a probability of leaving. Written by `accountpulse calibrate`; to do without, delete it.
# Comments may be added. Where a value is changed by hand, the checksum no longer matches and the file isn't used.
"""


@dataclass(frozen=True)
class Band:
    """A band of the risk: accounts whose index is `from_risk` or more leave with a probability of lower to upper %."""

    name: str
    from_risk: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Calibration:
    """What was fitted, on what, and for what it counts. `kind` "band": too few left for a probability of each account.

    `covariance`: var(intercept), cov, var(slope), clustered by account. `level` is that of the bounds, 0 to 1.
    `base_rate`: the share of the training rows that left, 0 to 1. `months` as `YYYY-MM`, those of the training.
    """

    intercept: float
    slope: float  # 0 or more: the probability never falls as the risk rises
    covariance: tuple[float, float, float]
    level: float
    horizon_days: int
    scorecard_hash: str
    outcome: str  # what counted as leaving, in words
    months: tuple[str, ...]
    events: int  # accounts that left
    accounts: int
    base_rate: float
    kind: CalibrationKind
    bands: tuple[Band, ...]
    fitted_on: date
    expires_on: date  # the first day on which it doesn't count any more

    def to_document(self) -> str:
        """The YAML text, with a checksum of its content."""
        content = _plain(self)
        whole = {"version": VERSION, **content, "checksum": _checksum(content)}
        return HEAD + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120)


def from_document(text: str, name: str = FILE) -> Calibration:
    """The calibration that a text holds; a ConfigurationError with every mistake where it can't be used."""
    document = parse(text, name)
    checked = validate(document, _StoredCalibration)
    values = {field.name: getattr(checked, field.name) for field in fields(Calibration)}
    values["bands"] = tuple(Band(**band.model_dump()) for band in checked.bands)
    found = Calibration(**values)
    if checked.checksum != _checksum(_plain(found)):
        raise ConfigurationError(name, [f"was changed after it was written (its checksum does not match): {AGAIN}"])
    return found


def why_unused(calibration: Calibration, card: Scorecard, as_of_day: date) -> str | None:
    """Why it doesn't count for scores of this scorecard as of this day, in words; None: it counts.

    `as_of_day` is the day after the last one that was measured.
    """
    horizon = card.file.horizon_days
    if calibration.horizon_days != horizon:
        return (
            f"it was fitted for {calibration.horizon_days} days, and the scorecard's horizon_days is {horizon}: {AGAIN}"
        )
    if calibration.scorecard_hash != card.hash:
        return (
            f"it was fitted on another scorecard ({calibration.scorecard_hash}), and this one is "
            f"{card.name} {card.hash}: {AGAIN}"
        )
    if as_of_day >= calibration.expires_on:
        return f"it expired on {calibration.expires_on}, and these scores are as of {as_of_day}: {AGAIN}"
    return None


def with_probability(frame: NativeFrame, calibration: Calibration) -> NativeFrame:
    """The scores with `churn_probability`, `churn_probability_lower` and `churn_probability_upper`, in percent.

    Reads `risk_z` and `churn_risk_score`; lazy in, lazy out. Null where `risk_z` is (Not Rated), and in rows with an
    `as_of` at which it has expired. Of kind "band" the probability is null, and the bounds are those of the account's
    band of risk.
    """
    native: Any = frame
    scores = nw.from_native(native)
    made = scores.with_columns(_by_band(calibration) if calibration.kind == "band" else _by_account(calibration))
    if AS_OF in scores.collect_schema():
        counts = nw.col(AS_OF) < nw.lit(calibration.expires_on)
        made = made.with_columns(nw.when(counts).then(nw.col(name)).alias(name) for name in PROBABILITIES)
    result: Any = made.to_native()
    return result  # type: ignore[no-any-return]


def calibrated(scores: NativeFrame, calibration: Calibration | None) -> NativeFrame:
    """The same where there is a calibration that counts; else the scores as they are."""
    return scores if calibration is None else with_probability(scores, calibration)


def _by_account(calibration: Calibration) -> list[Expr]:
    z, (of_intercept, both, of_slope) = nw.col(RISK_Z), calibration.covariance
    logit = z * calibration.slope + calibration.intercept
    variance = number(of_intercept) + z * (2.0 * both) + z * z * of_slope
    # rounding may leave a little less than 0
    error = nw.when(variance > 0).then(variance).otherwise(number(0.0)).sqrt() * deviations(calibration.level)
    return [
        _percent(logit, PROBABILITY),
        _percent(logit - error, PROBABILITY_LOWER),
        _percent(logit + error, PROBABILITY_UPPER),
    ]


def deviations(level: float) -> float:
    """How many standard errors a normal interval of this level reaches to either side: 1.96 at 0.95."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def _percent(logit: Expr, name: str) -> Expr:
    """100 / (1 + e^−logit); the power is never above 1, so that nothing overflows on any engine."""
    small = (number(0.0) - logit.abs()).exp()
    far = number(100.0) * (number(1.0) / (number(1.0) + small))
    known = nw.when(logit >= 0).then(far).otherwise(far * small)
    return nw.when(nw.col(RISK_Z).is_null()).then(unknown()).otherwise(known).alias(name)


def _by_band(calibration: Calibration) -> list[Expr]:
    rated = ~nw.col(RISK_Z).is_null()
    bands = sorted(calibration.bands, key=lambda band: -band.from_risk)
    reached = [(rated & (nw.col(RISK) >= band.from_risk), band) for band in bands]
    return [
        unknown().alias(PROBABILITY),
        first_true([(condition, number(band.lower)) for condition, band in reached]).alias(PROBABILITY_LOWER),
        first_true([(condition, number(band.upper)) for condition, band in reached]).alias(PROBABILITY_UPPER),
    ]


# --- the document --------------------------------------------------------------------------------------------------


def _plain(calibration: Calibration) -> dict[str, Any]:
    """What YAML and JSON can hold, the same for equal numbers of whatever type."""
    content = asdict(calibration)
    content |= {name: float(content[name]) for name in ("intercept", "slope", "level", "base_rate")}
    content |= {name: int(content[name]) for name in ("horizon_days", "events", "accounts")}
    content["covariance"] = [float(part) for part in calibration.covariance]
    content["months"] = list(calibration.months)
    content["bands"] = [
        {"name": band.name, **{key: float(getattr(band, key)) for key in ("from_risk", "lower", "upper")}}
        for band in calibration.bands
    ]
    return content


def _checksum(content: Mapping[str, Any]) -> str:
    """The first 12 hex digits of the content's SHA-256; comments and the order of keys don't matter."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _CalibrationPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


WholeNumber = Annotated[int, Field(strict=True, ge=0)]
Variance = Annotated[Number, Field(ge=0)]


class _Band(_CalibrationPart):
    name: Text
    from_risk: Points
    lower: Points
    upper: Points

    @model_validator(mode="after")
    def _ordered(self) -> "_Band":
        if self.lower > self.upper:
            raise ValueError("lower is above upper")
        return self


class _StoredCalibration(_CalibrationPart):
    """What the file holds: Calibration's fields, and what vouches for them."""

    version: Literal[1]
    intercept: Number
    slope: Annotated[Number, Field(ge=0)]
    covariance: tuple[Variance, Number, Variance]
    level: Annotated[Number, Field(gt=0, lt=1)]
    horizon_days: Annotated[int, Field(strict=True, ge=1)]
    scorecard_hash: Text
    outcome: Text
    months: tuple[Text, ...]
    events: WholeNumber
    accounts: WholeNumber
    base_rate: Share
    kind: CalibrationKind
    bands: tuple[_Band, ...]
    fitted_on: date
    expires_on: date
    checksum: Text

    @model_validator(mode="after")
    def _has_bands(self) -> "_StoredCalibration":
        if self.kind == "band" and not self.bands:
            raise ValueError("kind is band, but no band is given")
        return self
