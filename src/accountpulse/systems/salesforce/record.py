"""What is sent of a score: the fields of the target record."""

import polars as pl

from accountpulse.core.records import ScoreRecords

DECIMALS = 2  # Number(5,2) in the org
CAP_REASON_LENGTH = 255
DRIVERS_LENGTH = 4096
TEXT_LENGTH, TIER_LENGTH = 255, 80  # of main driver and next step; of tiers in fields that are texts
SCORECARD_LENGTH = 80
TASK_KEY = "Accountpulse_Key__c"  # on activities: the Tasks that the digest made
# the fields that every load needs, in the order of the CSV's columns; those of the dimensions stand before Drivers__c
KEY = "External_Key__c"  # what the key is called, where salesforce.target.external_id says nothing else
FIELDS = (
    KEY,
    "Account__c",
    "Period__c",
    "Health_Score__c",
    "Churn_Risk_Score__c",
    "Tier__c",
    "Coverage__c",
    "Drivers__c",
    "Scored_At__c",
    "Scorecard__c",
    "Run_Id__c",
)
CURRENT = "Is_Current__c"  # true on the newest month's record of each account
PROBABILITIES = ("Churn_Probability__c", "Churn_Probability_Lower__c", "Churn_Probability_Upper__c")
OWNER = "Account_Owner__c"
AMOUNTS = ("ARR__c", "Group_ARR__c")
# beside the score, for those who work with it in the org
DETAILS = (
    OWNER,
    "ARR__c",
    "Renewal_Date__c",
    "Main_Driver__c",
    "Next_Step__c",
    "Health_Change__c",
    "Tier_Before__c",
    "Signal_Cap__c",
    "Signal_Tier__c",
    "Green_Tiers__c",
    "Group_Health__c",
    "Group_Lowest__c",
    "Group_ARR__c",
    "Group_ARR_Rated__c",
    "Disagreement__c",
)
# sent where the org has them
OPTIONAL = ("Lower_Bound__c", "Upper_Bound__c", "Cap_Reason__c", CURRENT, *PROBABILITIES, *DETAILS)
USER = "005"  # how the ids of users begin
KEY_LENGTH, PERIOD_LENGTH = 26, 7  # `<account id>-<YYYY-MM>`, `<YYYY-MM>`
LARGEST = 100.0  # of every number but amounts
STAMPS = ("Scored_At__c", "Run_Id__c")  # differ in every run: a record in which nothing else differs is not sent


def dimension_field(dimension: str) -> str:
    """The field of a dimension's score: `platform_value` → `Platform_Value_Score__c`."""
    return "_".join(word.capitalize() for word in dimension.split("_")) + "_Score__c"


def is_written(name: str) -> bool:
    """Whether a field of this name holds a part of the score; a dimension may have any name."""
    taken = {field.casefold() for field in (*FIELDS, *OPTIONAL) if field != KEY}
    return name.casefold() in taken or name.casefold().endswith(dimension_field("").casefold())


def payload(records: ScoreRecords) -> pl.DataFrame:
    """One row a record, sorted by its key: the fields by their names. A null is sent, and clears the field.

    Every record is taken for its account's current one; the load takes that back where the org holds a newer month.
    The key is `<account id>-<YYYY-MM>`, so that a second run of a month meets the same records.
    """
    return records.table.select(
        External_Key__c=pl.col("account_id") + "-" + pl.col("period"),
        Account__c="account_id",
        Period__c="period",
        Health_Score__c=_rounded("health_score"),
        Churn_Risk_Score__c=_rounded("churn_risk_score"),
        Churn_Probability__c=_rounded("churn_probability"),
        Churn_Probability_Lower__c=_rounded("churn_probability_lower"),
        Churn_Probability_Upper__c=_rounded("churn_probability_upper"),
        Tier__c="tier",
        Coverage__c=_rounded("coverage"),
        Lower_Bound__c=_rounded("lower_bound"),
        Upper_Bound__c=_rounded("upper_bound"),
        **{dimension_field(name): _rounded(f"{name}_score") for name in records.dimensions},
        Cap_Reason__c=_cut(pl.col("cap_reason"), CAP_REASON_LENGTH),
        Drivers__c=_cut(pl.col("drivers"), DRIVERS_LENGTH),
        **{name: value for name, value in _details().items() if value.meta.root_names()[0] in records.table.columns},
        Scored_At__c=pl.col("scored_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        Scorecard__c=_cut(pl.col("scorecard"), SCORECARD_LENGTH),
        Run_Id__c="run_id",
        Is_Current__c=pl.lit(value=True),
    ).sort("External_Key__c")


def _details() -> dict[str, pl.Expr]:
    """The owner is a lookup of users: a queue, or a text of the company's own, is none.

    What a run of some accounts can't know of their groups is no column of the records: what is there stays.
    """
    is_user = pl.col("owner_id").str.starts_with(USER)
    return {
        OWNER: pl.when(is_user).then(pl.col("owner_id")),
        "ARR__c": _rounded("arr"),
        "Renewal_Date__c": pl.col("renewal_date").dt.to_string("iso:strict"),
        "Main_Driver__c": _cut(pl.col("main_driver"), TEXT_LENGTH),
        "Next_Step__c": _cut(pl.col("next_step"), TEXT_LENGTH),
        "Health_Change__c": _rounded("health_change"),
        "Tier_Before__c": _cut(pl.col("tier_before"), TIER_LENGTH),
        "Signal_Cap__c": _rounded("signal_cap"),
        "Signal_Tier__c": _cut(pl.col("signal_tier"), TIER_LENGTH),
        "Green_Tiers__c": pl.col("green_tiers"),
        "Group_Health__c": _rounded("group_health"),
        "Group_Lowest__c": _cut(pl.col("group_lowest"), TEXT_LENGTH),
        "Group_ARR__c": _rounded("group_arr"),
        "Group_ARR_Rated__c": _floored("group_arr_rated"),  # 100 says that all of it is rated
        "Disagreement__c": _cut(pl.col("disagreement"), TEXT_LENGTH),
    }


def _rounded(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64).round(DECIMALS)


def _floored(column: str) -> pl.Expr:
    scaled = pl.col(column).cast(pl.Float64) * 10.0**DECIMALS + 1e-6
    return scaled.floor() / 10.0**DECIMALS


def _cut(text: pl.Expr, length: int) -> pl.Expr:
    return pl.when(text.str.len_chars() > length).then(text.str.head(length - 1) + "…").otherwise(text)
