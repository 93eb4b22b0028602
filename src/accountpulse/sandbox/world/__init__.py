"""The invented company: its systems over many months, the same for the same seed."""

from datetime import datetime

from accountpulse.sandbox.world.churn import History, churn_history
from accountpulse.sandbox.world.model import CHURN, KINDS, PLAIN, World
from accountpulse.sandbox.world.plans import Blueprint, Calendar, make_plans


def build(
    seed: int = 7,
    accounts: int = 120,
    *,
    until: datetime,
    months: int = 18,
    conversations: int = 0,
    issues: int = 0,
    issue_days: int = 365,
    kind: str = PLAIN,
) -> World:
    """A world up to `until` (aware, its "now"), which begins at the first of the month `months` before.

    `conversations` more than its customers would have are spread over the window; `issues` more are touched in it, and
    came about within so many days before its end. The crooked kind is the plain one of the same seed, with what real
    sites have and nobody expects; the renamed kind is the plain one with an org that calls everything otherwise. The
    churn kind is a company of its own, with 24 months to score, whose size and months are its own (`churn_history`,
    `world_at`).
    """
    if kind not in KINDS:
        raise ValueError(f"there is no world {kind!r}; there are {', '.join(KINDS)}")
    if kind == CHURN:
        if conversations or issues:
            raise ValueError("the churn world has as many conversations and bugs as its customers' health makes")
        return world_at(churn_history(seed, accounts, until), until)
    index = until.year * 12 + until.month - 1 - months
    start = until.replace(year=index // 12, month=index % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    from accountpulse.sandbox import STAND_INS  # here, since the stand-ins import their parts from this package

    calendar = Calendar(start, until.replace(microsecond=0))
    blueprint = Blueprint(seed, make_plans(seed, accounts, calendar), calendar, conversations, issues, issue_days)
    parts = {stand_in.name: stand_in.build(blueprint) for stand_in in STAND_INS}
    for stand_in in STAND_INS:  # after all of them, so that nothing is drawn anew
        if (bent := stand_in.bent(kind)) is not None:
            bent.bend(parts[stand_in.name], blueprint)
    customers = [plan.customer for plan in blueprint.plans]
    return World(seed=seed, start=start, until=until, customers=customers, parts=parts, kind=kind)


def world_at(history: History, moment: datetime) -> World:
    """The churn world as it stood at a moment (aware): months can be measured one after the other, as they were then.

    ValueError for a moment beyond the history's end.
    """
    from accountpulse.sandbox import STAND_INS

    moment = moment.replace(microsecond=0)
    if moment > history.until:
        raise ValueError(f"the history ends on {history.until:%d %B %Y}; nothing is known of {moment:%d %B %Y}")
    parts = {each.name: each.churn(history, moment) for each in STAND_INS if each.churn is not None}
    known = {row["Id"] for row in parts["salesforce"].objects["Account"].rows}
    customers = [past.plan.customer for past in history.pasts if past.plan.customer.account_id in known]
    return World(seed=history.seed, start=history.start, until=moment, customers=customers, parts=parts, kind=CHURN)
