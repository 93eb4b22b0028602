"""What is sent of a score: the fields of the target record."""

import polars as pl

from accountpulse.core.records import ScoreRecords

DECIMALS = 2  # Number(5,2) in the org
CAP_REASON_LENGTH = 255
DRIVERS_LENGTH = 4096
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
# sent where the org has them
OPTIONAL = ("Lower_Bound__c", "Upper_Bound__c", "Cap_Reason__c", CURRENT, *PROBABILITIES)
KEY_LENGTH, PERIOD_LENGTH = 26, 7  # `<account id>-<YYYY-MM>`, `<YYYY-MM>`
LARGEST = 100.0  # of every number
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

    def rounded(column: str) -> pl.Expr:
        return pl.col(column).cast(pl.Float64).round(DECIMALS)

    return records.table.select(
        External_Key__c=pl.col("account_id") + "-" + pl.col("period"),
        Account__c="account_id",
        Period__c="period",
        Health_Score__c=rounded("health_score"),
        Churn_Risk_Score__c=rounded("churn_risk_score"),
        Churn_Probability__c=rounded("churn_probability"),
        Churn_Probability_Lower__c=rounded("churn_probability_lower"),
        Churn_Probability_Upper__c=rounded("churn_probability_upper"),
        Tier__c="tier",
        Coverage__c=rounded("coverage"),
        Lower_Bound__c=rounded("lower_bound"),
        Upper_Bound__c=rounded("upper_bound"),
        **{dimension_field(name): rounded(f"{name}_score") for name in records.dimensions},
        Cap_Reason__c=_cut(pl.col("cap_reason"), CAP_REASON_LENGTH),
        Drivers__c=_cut(pl.col("drivers"), DRIVERS_LENGTH),
        Scored_At__c=pl.col("scored_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        Scorecard__c=_cut(pl.col("scorecard"), SCORECARD_LENGTH),
        Run_Id__c="run_id",
        Is_Current__c=pl.lit(value=True),
    ).sort("External_Key__c")


def _cut(text: pl.Expr, length: int) -> pl.Expr:
    return pl.when(text.str.len_chars() > length).then(text.str.head(length - 1) + "…").otherwise(text)
