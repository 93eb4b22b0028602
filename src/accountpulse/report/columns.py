"""The columns of the report, each declared once: the CSV, the page's texts and its tables are made of these."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["text", "score", "index", "money", "day"]


@dataclass(frozen=True)
class Column:
    """One value of each account."""

    key: str  # in the document's accounts
    name: str  # in the CSV
    heading: str = ""  # of its column in the page's lists
    format: Format = "text"  # on the page; the CSV has every digit
    missing: str = ""  # the page's text where it is not known; of a text only
    only_with: str = ""  # in the CSV only where this column holds anything
    is_listed: bool = False  # in the page's lists without a heading: below another value, or in a link


# in the order of the CSV, which has one more for each dimension
COLUMNS = (
    Column("id", "account_id", is_listed=True),
    Column("name", "account_name", "Account"),
    Column("segment", "segment", is_listed=True),
    Column("owner", "owner", "Owner", missing="–"),
    Column("owner_id", "owner_id"),
    Column("arr", "arr", "ARR", "money"),
    Column("seats", "seats", format="index"),
    Column("tier", "tier", "Tier"),
    Column("tier_before", "tier_before"),
    Column("health", "health_score", "Health", "score"),
    Column("health_before", "health_score_before", format="score"),
    Column("before_caps", "health_before_caps", format="score"),
    Column("lower", "lower_bound", format="score"),
    Column("upper", "upper_bound", format="score"),
    Column("coverage", "coverage", format="index"),
    Column("risk", "churn_risk_score", "Risk index", "index"),
    Column("risk_before_floors", "churn_risk_before_floors", format="index"),
    Column("band", "churn_risk_band", is_listed=True),
    Column("probability", "churn_probability", format="score", only_with="probability_lower"),
    Column("probability_lower", "churn_probability_lower", format="score", only_with="probability_lower"),
    Column("probability_upper", "churn_probability_upper", format="score", only_with="probability_lower"),
    Column("value_at_risk", "arr_at_risk", format="money"),
    Column("renewal", "renewal_date", "Renewal", "day"),
    Column("days", "days_to_renewal", format="index"),
    Column("cap", "cap_reason"),
    Column("limit", "limit"),
    Column("drivers", "drivers"),
    Column("not_rated", "not_rated_reason"),
    Column("step", "next_step", is_listed=True),
    Column("parent_id", "parent_id", only_with="parent_id"),
    Column("parent", "parent", only_with="parent_id"),
    Column("group", "group", only_with="parent_id"),
    Column("group_health", "group_health", format="score", only_with="parent_id"),
    Column("group_lowest", "group_lowest", only_with="parent_id"),
    Column("group_arr", "group_arr", format="money", only_with="parent_id"),
    Column("group_arr_rated", "group_arr_rated", format="index", only_with="parent_id"),
    Column("pulse", "pulse", only_with="pulse_state"),
    Column("pulse_state", "pulse_state", only_with="pulse_state"),
    Column("pulse_on", "pulse_on", format="day", only_with="pulse_state"),
    Column("forecast", "forecast", only_with="forecast"),
    Column("disagreement", "disagreement", only_with="disagreement"),
)
BY_KEY = {column.key: column for column in COLUMNS}
LISTED = tuple(column for column in COLUMNS if column.heading or column.is_listed)


@dataclass(frozen=True)
class ListColumn:
    """A column of one of the page's lists: a column of the report, or one that only this list has."""

    cell: str  # which cell of cells.html
    heading: str
    is_number: bool = False
    label: str = ""  # beside the value where a narrow screen has no headings; empty: the heading
    sort: str = ""  # the key that a click on the heading sorts by; empty: none
    choice: str = ""  # this order in words, for a choice; empty: not among the choices
    largest_first: bool = False  # by the first click


def _listed(
    key: str, cell: str = "", *, choice: str = "", sorts: bool = False, largest_first: bool = False
) -> ListColumn:
    column = BY_KEY[key]
    is_number = column.format not in ("text", "day")
    sort = key if sorts or choice else ""
    return ListColumn(cell or key, column.heading, is_number, sort=sort, choice=choice, largest_first=largest_first)


WORKLIST = (
    ListColumn("place", "#", label="Priority", sort="place", choice="priority"),
    _listed("name", choice="account"),
    _listed("tier", sorts=True),
    _listed("health", "health_and_change", choice="health, lowest first"),
    _listed("risk", choice="risk, highest first", largest_first=True),
    _listed("arr", choice="ARR, highest first", largest_first=True),
    _listed("renewal", choice="renewal, soonest first"),
    _listed("owner", sorts=True),
    ListColumn("why_and_step", "Why, and what next", label="Why"),
)
DANGER = (
    _listed("name", "name_and_links"),
    *(_listed(key) for key in ("arr", "renewal", "owner")),
    ListColumn("standing", "Tier"),
    ListColumn("heaviest_and_step", "Why, and what next", label="Why"),
)
CROSSED = (
    _listed("name"),
    ListColumn("lines", "What crossed", label="Crossed"),
    *(_listed(key) for key in ("arr", "renewal", "owner")),
    ListColumn("standing", "Tier"),
    ListColumn("step", "What next", label="Next"),
)
DISAGREED = (
    _listed("name"),
    ListColumn("lines", "Who says what", label="Says"),
    *(_listed(key) for key in ("arr", "renewal", "owner")),
    ListColumn("standing", "Tier"),
)
RENEWALS = tuple(_listed(key) for key in ("renewal", "name", "tier", "health", "arr", "owner"))
MOVERS = (
    _listed("name", "name_alone"),
    ListColumn("change", "Change", is_number=True),
    _listed("health", "health_from_to"),
    _listed("arr"),
    _listed("tier", "tier_from_to"),
    _listed("owner"),
    ListColumn("why", "What moved it", label="Why"),
)
