"""The churn world's support and bugs: the worse a month goes, the more there are of both, and the slower they end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from accountpulse.sandbox.world.churn import History, Past, quality, shifted
from accountpulse.sandbox.world.intercom import WorkspaceBuilder, decide_course
from accountpulse.sandbox.world.jira import (
    SiteBuilder,
    add_issue_with_history,
    site_of,
)
from accountpulse.sandbox.world.model import Company, Intercom, Jira, SupportContact
from accountpulse.sandbox.world.plans import Calendar, moment, poisson

Begun = tuple[datetime, int, float, int]  # when it began, the account's number, how well the month goes, its own seed


def build_churn_support(history: History, until: datetime) -> Intercom:
    """The workspace as it stood at a moment."""
    workspace = WorkspaceBuilder(history.seed, Calendar(history.start, until))
    linked: list[tuple[Past, Company, SupportContact]] = []
    for past in history.pasts:
        customer = past.plan.customer
        company = workspace.add_company(str(customer.intercom_company), customer.account_id, customer.name)
        company.custom_attributes["salesforce_account_id"] = customer.account_id
        linked.append((past, company, workspace.add_contact(company)))
    for created, number, well, seed in _begun(history, "support", until, few=0.8, many=4.0):
        past, company, contact = linked[number]
        conversation = workspace.add_conversation(created, [contact], company)
        decide_course(workspace, replace(past.plan, quality=well, rng=Random(seed)), conversation)
    return Intercom("intercom-token-of-the-sandbox", workspace.companies, workspace.contacts, workspace.conversations)


def build_churn_bugs(history: History, until: datetime) -> Jira:
    """The site as it stood at a moment."""
    site = SiteBuilder(Calendar(history.start, until))
    accounts = {past.plan.customer.name: past.plan.customer.account_id for past in history.pasts}
    names = list(accounts)
    for created, number, well, seed in _begun(history, "bugs", until, few=0.1, many=1.6):
        add_issue_with_history(site, Random(seed), names[number], created, bad=1 - well)
    return site_of(site.issues, accounts, {"CORE": names, "WEB": ["Website"]})


def _begun(history: History, what: str, until: datetime, *, few: float, many: float) -> list[Begun]:
    """What began before a moment, in order: each with a seed of its own, so that its end doesn't hang on the moment.

    `few` to `many`: how many a month where all goes well, and where nothing does.
    """
    found = [each for past in history.pasts for each in _of_account(history, past, what, few, many)]
    return sorted(each for each in found if each[0] < until)


def _of_account(history: History, past: Past, what: str, few: float, many: float) -> Iterator[Begun]:
    rng = Random(f"churn {what} {history.seed} {past.plan.number}")
    for month in past.months:
        well = quality(month.health)
        begin = datetime(month.first.year, month.first.month, 1, tzinfo=UTC)
        end = begin + timedelta(days=(shifted(month.first, 1) - month.first).days)
        for _ in range(poisson(rng, few + (many - few) * (1 - well))):
            created, seed = moment(rng, begin, end), rng.getrandbits(64)
            if past.is_customer(created.date()):
                yield created, past.plan.number, well, seed
