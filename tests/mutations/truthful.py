"""What the vendor could truthfully have said, so that nobody can tell it from the truth.

There the metrics must equal what `oracle` computes from the same answers. Everything else has no list of exceptions.
"""

from dataclasses import dataclass

NULL = ("a value is null", "an object or list is null", "a field is missing")
OTHER = ("a text is empty", "a text is unknown", "a text is a number", "a text has other case and blanks")
DATES = ("a date has another offset", "a time is a day", "a date is far ahead", "a date is of 1970")
NUMBERS = ("a number is negative", "a number is huge")
TIMES = ("a number is negative", "a number is huge", *DATES)
GONE = ("404", "403", "400", "405", "410")
TURNED = "a yes/no is turned"
ROWS = ("a row is missing", "no rows")
USAGE = (*NULL, *OTHER, *DATES, *NUMBERS, *ROWS, "the body is a list")  # an empty one, and lists are what Looker gives


@dataclass(frozen=True)
class Truthful:
    """Mutations of an endpoint's answers of which some make another answer that the vendor could give.

    `endpoint`: how its name in the tests ends. `of`: which answer that is, for the reader. `why`: what may be true.
    """

    endpoint: str
    of: str
    mutations: tuple[str, ...]
    why: str


TABLE: tuple[Truthful, ...] = (
    # Intercom
    Truthful(
        "/conversations/search",
        "Intercom: search of conversations",
        NULL,
        "nobody rated, nobody was asked, nobody answered, no company",
    ),
    Truthful(
        "/conversations/search",
        "Intercom: search of conversations",
        OTHER,
        "a company, contact or tag that is another one",
    ),
    Truthful(
        "/conversations/search",
        "Intercom: search of conversations",
        ("an inner list is cut",),
        "a list that search doesn't count is shorter",
    ),
    Truthful(
        "/conversations/search", "Intercom: search of conversations", TIMES, "another time that contradicts nothing"
    ),
    Truthful(
        "/conversations/*",
        "Intercom: a conversation",
        (*NULL, *OTHER, *ROWS, "an inner list is cut"),
        "fewer or other contacts and tickets",
    ),
    Truthful(
        "/contacts/search",
        "Intercom: search of contacts",
        (*NULL, *OTHER, *ROWS, "an inner list is cut"),
        "a contact of fewer or other companies",
    ),
    Truthful(
        "/contacts/*/companies", "Intercom: a contact's companies", (*NULL, *OTHER), "a contact of other companies"
    ),
    Truthful(
        "/contacts/*/companies", "Intercom: a contact's companies", GONE, "the contact is gone: what it listed counts"
    ),
    Truthful("/companies/list", "Intercom: companies", OTHER, "a company that has another id"),
    # Jira
    Truthful(" page", "Jira: issues of a search", NULL, "no priority, no resolution"),
    Truthful(" page", "Jira: issues of a search", OTHER, "another status, priority or component"),
    Truthful(
        " page", "Jira: issues of a search", DATES, "an issue that was created, resolved or moved at another time"
    ),
    Truthful(
        "/changelog/bulkfetch", "Jira: histories", (*OTHER, *TIMES), "a move at another time, or from another status"
    ),
    # Looker: its answers count nothing
    Truthful(
        " account_id,session_date,distinct_users",
        "Looker: usage by day",
        USAGE,
        "another account, day or number; nobody came",
    ),
    Truthful(
        "distinct_users,session_count", "Looker: usage by month", USAGE, "another account, month or number; nobody came"
    ),
    Truthful(" account_id,feature_name", "Looker: features", USAGE, "another account or feature; nobody used it"),
    Truthful("_index", "Looker: a measure", USAGE, "another account or figure, or none"),
    Truthful("/looks/*/run/json", "Looker: a Look", USAGE, "another account, month or figure, or none"),
    # Salesforce: a query's rows are counted, so that only their values may be others
    Truthful(
        "query Account",
        "Salesforce: Account",
        (*NULL, *OTHER, *DATES, *NUMBERS),
        "another ARR, tier, renewal date or link, or none",
    ),
    Truthful(
        "query Opportunity",
        "Salesforce: Opportunity",
        (*NULL, *OTHER, *DATES, *NUMBERS),
        "another date, account or probability",
    ),
    Truthful("query Contract", "Salesforce: Contract", (*NULL, *OTHER, *DATES), "another date or account"),
    Truthful("query Case", "Salesforce: Case", (*NULL, *OTHER, *DATES), "begun or ended at another time, or not ended"),
    Truthful(
        "queryAll Event", "Salesforce: Event", (*NULL, *OTHER, *DATES, TURNED), "held on another day, or not attended"
    ),
    Truthful(
        "queryAll Task", "Salesforce: Task", (*NULL, *OTHER, *DATES, TURNED), "held on another day, or not attended"
    ),
    Truthful(
        "query OpportunityContactRole",
        "Salesforce: OpportunityContactRole",
        (*NULL, *OTHER, *DATES, TURNED),
        "somebody who has left, or moved",
    ),
    Truthful(
        "query Churn_Signal__c",
        "Salesforce: Churn_Signal__c",
        (*NULL, *OTHER, *DATES),
        "another severity, status, beginning or end",
    ),
)


def is_truthful(mutation: str, endpoint: str) -> bool:
    """Whether such a change may be the vendor's word."""
    return any(endpoint.endswith(each.endpoint) and mutation in each.mutations for each in TABLE)
