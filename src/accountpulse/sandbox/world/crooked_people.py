"""What the crooked world does to an account's business reviews, champions and churn signals."""

from typing import Any

from accountpulse.sandbox.world.crooked_account import Bend, Bending, Kinds
from accountpulse.sandbox.world.relationship import REVIEWS_A_YEAR

RETIRED_SEVERITY = "Severe"  # that the picklist no longer has

# --- reviews ---------------------------------------------------------------------------------------------------


def _expects_reviews(at: Bending) -> bool:
    """Whether reviews are owed; those that it has go, so that one more or less is seen."""
    if not REVIEWS_A_YEAR.get(at.account["Tier__c"] or ""):
        return False
    for name in ("Event", "Task"):
        at.drop(name, lambda _row: True)
    return True


def _archived_review(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(380), Subject="QBR", ActivityDate=at.day(356))
    return True


def _series(at: Bending) -> bool:
    """A series as Salesforce Classic keeps it: a record for the series itself, and one for each time."""
    if not _expects_reviews(at):
        return False
    series = at.add("Event", at.at(40), Subject="QBR", ActivityDate=at.day(31), IsRecurrence=True)
    at.add("Event", at.at(40), Subject="QBR", ActivityDate=at.day(30), RecurrenceActivityId=series["Id"])
    return True


def _task_without_a_day(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Task", at.at(100), Subject="QBR by mail", Status="Completed", IsClosed=True)
    return True


def _open_task_without_a_day(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Task", at.at(100), Subject="QBR by mail", Status="Not Started")
    return True


def _deleted_review(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(60), Subject="QBR", ActivityDate=at.day(50), IsDeleted=True)
    return True


def _no_subject(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(60), Subject=None, ActivityDate=at.day(50))
    at.add("Event", at.at(60), Subject="QBR", ActivityDate=at.day(20))
    return True


REVIEWS: Kinds = [
    ("", None),
    ("archived review", _archived_review),
    ("series of reviews", _series),
    ("finished review task without a day", _task_without_a_day),
    ("open review task without a day", _open_task_without_a_day),
    ("deleted review", _deleted_review),
    ("event without a subject", _no_subject),
]


# --- champions -------------------------------------------------------------------------------------------------


def say_who_left(at: Bending) -> None:
    """The same in a picklist, in words and by the checkbox; a mark on who is in a champion's role on a won deal."""
    deals = {row["Id"]: row for row in at.rows("Opportunity")}
    roles = [row for row in at.org.objects["OpportunityContactRole"].rows if row["OpportunityId"] in deals]
    people = {row["ContactId"] for row in roles if row["Role"] != "Influencer" and deals[row["OpportunityId"]]["IsWon"]}
    for number, row in enumerate(at.rows("Contact")):
        if row["No_Longer_At_Company__c"]:
            row["Left__c"], row["Situation__c"] = ("Yes", "LEFT") if number % 2 else ("Retired", "has retired")
        else:
            row["Left__c"], row["Situation__c"] = (
                ("No", "still here") if (at.plan.number + number) % 2 else (None, None)
            )
        row["Champion__c"] = row["Id"] in people


def _people(at: Bending, *, champions: bool) -> list[str]:
    """Contacts of the account that are in a champion's role on a won deal; or only in other roles."""
    deals = {row["Id"]: row for row in at.rows("Opportunity") if row["IsWon"]}
    found: dict[str, bool] = {}
    for row in at.org.objects["OpportunityContactRole"].rows:
        if row["OpportunityId"] in deals:
            found[row["ContactId"]] = found.get(row["ContactId"], False) or row["Role"] != "Influencer"
    return [person for person, champion in found.items() if champion == champions]


def _unshared_champion(at: Bending) -> bool:
    people = _people(at, champions=True)
    at.org.objects["Contact"].unshared |= set(people[:1])
    return bool(people)


def _champion_of_nobody(at: Bending) -> bool:
    people = _people(at, champions=True)
    for row in at.org.objects["Contact"].rows:
        if row["Id"] in people[:1]:
            row |= {"AccountId": None, "EmailBouncedDate": None, "Champion__c": False}
            row |= {"No_Longer_At_Company__c": False, "Left__c": "No", "Situation__c": "still here"}
    return bool(people)


def _unshared_influencer(at: Bending) -> bool:
    people = _people(at, champions=False)
    at.org.objects["Contact"].unshared |= set(people[:1])
    return bool(people)


def _all_there(at: Bending) -> bool:
    people = _people(at, champions=True)
    for row in at.org.objects["Contact"].rows:
        if row["Id"] in people:
            row |= {"AccountId": at.account_id, "Champion__c": True, "EmailBouncedDate": None}
            row |= {"No_Longer_At_Company__c": False, "Left__c": "No", "Situation__c": "not left"}
    return bool(people)


CHAMPIONS: Kinds = [
    ("", None),
    ("champion without sharing", _unshared_champion),
    ("said in words that all are there", _all_there),
    ("influencer without sharing", _unshared_influencer),
    ("champion whose contact names no account", _champion_of_nobody),
]

# --- signals ---------------------------------------------------------------------------------------------------


def _signal(opened: float | None = 46, closed: float | None = None, **values: Any) -> Bend:
    """One signal alone, by days before as_of."""

    def bend(at: Bending) -> None:
        at.drop("Churn_Signal__c", lambda _row: True, "Account__c")
        usual = {"Severity__c": "Critical", "Status__c": "Active", "Confidence__c": "Confirmed"}
        days = {"Signal_Date__c": opened, "Closed_Date__c": closed}
        dates = {name: None if each is None else at.at(each) for name, each in days.items()}
        at.add("Churn_Signal__c", at.at(46 if opened is None else opened), **usual | dates | values)

    return bend


SIGNALS: Kinds = [
    ("", None),
    ("signal without a date", _signal(None)),
    ("signal without a severity", _signal(Severity__c=None)),
    ("severity that is used no more", _signal(Severity__c=RETIRED_SEVERITY)),
    ("resolved without a date", _signal(Status__c="Resolved")),
    ("severity that is used no more, of a signal closed before", _signal(Severity__c=RETIRED_SEVERITY, closed=10)),
    ("signal without a severity, of after as_of", _signal(Severity__c=None, opened=-2)),
    ("monitored without a date", _signal(None, Status__c="Monitoring")),
]
