"""The tables that flow between the two edges, and the rules that a company sets for the middle.

Each table declares its columns: name, type and, in the comment, its unit and what null means. An extractor fills
the tables of its domain; metrics read them. Times are UTC with milliseconds, durations integer milliseconds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl

from accountpulse.core.catalogue import Metric
from accountpulse.core.spooled import SpooledTable

TIME = pl.Datetime("ms", "UTC")
KEYS = pl.List(pl.String)

Columns = Mapping[str, pl.DataType | type[pl.DataType]]
SourceName = str  # a system's name in the register
Reason = Literal[
    "source_failed",  # the system could not be read in this run
    "not_visible",  # hidden from our user: a record that is known to be there can't be read
    "not_attributable",  # rows came that were asked for this account and can be given to nobody
    "several_rows",  # more than one row for one fact, and they don't add up
    "unclear",  # the answer contradicts itself, or its meaning, its order or its currency can't be known
    "field_missing",  # the field or object is absent, or not readable for our user
    "stale",  # older than `max_age`
    "too_new",  # the customer, or the data on it, is younger than the question; or this is older than what is kept
    "not_linked",  # the account has no id in that system, or one that the system doesn't know
    "not_configured",  # nobody asked for it
    "not_expected",  # the question doesn't arise for this account, such as reviews that its tier isn't owed
    "no_evidence",  # looked, and there was nothing to average
    "too_few",  # fewer events than the scorecard asks for
]
REASONS: tuple[Reason, ...] = get_args(Reason)  # where several hold, the first of them is given
# something is there, and can't be seen or understood
UNSEEN: tuple[Reason, ...] = ("not_visible", "not_attributable", "several_rows", "unclear")
UNREADABLE: tuple[Reason, ...] = ("source_failed", *UNSEEN, "field_missing", "stale")  # nobody could look


@dataclass(frozen=True)
class Source:
    """A system that a run may read, as the middle sees it: `settings` and the register fill it.

    `key_noun` is what an account is linked to there, with the system's name.
    `comparable` gives the form in which two ways to write one key are equal. `has_accounts`: it knows who the
    customers are, and an account's own id is its key.
    """

    name: SourceName
    title: str
    key_noun: str
    comparable: Callable[[str], str]
    has_accounts: bool = False
    tables: tuple[str, ...] = ()  # those that it fills

    def feeds(self, tables: Iterable[str]) -> bool:
        """Whether it fills any of these tables, such as those that a metric is measured from."""
        return not set(self.tables).isdisjoint(tables)


# --- who is a customer -----------------------------------------------------------------------------------------

ACCOUNTS: Columns = {
    "account_id": pl.String,  # 18 characters
    "account_name": pl.String,
    "segment": pl.String,
    "customer_tier": pl.String,  # the tier that was sold; the score's own tier is another thing
    "arr": pl.Float64,  # at as_of, in the org's corporate currency
    "seats": pl.Float64,
    "owner": pl.String,  # who looks after it, as it is shown: a name, or the id where the name isn't known or wanted
    "owner_id": pl.String,  # 18 characters; null: the owner is a text of the company's own, or there is none
    "customer_since": pl.Date,
}
# each customer's parent (null: none), and the parents' own, as far as they could be read: one row an account
PARENTS: Columns = {
    "account_id": pl.String,
    "parent_id": pl.String,
    "parent_name": pl.String,  # null: it can't be seen
    "currency": pl.String,  # of the account's own ARR; null: the org has one currency, or it is no customer
}
# what an account is called in each system: one row for each account and source that has a key
LINKS: Columns = {"account_id": pl.String, "source": pl.String, "key": pl.String}
# whom a system knows as a customer, for suggested links: one row a key; in the CRM an account, whose key is its id
CUSTOMERS: Columns = {
    "key": pl.String,  # as a link would hold it
    "name": pl.String,  # null: it has none there
    "websites": pl.List(pl.String),  # addresses or hosts, as they are written
    "mail_domains": pl.List(pl.String),  # where its people have their addresses
    "external_keys": pl.List(pl.String),  # what other systems call it
}

# what people decided about suggested links: one row an account, source and key
LINK_DECISIONS: Columns = {
    "account_id": pl.String,
    "account_name": pl.String,  # for the reader, as is key_name
    "system": pl.String,
    "key": pl.String,
    "key_name": pl.String,
    "decision": pl.String,  # accept, reject or later; null: nobody has decided
    "score": pl.Int64,  # of the suggestion, 0 to 100; null: it was none
    "reasons": pl.String,
    "decided_at": pl.String,  # YYYY-MM-DD
    "decided_by": pl.String,  # null: a person
    "note": pl.String,  # people's own words
}

# --- support ---------------------------------------------------------------------------------------------------

CONVERSATIONS: Columns = {
    "conversation_id": pl.String,
    "keys": KEYS,  # the customers that it belongs to, as the link names them; empty: nobody's
    "created_at": TIME,
    # null in these three: not known of this one, so that `unknowns` has its keys; of the last two also: not configured
    "customer_involved": pl.Boolean,
    "p1_p2": pl.Boolean,
    "escalated": pl.Boolean,
    "first_response_ms": pl.Int64,  # null: not answered; the basis is the setting's
    "last_closed_at": TIME,  # null: not closed now
    "resolution_ms": pl.Int64,
    "rating_asked_at": TIME,  # null: nobody asked
    "rating": pl.Int64,  # 1 to 5; null: not rated
}

# --- bugs ------------------------------------------------------------------------------------------------------

ISSUES: Columns = {
    "issue_id": pl.String,
    "keys": KEYS,
    "created_at": TIME,
    "done": pl.Boolean,  # now
    "resolved_at": TIME,  # of the present resolution; null: not done, or not known
    "critical": pl.Boolean,
}
# each change of status into or out of done, as far back as the window's start; others need not be there
ISSUE_MOVES: Columns = {"issue_id": pl.String, "at": TIME, "from_done": pl.Boolean, "to_done": pl.Boolean}

# --- usage -----------------------------------------------------------------------------------------------------

USAGE_DAYS: Columns = {"key": pl.String, "day": pl.Date, "users": pl.Int64}  # distinct; a day without a row is 0
USAGE_MONTHS: Columns = {"key": pl.String, "month": pl.Date, "users": pl.Int64, "sessions": pl.Int64}
FEATURES: Columns = {"key": pl.String, "feature": pl.String}  # used at least once in the period
# one number an account, as the system has it: pillars and own metrics, by their metric, and SEATS
FIGURES: Columns = {"key": pl.String, "metric": pl.String, "value": pl.Float64}
SEATS = "seats"
TABLE = "table"  # in place of a source: a table that the company keeps itself
# own metrics that have a day of their own: any number of rows an account and metric; `day` null: as it is now
DATED_FIGURES: Columns = {"account_id": pl.String, "metric": pl.String, "value": pl.Float64, "day": pl.Date}

# --- contract and relationship ---------------------------------------------------------------------------------

RENEWALS: Columns = {
    "account_id": pl.String,
    "due": pl.Date,
    "rank": pl.Int64,  # of the strategy that found it: 0 is asked first
    "forecast": pl.String,  # what sales expect of it: likely, open or unlikely; null: not known
}
PAYMENT_PROBLEMS: Columns = {
    "account_id": pl.String,
    "opened_at": TIME,  # null: long ago
    "closed_at": TIME,  # null: open
    "unknown": pl.Boolean,  # true: no problem, but a sign that it can't be told of this account
}
DOWNGRADES: Columns = {"account_id": pl.String, "closed_on": pl.Date}
ARR_CHANGES: Columns = {"account_id": pl.String, "at": TIME, "before": pl.Float64, "after": pl.Float64}
REVIEWS: Columns = {"account_id": pl.String, "held_on": pl.Date}
CHAMPIONS: Columns = {"account_id": pl.String, "contact_id": pl.String, "still_there": pl.Boolean}
EXPANSIONS: Columns = {"account_id": pl.String, "opportunity_id": pl.String}

# --- signals ---------------------------------------------------------------------------------------------------

SIGNALS: Columns = {
    "account_id": pl.String,
    "severity": pl.String,  # critical, moderate or watch
    "monitoring": pl.Boolean,
    "confirmed": pl.Boolean,
    "opened_at": TIME,
    "closed_at": TIME,  # null: still open
    "title": pl.String,  # what it is about, in few words; shown, never logged
    "owner": pl.String,  # whose it is, as an account's owner is shown
}

# --- what people say of an account, beside its score -----------------------------------------------------------------

# the last pulse that a CSM gave before as_of; an account has one row, or none where it has no pulse
PULSES: Columns = {
    "account_id": pl.String,
    "colour": pl.String,  # green, yellow or red; null where there is a doubt
    "given_at": TIME,  # null: it bears no date
    "author": pl.String,  # as an account's owner is shown
    "author_id": pl.String,  # 18 characters; null: not known, or a text
    "reason": pl.String,  # their own words; shown, never logged
    "doubt": pl.String,  # `unclear`: what it says, or said by then, can't be known; `unread`: nobody could look
}
# the changes of accounts' owners since the first day that a pulse can be of; two of one account and instant are one
OWNER_CHANGES: Columns = {
    "account_id": pl.String,
    "at": TIME,
    "owner_id": pl.String,  # who has it since then: 18 characters; null: not known
}
# columns of an account beside its metrics and its score, and part of neither
OPINIONS: Columns = {
    "pulse_colour": pl.String,  # green, yellow or red; null: there is none, or none that can be understood
    # current, stale, void, restarted (the owner changed since), undated, unclear or unread; null: there is no pulse
    "pulse_state": pl.String,
    "pulse_on": pl.Date,  # in the period's zone
    "renewal_outlook": pl.String,  # what sales expect of the renewal: likely, open or unlikely; null: not known
}

# --- what became of customers --------------------------------------------------------------------------------------

# one row an account, kind and day: whoever left and whoever stayed, also of accounts that are no customers any more
OUTCOMES: Columns = {
    "account_id": pl.String,  # 18 characters
    "happened_on": pl.Date,
    "kind": pl.String,  # lost, contraction or renewed
    "arr_lost": pl.Float64,  # a year, in the org's corporate currency; null: not known, or nothing was lost
    "known_at": pl.Date,  # from which on anybody could know it; null: not known (a table says none)
    "origin": pl.String,  # table, history, or the way by which a system was asked
    "doubt": pl.String,  # in words why it may not be so; null: no doubt
}
# accounts that were merged into another one: what is known of the first belongs to the second
MERGES: Columns = {"account_id": pl.String, "survivor_id": pl.String}
# of a month as it was then: measured so long after its end that it may know what has happened since
RECONSTRUCTED = "reconstructed"

# --- what is not known of single accounts ----------------------------------------------------------------------

# `key` as the source writes it (in the CRM the account's id); a row for each metric that stays null, `reason` a Reason
UNKNOWNS: Columns = {"key": pl.String, "metric": pl.String, "reason": pl.String}

TABLES: Mapping[str, Columns] = {
    "accounts": ACCOUNTS,
    "parents": PARENTS,
    "links": LINKS,
    "conversations": CONVERSATIONS,
    "issues": ISSUES,
    "issue_moves": ISSUE_MOVES,
    "usage_days": USAGE_DAYS,
    "usage_months": USAGE_MONTHS,
    "features": FEATURES,
    "figures": FIGURES,
    "dated_figures": DATED_FIGURES,
    "renewals": RENEWALS,
    "payment_problems": PAYMENT_PROBLEMS,
    "downgrades": DOWNGRADES,
    "arr_changes": ARR_CHANGES,
    "reviews": REVIEWS,
    "champions": CHAMPIONS,
    "expansions": EXPANSIONS,
    "signals": SIGNALS,
    "pulses": PULSES,
    "owner_changes": OWNER_CHANGES,
    "outcomes": OUTCOMES,
    "merges": MERGES,
}
OF_ANY_TIME = frozenset({"outcomes", "merges"})  # they speak of accounts of any time
NOT_MEASURED = OF_ANY_TIME | {"parents", "pulses", "owner_changes"}  # no metric reads them
# those that grow with the traffic: they lie on disk, and the others in memory
ON_DISK = frozenset({"conversations", "issues", "issue_moves", "usage_days"})


def unknowns(keys: Iterable[str], metrics: Iterable[str], reason: Reason) -> pl.DataFrame:
    """UNKNOWNS: each of these metrics stays null for each of these keys."""
    named = tuple(metrics)
    rows = [(key, metric, reason) for key in keys for metric in named]
    return pl.DataFrame(rows, schema=UNKNOWNS, orient="row")


def frame(table: str, rows: Iterable[Mapping[str, object]] = ()) -> pl.DataFrame:
    """A frame of the named table with exactly its declared columns; a row that lacks a column has null there."""
    return pl.DataFrame(list(rows), schema=TABLES[table], strict=True)


# --- rules of the middle, filled by settings ---------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """What a company decided about its own metrics; defaults are METRICS.md's."""

    csat: Literal["share", "mean"] = "share"
    features: tuple[str, ...] = ()  # the catalogue that feature_breadth counts; empty: not configured
    pillars: tuple[str, ...] = ()
    own: tuple[Metric, ...] = ()  # what the scorecard declares
    tiers: tuple[str, ...] = ()  # lowest first
    tier_floors: Mapping[str, float] = field(default_factory=dict)  # tier → ARR from which it is implied
    reviews_expected: Mapping[str, float] = field(default_factory=dict)  # tier → business reviews a year
    # own metrics that a run has, and where from: a source's name, or TABLE
    fed: Mapping[str, str] = field(default_factory=dict)
    max_age_days: Mapping[str, int] = field(default_factory=dict)  # of own metrics: older values are stale
    signals_waived: bool = False  # accounts are rated though nobody can see their churn signals
    renewal_overdue_days: int = 180  # how long ago an open renewal may have been due and still be one
    own_arr_history: bool = False  # ARR a year ago may come from what this program measured then
    contraction_pct: float = 10.0  # ARR that fell by more than so many percent from month to month is a contraction
    grace_days: int = 60  # within so many days, two things that are said of how a renewal went are one event

    def feeders(self, metric: Metric, sources: Iterable[Source]) -> list[SourceName]:
        """The sources that a metric is measured from; of an own one whoever is asked for it, none where a table is."""
        origin = self.fed.get(metric.name)
        if origin is not None:
            return [source.name for source in sources if source.name == origin]
        return [source.name for source in sources if source.feeds(metric.tables)]


# what people say about links, beside the rules


@dataclass(frozen=True)
class FileLink:
    """One cell of the mapping file: an account and its key in a source; `key` None: it has no record there.

    `account_name` and `key_name` are how the row calls the two, for the reader; None: it doesn't.
    """

    account_id: str  # as it was written: 15 or 18 characters
    source: SourceName
    key: str | None
    line: int
    account_name: str | None = None
    key_name: str | None = None


@dataclass(frozen=True)
class LinkFile:
    """The mapping file: its name, its cells, and whether they come before the rules or only fill what these leave.

    `rejected` are links that people refused: no rule makes them.
    """

    name: str = "the mapping file"
    links: tuple[FileLink, ...] = ()
    first: Literal["file", "rules"] = "file"
    rejected: tuple[FileLink, ...] = ()


# --- what an extractor hands over ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowCounts:
    """Where the rows went that a table was read from: `came` of them, over all queries and pages.

    `outside`: of another time than was asked for. `left_out`: by which rule, in words for the reader, and how many; a
    row that came twice is left out, too. All others are in the table.
    """

    came: int
    outside: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """How many rows the table has."""
        return self.came - self.outside - sum(self.left_out.values())


@dataclass(frozen=True)
class Extract:
    """Everything one source had to say in one run.

    `tables` and `spools` hold the tables that the source feeds, `spools` those that are ON_DISK. `gaps` says which
    metrics stay null for every account, and why. `unknown_keys` are link keys that the system doesn't know. `notes` are
    lines for the reader.
    `found_keys` is None where what an account's field holds is the key itself; else it gives, for each value that the
    system's records carry in an attribute, the keys of these records. `asked` are the keys that the source was asked
    for. `malformed`: accounts (18 characters) of which something can't be read, and what. `unknowns` (UNKNOWNS) says
    which metrics stay null for single keys. `counts` accounts for the rows of each table; one that isn't named there
    has all the rows that came.
    """

    source: SourceName
    tables: Mapping[str, pl.DataFrame]
    gaps: Mapping[str, Reason] = field(default_factory=dict)
    unknown_keys: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    found_keys: Mapping[str, Sequence[str]] | None = None
    asked: tuple[str, ...] = ()
    malformed: Mapping[str, str] = field(default_factory=dict)
    spools: Mapping[str, SpooledTable] = field(default_factory=dict)
    unknowns: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNKNOWNS))
    counts: Mapping[str, RowCounts] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        small = {name: table.height for name, table in self.tables.items()}
        return small | {name: spool.height for name, spool in self.spools.items()}


# what stands beside a score where people work with it; null: not known
DETAILS: Columns = {
    "owner_id": pl.String,  # who looks after the account: 18 characters; null also where it is a text of one's own
    "arr": pl.Float64,  # a year, in the org's corporate currency
    "renewal_date": pl.Date,
    "main_driver": pl.String,  # what costs most points, in words
    "next_step": pl.String,
    "health_change": pl.Float64,  # health less that of the month before, both by one scorecard
    "tier_before": pl.String,  # of the month before, by the same scorecard
    "signal_cap": pl.Float64,  # what health is at most while one critical signal is open; 100: no cap of the scorecard
    "signal_tier": pl.String,  # the tier that it has then
    "green_tiers": pl.String,  # the scorecard's tiers that are green, each between semicolons
    # of a parent with other accounts below it
    "group_health": pl.Float64,  # of all of them and itself, weighted by ARR
    "group_lowest": pl.String,  # the lowest below it, in words
    "group_arr": pl.Float64,
    "group_arr_rated": pl.Float64,  # percent of that whose accounts have a score
    "disagreement": pl.String,  # where the score and people disagree, in words; null: nowhere
}

# a score as every destination gets it; beside these `<dimension>_score` for each dimension (Float64, 0 to 100, null:
# not known). Scores and coverage are unrounded.
SCORES: Columns = {
    "account_id": pl.String,
    "period": pl.String,  # YYYY-MM
    "health_score": pl.Float64,  # 0 to 100; null: Not Rated
    "churn_risk_score": pl.Float64,  # 0 to 100, an index
    "churn_probability": pl.Float64,  # percent; null as long as no calibration counts
    "churn_probability_lower": pl.Float64,
    "churn_probability_upper": pl.Float64,
    "tier": pl.String,
    "coverage": pl.Float64,  # percent of the weight that rests on data
    "lower_bound": pl.Float64,
    "upper_bound": pl.Float64,
    "cap_reason": pl.String,
    "drivers": pl.String,  # in words
    **DETAILS,
    "scored_at": TIME,
    "scorecard": pl.String,  # name and hash
    "run_id": pl.String,
}


@dataclass(frozen=True)
class ScoreRecords:
    """The scores of one run: `table` has SCORES and `<dimension>_score` for each of `dimensions`, a row an account.

    `former`: accounts that were scored before and are no customers any more, or were merged into another account.
    """

    table: pl.DataFrame
    dimensions: tuple[str, ...]
    former: frozenset[str] = frozenset()

    @classmethod
    def none(cls, dimensions: tuple[str, ...]) -> "ScoreRecords":
        """No record, with the columns that these dimensions have."""
        columns = {**SCORES, **dict.fromkeys((f"{name}_score" for name in dimensions), pl.Float64)}
        return cls(pl.DataFrame(schema=columns), dimensions)


@dataclass(frozen=True)
class Problem:
    """An account that should have been scored or written and was not: which, where, why."""

    account_id: str
    stage: Literal["accounts", "metrics", "score", "load"]
    text: str
