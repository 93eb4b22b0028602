"""What the org says of its customers that may be known elsewhere: for suggested links."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from accountpulse.core.ids import to_18
from accountpulse.systems.extraction import CustomerList
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.kinds import own_texts
from accountpulse.systems.salesforce.limits import refuse_below
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, at
from accountpulse.systems.salesforce.settings import SalesforceRequest

NUMBER, SITE = "AccountNumber", "Website"
_KEY_TYPES = frozenset({"string", "double", "int", "long"})


def list_customers(request: SalesforceRequest) -> CustomerList:
    """Every account with its name, website, the domains of its contacts' addresses, and its identifiers.

    Identifiers are the fields that the links read, AccountNumber, and fields that the org marks as external id or
    unique. Addresses of contacts are read only of accounts without a website, and let go of behind the @. MissingInOrg
    never: what is absent or hidden is left out, and a note names it.
    """
    org = Org.connect(request.access, request.budget, request.connection.ca_bundle)
    fields = org.describe("Account") or {}
    refuse_below(org.allowance, request.mapping.daily_calls_reserve)
    reading = OrgReading(org, request.scope, own_texts=own_texts(request.mapping))
    links = request.connection.link_fields.values()
    keys = [
        name
        for name, field in fields.items()
        if field.type in _KEY_TYPES and (name in links or name == NUMBER or field.external_id or field.unique)
    ]
    has_site = SITE in fields
    found = list(
        reading.rows("Account", ["Id", "Name", *keys, *([SITE] if has_site else [])], request.mapping.accounts.where)
    )
    mail = _mail_domains(reading, only_without_site=has_site)
    rows = [
        (
            to_18(row["Id"]),
            row.get("Name"),
            [row[SITE]] if has_site and row[SITE] else [],
            sorted(mail.get(to_18(row["Id"]), ())),
            list(_texts(row, keys)),
        )
        for row in found
    ]
    notes = (
        tuple(reading.notes) if has_site else (*reading.notes, "accounts have no field Website that our user may read")
    )
    return CustomerList.of(rows, notes)


def _texts(row: Row, names: list[str]) -> Iterator[str]:
    """Identifiers as their systems write them: a number field of the org gives 4711.0 for 4711."""
    for value in (row.get(name) for name in names):
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value or "").strip()
        if text:
            yield text


def _mail_domains(reading: OrgReading, *, only_without_site: bool) -> Mapping[str, set[str]]:
    """By account, where its contacts write from; nothing where contacts can't be read."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    reading.setting = "contacts"
    try:
        reading.need("Contact", "AccountId", "Email")
        missing = f"Account.{SITE} = null" if only_without_site else None
        for row in reading.rows("Contact", ["AccountId", "Email"], "Email != null", missing):
            if row["AccountId"] and (domain := str(at(row, "Email") or "").rpartition("@")[2].lower()):
                found[to_18(row["AccountId"])].add(domain)
    except MissingInOrg:
        reading.note("the addresses of contacts can't be read: accounts go by name and website alone")
    return found
