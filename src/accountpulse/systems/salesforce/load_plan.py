"""Records → what a load would do with each: create, update, leave as it is, refuse. Nothing is written here.

A dry run ends with the plan, so that it finds whatever a load would find before its first call.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import polars as pl

from accountpulse.core.errors import AccessError, ConfigurationError
from accountpulse.core.nearest import nearest
from accountpulse.core.records import Problem
from accountpulse.systems.salesforce.client import Field, Org, format_soql
from accountpulse.systems.salesforce.field_check import held, some_at_once
from accountpulse.systems.salesforce.record import (
    AMOUNTS,
    CAP_REASON_LENGTH,
    CURRENT,
    DETAILS,
    DRIVERS_LENGTH,
    KEY_LENGTH,
    LARGEST,
    OPTIONAL,
    OWNER,
    PERIOD_LENGTH,
    PROBABILITIES,
    SCORECARD_LENGTH,
    STAMPS,
    TEXT_LENGTH,
)
from accountpulse.systems.salesforce.settings import Target
from accountpulse.systems.salesforce.writes import open_jobs

PERIOD = "SELECT Id, {fields} FROM {object} WHERE Period__c = {period}"
# whoever holds the mark now, and every newer month, also where nobody has marked it
OTHERS = (
    "SELECT Id, {key}, Account__c, Period__c, {current} FROM {object} "
    "WHERE Period__c != {period} AND ({current} = true OR Period__c > {period})"
)
TEXTS = ("string", "textarea", "picklist")
NUMBERS = ("double", "currency", "percent", "int")
# fields that don't take any text, by their types
KINDS = {each: each for each in ("boolean", "date", "datetime", "time")} | {"reference": "id", "id": "id"}
WRITTEN_AS = {"Account__c": "id", OWNER: "id", "Renewal_Date__c": "date", "Scored_At__c": "datetime"}
PAGE = "see `accountpulse docs salesforce`"
HAS = f"`accountpulse deploy-files salesforce` has them, {PAGE}"
CURRENCY = "CurrencyIsoCode"  # of a record, where the org has several currencies
ID_LENGTH = 18  # of the account, at the beginning of a key
_EXACT = 2.0**50  # a number below it, times its decimals, is rounded without a loss
SLICE = 2_000  # records that are worked on at once: each step would else hold another copy of all their texts
MARKED = ("Account__c", "Period__c")  # of an older record that may have to lose its mark, beside its key
_FOLDED, _AGAIN, _BEFORE = "folded key", "key again", " before"  # no field of an org has a blank in its name
Record = dict[str, Any]


@dataclass
class Plan:
    """What a load would do: created + updated + unchanged + refused = all records.

    `create`, `update` and `unchanged` hold the values as the org keeps them, one column a field. `outdated` are older
    months' records that hold their account's mark of the current one: key, account, month.
    `former` are records that hold the mark and whose account is no customer any more, or was merged into another one.
    `carried` are the keys that the org holds of this very run already: it was killed before, and is gone on with.
    `unfinished` are bulk jobs of an earlier load that would still write; `records` is what was planned for, where there
    are any: then the plan is made again.
    """

    records: pl.DataFrame = field(repr=False)
    create: pl.DataFrame = field(repr=False)
    update: pl.DataFrame = field(repr=False)
    unchanged: pl.DataFrame = field(repr=False)
    outdated: pl.DataFrame = field(repr=False)
    former: pl.DataFrame = field(repr=False)
    no_customers: frozenset[str] = field(default=frozenset(), repr=False)
    refused: list[Problem] = field(default_factory=list)
    run_id: str | None = None  # None: there is no record
    carried: set[str] = field(default_factory=set)
    notes: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


def plan(org: Org, target: Target, records: pl.DataFrame, former: frozenset[str] = frozenset()) -> Plan:
    """Compare the records of one month with the object's fields and with what the org holds of that month.

    `former`: as `ScoreRecords` has them; their records lose the mark.

    A field that is absent or not writable is a ConfigurationError. A record that the fields can't hold, that isn't a
    finite number somewhere, or whose key is given twice, is refused.
    """
    fields, notes = writable(org, target, records.schema)
    none = records.select(list(fields)).clear()
    outdated = records.select(target.external_id, *MARKED).clear()
    notes = (*notes, *_lost_probability(target, fields, records))
    made = Plan(records.clear(), none, none, none, outdated, former=outdated, no_customers=former, notes=notes)
    if records.is_empty():
        return made
    if records.height > target.bulk_above:
        _look_for_jobs(org, target, made)
    if made.unfinished:
        made.records = records
    period, made.run_id = records["Period__c"][0], records["Run_Id__c"][0]
    sound = _sound(records.select(list(fields)), target, fields, made)
    del records  # as large as what the org holds of them
    stored = _stored(org, target, fields, period, sound.schema)
    made.carried = set(stored.filter(pl.col("Run_Id__c") == made.run_id)[_FOLDED])
    if made.carried:
        count = f"{len(made.carried):,} records of this run are in the org already, from before it broke off"
        made.notes += (f"{count}: those that are equal are not sent again",)
    if CURRENT in fields:
        newer = _other_months(org, target, fields, period, made)
        _find_former(target, stored, made)
        sound = sound.with_columns((~pl.col("Account__c").is_in(newer)).alias(CURRENT))
    made.create, made.update, made.unchanged = _compared(sound, stored, target)
    return made


def _compared(sound: pl.DataFrame, stored: pl.DataFrame, target: Target) -> tuple[pl.DataFrame, ...]:
    """The records that the org doesn't hold, that it holds with other values, and that it holds as they are."""
    absent = pl.col(f"{target.external_id}{_BEFORE}").is_null()
    equal = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(f"{name}{_BEFORE}")) for name in sound.columns if name not in STAMPS
    )
    found: tuple[list[pl.DataFrame], ...] = ([], [], [])
    for some in sound.iter_slices(SLICE):
        beside = some.with_columns(_folded(target.external_id)).join(
            stored, on=_FOLDED, how="left", suffix=_BEFORE, maintain_order="left"
        )
        for rows, which in zip(found, (absent, ~absent & ~equal, ~absent & equal), strict=True):
            rows.append(beside.filter(which).select(sound.columns))
    return tuple(pl.concat([sound.clear(), *rows]) for rows in found)


def _look_for_jobs(org: Org, target: Target, made: Plan) -> None:
    """Jobs that a load of so many records may have left behind when it was cut off."""
    try:
        made.unfinished = tuple(open_jobs(org, target.object, target.external_id))
    except AccessError:
        made.notes += (f"our user may not see the org's bulk jobs: one that an earlier load left isn't found; {PAGE}",)
    for job in made.unfinished:
        made.notes += (f"bulk job {job} of an earlier load hasn't ended: a load aborts it first",)


def _folded(name: str) -> pl.Expr:
    """External ids are the same in capitals and small letters."""
    return pl.col(name).str.to_lowercase().alias(_FOLDED)


def folded(keys: pl.Series) -> list[str]:
    """The same of keys outside of a plan."""
    return keys.to_frame("key").select(_folded("key")).to_series().to_list()


def writable(org: Org, target: Target, columns: pl.Schema) -> tuple[dict[str, Field], tuple[str, ...]]:
    """The fields that the org takes; optional ones may be absent."""
    described = org.describe(target.object)
    if described is None:
        problem = f"object {target.object} is absent, or not readable for our user; {PAGE}"
        raise ConfigurationError("salesforce.target", [problem])
    may = org.object(target.object)
    problems = [
        f"our user may not {what} records of {target.object} (object permission); {PAGE}"
        for what, allowed in (("create", may is None or may.createable), ("edit", may is None or may.updateable))
        if not allowed
    ]
    key = described.get(target.external_id)
    if key is not None and not (key.external_id and key.unique):
        problems.append(f"{target.object}.{target.external_id} must be marked as external id and unique")
    problems += [
        f"field {target.object}.{name} is required, but nothing is written to it: make it optional"
        for name, definition in described.items()
        if definition.must_be_given and name not in columns
    ]
    absent = [name for name in columns if name not in described]
    unfit = {name: reason for name, kind in columns.items() if (reason := _unfit(described, name, kind))}
    left_out = [name for name in unfit if name in DETAILS or (name in absent and name in OPTIONAL)]
    for name in (each for each in unfit if each not in left_out):
        hint = nearest(name, described) if name in absent else ""
        problems.append(f"field {target.object}.{name} {unfit[name]}{hint}; {PAGE}")
    if problems:
        raise ConfigurationError("salesforce.target", problems)
    wrong = [f"{target.object}.{name} {unfit[name]}: not written" for name in left_out if name not in absent]
    notes = (*_absent_notes(target, absent), *wrong)
    return {name: described[name] for name in columns if name not in left_out}, notes


def _absent_notes(target: Target, absent: Sequence[str]) -> Iterator[str]:
    """Which optional fields the org lacks; of those that an earlier version of ours didn't have, the remedy too."""
    lacking = [name for name in absent if name not in (*PROBABILITIES, *DETAILS)]
    if lacking:
        yield f"{target.object} has no {', '.join(lacking)}: not written"
    newer = [name for name in absent if name in DETAILS]
    if newer:
        what = f"{target.object} has no {', '.join(newer)}, or our user may not see them: not written, all else is"
        remedy = "deploy `health-score` again, with `churn-signal` or `own-signals`"
        if target.object != Target().object:
            remedy = f"add them to {target.object}"
        yield f"{what}; {remedy}: {HAS}"


def _lost_probability(target: Target, fields: Mapping[str, Field], records: pl.DataFrame) -> Iterator[str]:
    """A line where there is a probability, and the org was set up before there was any."""
    absent = [name for name in PROBABILITIES if name not in fields and records[name].count() > 0]
    if absent:
        yield f"{target.object} has no {', '.join(absent)}: not written; {HAS}"


def _unfit(described: Mapping[str, Field], name: str, kind: pl.DataType) -> str | None:
    """Why a column of this kind can't be written to the field, if it can't."""
    definition = described.get(name)
    if definition is None:
        return "is absent, or not visible"
    if not (definition.createable and definition.updateable):
        return "is not writable for our user"
    holds = "number" if definition.type in NUMBERS else KINDS.get(definition.type, "text")
    wanted = "number" if kind.is_float() else "boolean" if kind == pl.Boolean else WRITTEN_AS.get(name, "text")
    if holds == "text" and wanted not in ("number", "boolean"):
        return None  # a text takes an id and a day as well
    if holds == wanted and definition.type == "currency" and CURRENCY in described:
        return "is of the type currency, and would be read in the currency of each record: make it a number"
    return None if holds == wanted else f"is of the type {definition.type}, and can't hold a {wanted}"


@dataclass(frozen=True)
class Narrow:
    """A field that can't hold all that is written to it. `always`: a month without a refused record isn't likely."""

    text: str
    always: bool


def too_narrow(fields: Mapping[str, Field], external_id: str, tiers: Iterable[str]) -> Iterator[Narrow]:
    """Fields whose length, digits or picklist leave out some of what a load may write to them, and why."""
    always = {external_id: KEY_LENGTH, "Period__c": PERIOD_LENGTH}
    longest = {
        "Cap_Reason__c": CAP_REASON_LENGTH,
        "Drivers__c": DRIVERS_LENGTH,
        "Scorecard__c": SCORECARD_LENGTH,
        **dict.fromkeys(("Main_Driver__c", "Next_Step__c", "Group_Lowest__c", "Disagreement__c"), TEXT_LENGTH),
    }
    for name, definition in fields.items():
        wanted = (always | longest).get(name, 0)
        if definition.type in TEXTS and 0 < definition.length < wanted:
            text = f"{name} has {definition.length:,} characters, and up to {wanted:,} are written"
            yield Narrow(text, name in always)
        if definition.type in NUMBERS and name not in AMOUNTS and (fault := _fault(definition, LARGEST)) is not None:
            yield Narrow(fault, always=False)
    tier = fields.get("Tier__c")
    lacking = [] if tier is None or tier.values is None else [each for each in tiers if each not in tier.values]
    if lacking:
        text = f"Tier__c is a restricted picklist without {', '.join(map(repr, lacking))}: add these values to it"
        yield Narrow(text, always=True)


# --- what can be sent --------------------------------------------------------------------------------------------


def _sound(records: pl.DataFrame, target: Target, fields: Mapping[str, Field], made: Plan) -> pl.DataFrame:
    """The records as the org would store them; those that it can't store are refused."""
    again = pl.when(_folded(target.external_id).is_duplicated()).then(pl.lit("its key is given twice"))
    parts = [records.clear()]
    for some in records.with_columns(again.alias(_AGAIN)).iter_slices(SLICE):
        columns = [_fitted_column(fields[name], some[name]) for name in records.columns]
        columns = [_without_faults(made, *each) if each[0].name in DETAILS else each for each in columns]
        faults = [*(wrong for _, wrong in columns if wrong is not None), some[_AGAIN]]
        texts = pl.DataFrame([wrong.alias(str(place)) for place, wrong in enumerate(faults)])
        told = texts.select(pl.concat_str(pl.all(), separator="; ", ignore_nulls=True)).to_series()
        is_sound = told == ""
        refused = some["Account__c"].filter(~is_sound), told.filter(~is_sound)
        made.refused += [Problem(account, "load", text) for account, text in zip(*refused, strict=True)]
        parts.append(pl.DataFrame([fitted for fitted, _ in columns]).filter(is_sound))
    return pl.concat(parts)


def _without_faults(made: Plan, fitted: pl.Series, wrong: pl.Series | None) -> tuple[pl.Series, None]:
    """The values that the field can hold: what stands beside a score costs no account its record."""
    if wrong is None:
        return fitted, None
    left_out = wrong.drop_nulls()
    made.notes += (f"{len(left_out):,} records are written without {fitted.name}, such as: {left_out[0]}",)
    return fitted.to_frame().select(pl.when(pl.lit(wrong).is_null()).then(pl.col(fitted.name))).to_series(), None


def _fitted_column(definition: Field, values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The values as the field keeps them, and why it can't hold each (null: it can); None where it can hold all."""
    if values.dtype.is_float() and _fits_as_it_is(definition, values):
        return values, None
    different = values.unique()
    fitted = [_fitted(definition, value) for value in different]
    faults = pl.Series([_fault(definition, value) for value in fitted], dtype=pl.String)
    # joined as text, since a join never finds a NaN
    key = different.cast(pl.String).alias("key")
    there = pl.DataFrame([key, pl.Series("fitted", fitted, values.dtype), faults.alias("fault")])
    found = (
        values.cast(pl.String)
        .to_frame("key")
        .join(there, on="key", how="left", nulls_equal=True, maintain_order="left")
    )
    return found["fitted"].alias(values.name), None if faults.is_null().all() else found["fault"]


def _fits_as_it_is(definition: Field, values: pl.Series) -> bool:
    """Whether all numbers have the field's decimals already and no more digits than it: most are rounded by then."""
    digits = definition.precision - definition.scale
    most = 10.0**digits if definition.precision else math.inf
    held = (values.round(definition.scale) == values) & (values.abs() < min(most, _EXACT / 10**definition.scale))
    return bool(held.fill_null(value=True).all())


@cache
def _last_place(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def _fitted(definition: Field, value: Any) -> Any:
    """The value as the field keeps it: numbers to its decimals, text without blanks around it, empty text as null."""
    if isinstance(value, float) and math.isfinite(value):
        return float(Decimal(repr(value)).quantize(_last_place(definition.scale), ROUND_HALF_UP))
    if isinstance(value, str) and definition.type in TEXTS:
        return value.replace("\r\n", "\n").strip() or None
    return value


def _fault(definition: Field, value: Any) -> str | None:
    """Why the field can't hold the value, if it can't."""
    name = definition.name
    if isinstance(value, float):
        if not math.isfinite(value):
            return f"{name} is not a number"
        digits = definition.precision - definition.scale
        if definition.precision and abs(value) >= 10**digits:
            return f"{name}: {value:g} has more than the field's {digits} digits before the point"
    if isinstance(value, str) and definition.type in TEXTS:
        if definition.values is not None and value not in definition.values:
            return f"{name}: {value!r} is not among the values of the restricted picklist"
        if len(value) > definition.length > 0:
            return f"{name}: {len(value):,} characters are more than the field's {definition.length:,}"
    return None


# --- what the org holds ------------------------------------------------------------------------------------------


def _stored(
    org: Org, target: Target, fields: Mapping[str, Field], period: str, schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """The month's records with their folded keys; one that was made by hand and has no key is not ours."""
    query = PERIOD.format(fields=", ".join(fields), object=target.object, period=format_soql("{}", period))
    fitted = [
        pl.DataFrame([_fitted_column(fields[name], some[name])[0] for name in schema])
        for some in _parts(held(org, target.object, fields, query), schema)
    ]
    found = pl.concat([pl.DataFrame(schema=schema), *fitted]).filter(_has_text(target.external_id))
    found = found.with_columns(_folded(target.external_id))
    return found.unique(_FOLDED, keep="last") if found[_FOLDED].is_duplicated().any() else found


def _parts(rows: Iterable[Mapping[str, Any]], schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """These columns of the rows. Some hundreds of rows at a time: as Python's objects they take ten times as much."""
    return (pl.DataFrame(some, schema=schema, orient="row", strict=False) for some in some_at_once(rows))


def _has_text(name: str) -> pl.Expr:
    return pl.col(name).str.len_bytes().fill_null(0) > 0


def _other_months(org: Org, target: Target, fields: Mapping[str, Field], period: str, made: Plan) -> list[str]:
    """The accounts of which the org holds a newer month; older months that are still marked go to `outdated`."""
    query = OTHERS.format(
        key=target.external_id, current=CURRENT, object=target.object, period=format_soql("{}", period)
    )
    asked = {name: fields[name] for name in (target.external_id, *MARKED, CURRENT)}
    rows = pl.concat([made.outdated, *_parts(held(org, target.object, asked, query), made.outdated.schema)])
    is_newer = (pl.col("Period__c") > period).fill_null(value=False)
    newer = rows.filter(is_newer)["Account__c"].unique()
    is_of_newer = pl.col("Account__c").is_in(newer.implode()).fill_null(value=False)
    made.outdated = rows.filter(~is_newer & _has_text(target.external_id) & ~is_of_newer)
    return newer.drop_nulls().to_list()


def _find_former(target: Target, stored: pl.DataFrame, made: Plan) -> None:
    """The marked records of who is no customer any more, by the account that their key names.

    The record's own account is empty where it was deleted, and another one where it was merged.
    """
    if not made.no_customers:
        return
    accounts = [each.lower() for each in made.no_customers]
    is_former = pl.col(target.external_id).str.to_lowercase().str.head(ID_LENGTH).is_in(accounts)
    of_month = stored.filter(pl.col(CURRENT)).select(made.outdated.columns)
    made.former = pl.concat([made.outdated, of_month]).filter(is_former)
    made.outdated = made.outdated.filter(~is_former)
    if made.former.height:
        count, example = made.former.height, made.former[target.external_id][0]
        what = f"{count:,} records are" if count > 1 else "1 record is"
        why = "no customer any more, or merged"
        made.notes += (f"{what} no longer marked as current, since the account is {why}: such as {example}",)
