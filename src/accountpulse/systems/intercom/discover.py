"""What a workspace has, for the `intercom:` block of a starter accountpulse.yaml: who is who, and what is urgent there.

Read are the companies' ids and attributes, the lists of attributes, tags and teams, and of recent conversations their
marks alone: no text, no person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from accountpulse.http import client
from accountpulse.http.client import Client, together
from accountpulse.systems.discovery import AccountSample, Discovery, Keys, MappingChoice
from accountpulse.systems.intercom.companies import COMPANY_PAGE, LIST_PAGES
from accountpulse.systems.intercom.extract import connect
from accountpulse.systems.intercom.rows import is_leads
from accountpulse.systems.intercom.settings import IntercomLook, IntercomMapping, comparable_key
from accountpulse.systems.intercom.signs import at_least, lists_attributes
from accountpulse.systems.intercom.signs_in_use import sample_signs, sign_choices
from accountpulse.systems.intercom.workspace import KINDS
from accountpulse.systems.key_match import ID, KeyMatch, alternatives, matches, ranked, same_count, untried
from accountpulse.systems.looking import Unseen
from accountpulse.systems.mapping_parts import kinds_of
from accountpulse.systems.samples import counted, domain_of, inside, is_fit, questions, rows, shown, spread, text, whole

PAGES = 50  # of the list of companies that are read, evenly over it: 3,000 companies
OWN_ID, COMPANY_ID = "id", "company_id"  # carriers of a key beside the attributes, as `holds` calls them
NO_LINK = (
    "Which company is which account's: no field of the account holds what Intercom's companies are known by. Run "
    "`accountpulse accounts --suggest`, or give the links in a file (links.file)"
)
UNTRIED = "It is called after Intercom, and could not be tried: no company was read"
_ANY = msgspec.json.Decoder()
_LINKING = kinds_of(IntercomMapping.__annotations__["attribute"])


def discover(request: IntercomLook) -> Discovery:
    """What the workspace has, and the block that reads it.

    Some 20 requests, and one for each 60 companies up to 3,000. What our token may not read is told, and the rest goes
    on; AccessError where the token is refused, SourceUnavailable where nobody answers.
    """
    return client.run(_discover(request))


async def _discover(request: IntercomLook) -> Discovery:
    unseen, version = Unseen(), request.access.version
    async with connect(request) as web:
        await web.get("/me", _ANY)  # every token may ask that: from here on a refusal is about what is asked for
        companies, total = await _companies(web, unseen)
        own = rows(await unseen.have("Companies' attributes", _attributes(web, "company", version)), "data")
        signs = await sample_signs(web, unseen, request.now)
        signs.attributes = rows(await unseen.have("Conversations' attributes", _talks(web, version)), "data")
        signs.tags = rows(await unseen.have("Tags", web.get("/tags", _ANY)), "data", "tags")
        signs.teams = rows(await unseen.have("Teams", web.get("/teams", _ANY)), "teams", "data")
    tried = list(_tried(companies, own, request.accounts))
    found = [_company_line(companies, total, own), *signs.lines()]
    unknown = [*unseen.lines, *_domains(companies, request.accounts)]
    known = untried(request.accounts, "intercom") if total == 0 else None
    choices = [*_link(tried, known, unknown), *sign_choices(signs, version, unknown)]
    return Discovery(tuple(found), tuple(choices), questions(unknown))


# --- asking -------------------------------------------------------------------------------------------------------


async def _companies(web: Client, unseen: Unseen) -> tuple[list[dict[str, Any]], int]:
    """Companies that aren't leads', and how many there are; those without users are in no list."""
    first = await unseen.have("Companies", _page(web, 1))
    pages = min(whole(inside(first, "pages", "total_pages")) or 1, LIST_PAGES)
    numbers = spread(range(2, pages + 1), PAGES - 1)
    rest = await unseen.have("More companies", _pages(web, numbers)) if numbers else None
    listed = [each for page in [first, *(rest or ())] for each in rows(page, "data")]
    ours = [each for each in listed if not is_leads(text(each.get("company_id")))]
    return ours, max(whole(inside(first, "total_count")), len(listed))


async def _pages(web: Client, numbers: Sequence[int]) -> list[Any]:
    return await together(_page(web, number) for number in numbers)


async def _page(web: Client, number: int) -> Any:
    return await web.post(f"/companies/list?page={number}&per_page={COMPANY_PAGE}", _ANY, None)


async def _attributes(web: Client, model: str, version: str) -> Any:
    if model == "conversation" and at_least(version, "2.16"):
        return await web.get("/conversations/attributes", _ANY)
    return await web.get("/data_attributes", _ANY, {"model": model})


async def _talks(web: Client, version: str) -> Any:
    return await _attributes(web, "conversation", version) if lists_attributes(version) else []


# --- whose companies they are -------------------------------------------------------------------------------------


def _tried(
    companies: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]], accounts: AccountSample
) -> Iterator[KeyMatch]:
    """Everything of a company that could hold a key, against every field of the account."""
    for carrier in (OWN_ID, COMPANY_ID):
        yield from matches(carrier, _values(each.get(carrier) for each in companies), accounts, comparable_key)
    kinds = {text(each.get("name")): each for each in own}
    names = dict.fromkeys(name for each in companies for name in _custom(each))
    for name in names:
        if is_fit(name) and _can_link(kinds.get(name), kinds):
            values = _values(_custom(each).get(name) for each in companies)
            yield from matches(name, values, accounts, comparable_key)


def _custom(company: Mapping[str, Any]) -> Mapping[str, Any]:
    found = company.get("custom_attributes")
    return found if isinstance(found, dict) else {}


def _can_link(attribute: Mapping[str, Any] | None, known: Mapping[Any, Any]) -> bool:
    """Whether the mapping may name it: an own attribute of text or numbers, in use. Without a list, any."""
    if attribute is None:
        return not known
    if attribute.get("custom") is False or attribute.get("archived") is True:
        return False
    return KINDS.get(str(attribute.get("data_type")), "any") in _LINKING


def _values(cells: Iterator[Any]) -> Counter[str]:
    return Counter(comparable_key(value) for cell in cells if (value := text(cell)) is not None)


def _link(tried: Sequence[KeyMatch], known: str | None, unknown: list[str]) -> Iterator[MappingChoice]:
    """The keys that say which company is an account's. `known`: a field that is taken where nothing could be tried."""
    found = ranked(tried, (OWN_ID, COMPANY_ID), ("intercom",))
    if not found:
        unknown.append(NO_LINK)
        why = "No field was found that links; this one links nobody" if known is None else UNTRIED
        keys = Keys({"account_field": known or ID, "holds": OWN_ID})
        yield MappingChoice(
            ("intercom", "account_field"), keys, f"{why}. A file of links holds Intercom's own ids then"
        )
        return
    best, *others = found
    why = _counts(best)
    if same := same_count(best, others):
        why += f"; {len(same):,} other {'way links' if len(same) == 1 else 'ways link'} as many"
    named = tuple((_keys(each), _counts(each)) for each in alternatives(best, others))
    why += f". The account's field holds {_holds(best.carrier)}"
    yield MappingChoice(("intercom", "account_field"), _keys(best), why, named, asked=True)


def _counts(match: KeyMatch) -> str:
    several = f", {match.shared:,} that several companies carry" if match.shared else ""
    return (
        f"{match.linked:,} of the {match.values:,} values of {match.field} are {_noun(match.carrier)} of one company "
        f"each{several} ({match.records:,} companies have one)"
    )


def _noun(carrier: str) -> str:
    return {OWN_ID: "the Intercom id", COMPANY_ID: "the company_id"}.get(carrier) or f"the attribute {shown(carrier)}"


def _keys(match: KeyMatch) -> Keys:
    carried = "holds" if match.carrier in (OWN_ID, COMPANY_ID) else "attribute"
    return Keys({"account_field": match.field, carried: match.carrier})


def _holds(carrier: str) -> str:
    if carrier == COMPANY_ID:
        return "the id that your own system gave the company"
    return "Intercom's own id of the company" if carrier == OWN_ID else "what a custom attribute of the company carries"


# --- what was seen ------------------------------------------------------------------------------------------------


def _company_line(companies: Sequence[Any], total: int, own: Sequence[Mapping[str, Any]]) -> str:
    custom = sum(each.get("custom") is not False and each.get("archived") is not True for each in own)
    return f"{len(companies):,} of {total:,} companies, with {counted(custom, 'attribute')} of your own"


def _domains(companies: Sequence[Mapping[str, Any]], accounts: AccountSample) -> Iterator[str]:
    """Websites can't be a key of the mapping; suggested links go by them."""
    sites = {domain_of(each.get("website")) for each in companies}
    if same := sites & accounts.domains:
        yield (
            f"{len(same):,} companies have the website of an account. A website is no key here: "
            "`accountpulse accounts --suggest` proposes links by it"
        )
