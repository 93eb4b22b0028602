"""The truth about the crooked world's Looker: the plain truth, and why some of it can't be known."""

from dataclasses import replace

from accountpulse.sandbox.truth.instants import Instants, Truth
from accountpulse.sandbox.truth.usage import activity_of, usage_truth
from accountpulse.sandbox.world.crooked_warehouse import PILLAR, SESSIONS, USERS
from accountpulse.sandbox.world.model import Customer, Looker, UsageOf

NOW, BEFORE = ("dau", "mau", "login_frequency"), ("dau_trend_pct", "mau_trend_pct")
OF_THE_LOOK = ("pillar_engagement", "engagement")
CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
WORST = ("several_rows", "unclear", "field_missing", "no_evidence")  # where several hold, the first


def crooked_usage_truth(instance: Looker, at: Instants) -> Truth:
    """Usage metrics, pillars and own metrics of a customer."""
    spellings: dict[str, list[str]] = {}
    for account in instance.usage:
        spellings.setdefault(_core(account), []).append(account)
    united = {core: _united([instance.usage[name] for name in names]) for core, names in spellings.items()}
    plain = usage_truth(replace(instance, usage=united), at)

    def measure(customer: Customer) -> dict[str, float | str]:
        values = plain(customer)
        names = spellings.get(customer.account_id[:15], [])
        for reason in reversed(WORST):
            values |= dict.fromkeys(_unknown(instance, names, at).get(reason, ()), reason)
        return values

    return measure


def _core(account: str) -> str:
    """The 15 characters that an id is known by. In 18 characters, the last three say which of the 15 are capitals."""
    account = account.strip()
    if len(account) != 18:
        return account
    capitals = "".join(f"{CHECKS.index(each.upper()):05b}"[::-1] for each in account[15:])
    return "".join(
        letter.upper() if capital == "1" else letter.lower() for letter, capital in zip(account, capitals, strict=False)
    )


def _united(parts: list[UsageOf]) -> UsageOf:
    """What is the same whichever way an account is spelled: a feature was used, or it wasn't."""
    features: dict[str, int] = {}
    for part in parts:
        for name, days in part.features.items():
            features[name] = features.get(name, 0) | days
    return replace(parts[0], features=features)


def _unknown(instance: Looker, names: list[str], at: Instants) -> dict[str, set[str]]:
    """Reason → metrics that can't be known for it, of an account that the warehouse has under these names."""
    found: dict[str, set[str]] = {reason: set() for reason in WORST}
    if instance.pivoted:
        found["field_missing"].update(OF_THE_LOOK)  # the Look's months are columns
    if instance.stopped is not None and instance.stopped < at.day:  # rule 5: nothing came, of anybody
        found["unclear"].update(NOW, BEFORE)
    if not names:
        return found
    used = instance.usage[names[0]]
    figures = activity_of(instance, used, at)
    this_month, ever = bool(figures[0][0]), any(monthly for monthly, _daily, _sessions in figures)
    month = f"{at.first:%Y-%m}"
    shown = instance.shown.get(names[0], {})
    counted = {name for metrics, there in ((NOW, this_month), (BEFORE, ever)) if there for name in metrics}
    if len(names) > 1:  # rule 4: distinct users don't add, nor do figures
        pillars = {f"pillar_{name}" for name, months in used.pillars.items() if month in months}
        own = {"engagement"} if "pillar_engagement" in pillars else set()
        found["several_rows"] |= counted | pillars | own
        if instance.pivoted:
            found["several_rows"] -= set(OF_THE_LOOK)
    if USERS in shown:  # rule 3: there is a row, and no number in it
        found["unclear"] |= counted
    if SESSIONS in shown and this_month:
        found["unclear"].add("login_frequency")
    if PILLAR in shown and month in used.pillars["operations"]:
        # a null figure is none; a text is one that can't be read
        found["unclear" if shown[PILLAR] == "words" else "no_evidence"].add("pillar_operations")
    return found
