"""The commands and their options; each one only translates."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountpulse.cli.completion import months, pages
from accountpulse.cli.environment import environment
from accountpulse.cli.program import Program
from accountpulse.core.errors import UsageError
from accountpulse.core.memory import prepare
from accountpulse.core.period import Period, parse_day, parse_period

if TYPE_CHECKING:
    from accountpulse.core.records import Rules
    from accountpulse.settings import Settings
    from accountpulse.state import State

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
PeriodOption = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM", autocompletion=months, help="The month. [default: the last complete one]"),
]
RanOption = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM", autocompletion=months, help="The month. [default: the latest that was run]"),
]
ScorecardOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A scorecard file. [default: accountpulse.yaml's, else ours]")
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="DAY", help="In place of a month: the snapshot of this day.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Folder for the CSV, or a .csv, .xlsx or .parquet. [default: out, in a dry run]"),
]
MetricsOutOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the metrics as `score` takes them.")]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="In place of a month: this run, also a dry one; or last.")
]
MetricsOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="A table of metrics, one row an account: .csv, .xlsx or .parquet.")
]
StoredOption = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM", autocompletion=months, help="In place of --metrics: what this month's run kept."),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Turns the risk into a probability. [default: the state's calibration.yaml, if any]"
    ),
]
PillarOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A pillar of platform value; repeatable. [default: those of accountpulse.yaml]"),
]


class EngineName(StrEnum):
    """What can score a table."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


scorecards = Program(help="Look at scorecard files.")


def register(app: typer.Typer, run: Callable[..., None]) -> None:
    """Hang all commands into the program, `run` of another file in its place among them."""
    from accountpulse.cli.account_commands import accounts
    from accountpulse.cli.digest_command import digest

    looking = (score, explain, report, digest, outcomes, backtest, history)
    for command in (demo, run, check, accounts, *looking, forget, docs):
        app.command()(command)
    scorecards.command("check")(scorecard_check)
    scorecards.command("show")(scorecard_show)
    scorecards.command("diff")(scorecard_diff)
    scorecards.command("schema")(scorecard_schema)
    app.add_typer(scorecards, name="scorecard")


def demo(
    period: PeriodOption = None,
    accounts: Annotated[
        int, typer.Option(min=1, max=20_000, help="How many customers the invented company has.")
    ] = 120,
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 7,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the CSV, the report and the state.")] = Path(
        "accountpulse-demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """The whole job on a local sandbox, without credentials."""
    prepare()
    from accountpulse.cli.demo import show_demo

    raise typer.Exit(show_demo(month_of(period, "UTC"), accounts, seed, out, as_json=as_json))


def check(
    period: PeriodOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Before a run: what would fail, and what to do. Reads everything a little, writes nothing to Salesforce."""
    from accountpulse.cli.check import show_check

    raise typer.Exit(show_check(environment(), month_of(period, "UTC"), datetime.now(UTC), as_json=as_json))


def history(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a run instead of a table.")] = False,
    metrics: MetricsOutOption = None,
    period: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", autocompletion=months, help="With --metrics: the month. [default: the latest]"),
    ] = None,
) -> None:
    """List every run: when, how it ended, what it wrote. Or write a month's metrics to a file. Reads the state only."""
    from accountpulse.cli.history import show_history, write_stored_metrics

    month = month_of(period, "UTC")
    if metrics is None and month is None:
        raise typer.Exit(show_history(configured_state(), json))
    raise typer.Exit(write_stored_metrics(configured_state(), month, metrics, as_json=json))


def docs(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC", autocompletion=pages, help="A page, such as mapping. [default: list them]"),
    ] = None,
) -> None:
    """Show the documentation that comes with this version, offline."""
    from accountpulse.cli.docs import list_topics, show_topic

    raise typer.Exit(list_topics() if topic is None else show_topic(topic))


def forget(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's Salesforce id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase one account from all of the state (a privacy request)."""
    from accountpulse.cli.history import forget_account

    raise typer.Exit(forget_account(configured_state(), account, yes=yes, as_json=as_json))


def score(  # noqa: PLR0917
    out: Annotated[str, typer.Option(metavar="FILE", help="Where the scores go: .csv, .xlsx or .parquet.")],
    metrics: MetricsOption = None,
    scorecard: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A scorecard file. [default: the packaged one]")
    ] = None,
    period: StoredOption = None,
    calibration: CalibrationOption = None,
    as_json: JsonOption = False,
    engine: Annotated[
        EngineName, typer.Option(help="What does the work; duckdb and spark read and write Parquet.")
    ] = EngineName.POLARS,
    master: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Spark's address: local[2], spark://host:7077. [default: Spark's own settings]"
        ),
    ] = None,
) -> None:
    """Score a table of metrics, or those that a run kept. No system is asked. An empty cell is not known, not 0."""
    prepare()
    from accountpulse.cli.engines import score_on, streams
    from accountpulse.cli.scoring import score_file, score_stored

    if _one_of(metrics, period):
        raise typer.Exit(
            score_stored(
                configured_state(),
                month_of(period, "UTC"),
                scorecard,
                Path(out),
                calibration=calibration,
                as_json=as_json,
            )
        )
    table = str(metrics)
    if streams(engine.value, table, out):
        raise typer.Exit(
            score_on(engine.value, master, table, scorecard, out, calibration=calibration, as_json=as_json)
        )
    raise typer.Exit(score_file(Path(table), scorecard, Path(out), calibration=calibration, as_json=as_json))


def explain(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="Its Salesforce id, of 15 or 18 characters, or its name.")
    ],
    period: RanOption = None,
    as_of: AsOfOption = None,
    run: RunOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, unrounded.")] = False,
) -> None:
    """One account: score, reasons, what changed, what is not known. Reads the state only."""
    from accountpulse.cli.explain import explain_account

    month = month_of(period, "UTC")
    day = snapshot_named(as_of)
    raise typer.Exit(explain_account(configured_state(), account, month, as_json=as_json, run_id=run, day=day))


def report(
    period: RanOption = None,
    as_of: AsOfOption = None,
    run: RunOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the page and the CSV.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print what the page is made of as JSON instead.")] = False,
) -> None:
    """Write the portfolio and every account as one page, and a CSV. Reads the state only."""
    prepare()
    from accountpulse.cli.report import print_document, write_report

    month, day = month_of(period, "UTC"), snapshot_named(as_of)
    if as_json:
        raise typer.Exit(print_document(configured_state(), month, run, day))
    raise typer.Exit(write_report(configured_state(), month, out, run, day))


def outcomes(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Salesforce first; every run does so, too.")] = False,
    table: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Keep a .csv, .xlsx or .parquet of account_id, date, kind (lost, contraction, renewed), arr_lost in "
            "place of an earlier one; it wins over all else that is known of its accounts.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every outcome to this .csv, .xlsx or .parquet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead.")] = False,
) -> None:
    """Who left and who renewed, and where that was found. Names what is doubtful. Reads the state; --refresh asks."""
    prepare()
    from accountpulse.cli.outcomes import import_outcomes, refresh_outcomes, show_outcomes

    state = configured_state()
    rules = configured_rules()
    notes = refresh_outcomes(_settings(), state, datetime.now(UTC)) if refresh else ()
    done = () if table is None else import_outcomes(state, table, datetime.now(UTC).date())
    raise typer.Exit(show_outcomes(state, rules, out, (done, notes), as_json=as_json))


def backtest(
    *,
    metrics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of metrics with as_of, many days an account: .csv, .xlsx or .parquet. [default: the state]",
        ),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A table of outcomes: account_id, date, kind (lost, contraction, renewed), arr_lost."
        ),
    ] = None,
    scorecard: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With --metrics: score with this file, compare with a second one. Without: compare with this one.",
        ),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Days that a score looks ahead. [default: the scorecard's horizon_days]")
    ] = None,
    lead: Annotated[int, typer.Option(min=0, help="Days before a renewal at which its score is read.")] = 90,
    first: Annotated[str | None, typer.Option("--from", metavar="MONTH", help="The first month, YYYY-MM.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month, YYYY-MM.")] = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="How many accounts the team can look after in a month.")
    ] = None,
    known_until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="The last day of which all outcomes are known. [default: 60 days before they were read; with "
            "--outcomes FILE the last date in it, where that is later]",
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --metrics: judge the probabilities of this calibration too."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")] = Path("out"),
    as_json: JsonOption = False,
) -> None:
    """Compare past scores with who left. Says how well they rank, whom they misjudged, what isn't proven."""
    prepare()
    from accountpulse.cli.backtest import BacktestRequest, backtest_state, backtest_table
    from accountpulse.cli.proof_tables import day_of, months_asked

    start, end = months_asked(first, last)
    asked = BacktestRequest(
        outcomes=outcomes,
        scorecards=tuple(scorecard or ()),
        horizon=horizon,
        lead=lead,
        first=start,
        last=end,
        capacity=capacity,
        known_until=day_of(known_until, "--known-until"),
        out=out,
        calibration=calibration,
        as_json=as_json,
    )
    if metrics is not None:
        raise typer.Exit(backtest_table(metrics, asked, datetime.now(UTC)))
    raise typer.Exit(backtest_state(asked, configured_state(), configured_rules(), datetime.now(UTC)))


def scorecard_check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A scorecard file.")],
    pillar: PillarOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report every mistake of a scorecard file, with its line."""
    from accountpulse.cli.scorecards import check_scorecard

    raise typer.Exit(check_scorecard(file, _pillars(pillar), environment(), as_json=as_json))


def scorecard_show(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A scorecard file. [default: the packaged one]")
    ] = None,
    pillar: PillarOption = None,
) -> None:
    """Show a scorecard as a page to read. Where the output is no terminal, as Markdown."""
    from accountpulse.cli.scorecards import show_scorecard

    raise typer.Exit(show_scorecard(file, _pillars(pillar)))


def scorecard_diff(  # noqa: PLR0917
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The scorecard file as it is.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The scorecard file as it might be.")],
    metrics: MetricsOption = None,
    period: StoredOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every account of both to this .csv, .xlsx or .parquet.")
    ] = None,
    pillar: PillarOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two scorecard files. With accounts: which would change tier, and why."""
    from accountpulse.cli.difference import compare_on_file, compare_on_state, show_difference

    if metrics is None and period is None:
        raise typer.Exit(show_difference(before, after, _pillars(pillar), out, as_json=as_json))
    if _one_of(metrics, period):
        state, month = configured_state(), month_of(period, "UTC")
        raise typer.Exit(compare_on_state(before, after, state, month, out, as_json=as_json))
    raise typer.Exit(compare_on_file(before, after, Path(str(metrics)), out, as_json=as_json))


def scorecard_schema() -> None:
    """Print the JSON Schema of scorecard files, for an editor."""
    from accountpulse.cli.scorecards import print_schema

    raise typer.Exit(print_schema())


def _one_of(metrics: str | None, period: str | None) -> bool:
    """Whether the metrics are those of a month in the state."""
    if (metrics is None) == (period is None):
        raise UsageError("give either --metrics FILE or --period YYYY-MM")
    return period is not None


def month_of(text: str | None, zone: str) -> Period | None:
    """The month that an option names; None: the command's own default."""
    return None if text is None else parse_period(text, zone)


def snapshot_named(text: str | None) -> date | None:
    """The day of a snapshot that an option names; None: it names none."""
    return None if text is None else parse_day(text, "--as-of")


def _pillars(given: list[str] | None) -> tuple[str, ...]:
    """The pillars that a scorecard is read with: the given ones, else accountpulse.yaml's, as a run does."""
    return tuple(given) if given else configured_rules().pillars


def configured_state() -> "State":
    """The state that the environment names."""
    from accountpulse import settings
    from accountpulse.state import State

    return State(settings.state_of(environment()))


def configured_rules() -> "Rules":
    """The company's rules, from the mapping file that the environment names."""
    from accountpulse import settings

    return settings.rules_of(settings.mapping_of(environment()))


def _settings() -> "Settings":
    from accountpulse import settings

    return settings.load(environment())
