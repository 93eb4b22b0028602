"""What the vendor could truthfully have said, so that nobody can tell it from the truth.

There the metrics must equal what `oracle` computes from the same answers. Everything else has no list of exceptions.
"""

from dataclasses import dataclass

NULL = ("a value is null", "an object or list is null", "a field is missing")
OTHER = ("a text is empty", "a text is unknown", "a text is a number", "a text has other case and blanks")
DATES = ("a date has another offset", "a time is a day", "a date is far ahead", "a date is of 1970")
NUMBERS = ("a number is negative", "a number is huge")
TIMES = ("a number is negative", "a number is huge", *DATES)
TURNED = "a yes/no is turned"
ROWS = ("a row is missing", "no rows")
USAGE = (*NULL, *OTHER, *DATES, *NUMBERS, *ROWS, "the body is a list")  # an empty one, and lists are what Looker gives


@dataclass(frozen=True)
class Truthful:
    """Mutations of an endpoint's answers of which some make another answer that the vendor could give. `why`: how."""

    endpoint: str  # how its name ends
    mutations: tuple[str, ...]
    why: str


TABLE: tuple[Truthful, ...] = (
    # Intercom
    Truthful("/conversations/search", NULL, "nobody rated, nobody was asked, nobody answered, no company"),
    Truthful("/conversations/search", OTHER, "a company, contact or tag that is another one"),
    Truthful("/conversations/search", ("an inner list is cut",), "a list that search doesn't count is shorter"),
    Truthful("/conversations/search", TIMES, "another time that contradicts nothing"),
    Truthful("/conversations/*", (*NULL, *OTHER, *ROWS, "an inner list is cut"), "fewer or other contacts and tickets"),
    Truthful(
        "/contacts/search", (*NULL, *OTHER, *ROWS, "an inner list is cut"), "a contact of fewer or other companies"
    ),
    Truthful("/contacts/*/companies", (*NULL, *OTHER), "a contact of other companies"),
    Truthful("/companies/list", OTHER, "a company that has another id"),
    # Jira
    Truthful(" page", NULL, "no priority, no resolution"),
    Truthful(" page", OTHER, "another status, priority or component"),
    Truthful(" page", DATES, "an issue that was created, resolved or moved at another time"),
    Truthful("/changelog/bulkfetch", (*OTHER, *TIMES), "a move at another time, or from another status"),
    # Looker: its answers count nothing
    Truthful(" account_id,session_date,distinct_users", USAGE, "another account, day or number; nobody came"),
    Truthful("distinct_users,session_count", USAGE, "another account, month or number; nobody came"),
    Truthful(" account_id,feature_name", USAGE, "another account or feature; nobody used it"),
    Truthful("_index", USAGE, "another account or figure, or none"),
    Truthful("/looks/*/run/json", USAGE, "another account, month or figure, or none"),
    # Salesforce: a query's rows are counted, so that only their values may be others
    Truthful("query Account", (*NULL, *OTHER, *DATES, *NUMBERS), "another ARR, tier, renewal date or link, or none"),
    Truthful("query Opportunity", (*NULL, *OTHER, *DATES, *NUMBERS), "another date, account or probability"),
    Truthful("query Contract", (*NULL, *OTHER, *DATES), "another date or account"),
    Truthful("query Case", (*NULL, *OTHER, *DATES), "begun or ended at another time, or not ended"),
    Truthful("queryAll Event", (*NULL, *OTHER, *DATES, TURNED), "held on another day, or not attended"),
    Truthful("queryAll Task", (*NULL, *OTHER, *DATES, TURNED), "held on another day, or not attended"),
    Truthful("query OpportunityContactRole", (*NULL, *OTHER, *DATES, TURNED), "somebody who has left, or moved"),
    Truthful("query Churn_Signal__c", (*NULL, *OTHER, *DATES), "another severity, status, beginning or end"),
)


def is_truthful(mutation: str, endpoint: str) -> bool:
    """Whether such a change may be the vendor's word."""
    return any(endpoint.endswith(each.endpoint) and mutation in each.mutations for each in TABLE)
