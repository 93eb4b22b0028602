"""The commands that learn from what happened, and their options; each one only translates."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountpulse.cli.commands import JsonOption, configured_rules, configured_state
from accountpulse.core.memory import prepare

if TYPE_CHECKING:
    from accountpulse.cli.calibrate import TrainingRequest

TableOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A table of metrics with as_of, many days an account: .csv, .xlsx or .parquet. [default: the state]",
    ),
]
OutcomesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="A table of outcomes: account_id, date, kind (lost, contraction, renewed), arr_lost."
    ),
]
CardOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The scorecard. [default: the latest month's; of a table the packaged one]"),
]
HorizonOption = Annotated[
    int | None, typer.Option(min=1, help="Days that a score looks ahead. [default: the scorecard's horizon_days]")
]
FirstOption = Annotated[str | None, typer.Option("--from", metavar="MONTH", help="The first month, YYYY-MM.")]
LastOption = Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month, YYYY-MM.")]
KnownOption = Annotated[
    str | None,
    typer.Option(
        metavar="DAY",
        help="The last day of which all outcomes are known. [default: 60 days before they were read; with --outcomes "
        "FILE the last date in it, where that is later]",
    ),
]
CrossSectionOption = Annotated[
    bool,
    typer.Option(
        "--cross-section",
        help="The table has one row an account: try it on other customers, not in later months. That it lasts isn't "
        "shown by that.",
    ),
]


def register(app: typer.Typer, scorecards: typer.Typer) -> None:
    """Hang them into the program, and into its scorecard commands."""
    app.command()(calibrate)
    scorecards.command("suggest")(scorecard_suggest)


def calibrate(
    *,
    metrics: TableOption = None,
    outcomes: OutcomesOption = None,
    scorecard: CardOption = None,
    horizon: HorizonOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    known_until: KnownOption = None,
    cross_section: CrossSectionOption = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the calibration here. [default: calibration.yaml in the state]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the figures, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn the risk index into a probability of leaving. It needs enough who left. Exit code 4: none is offered."""
    prepare()
    from accountpulse.cli.calibrate import calibrate as calibrate_on

    asked = _training(metrics, outcomes, scorecard, horizon, months=(first, last), known_until=known_until)
    asked = replace(asked, cross_section=cross_section)
    raise typer.Exit(
        calibrate_on(asked, out or configured_state(), datetime.now(UTC), dry_run=dry_run, as_json=as_json)
    )


def scorecard_suggest(
    *,
    out: Annotated[Path, typer.Option(metavar="NEW", help="The new scorecard file; none is overwritten.")],
    metrics: TableOption = None,
    outcomes: OutcomesOption = None,
    scorecard: CardOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    known_until: KnownOption = None,
    cross_section: CrossSectionOption = False,
    as_json: JsonOption = False,
) -> None:
    """Suggest other weights, from who left. Writes a new file, and why each moves. Exit code 4: nothing suggested."""
    prepare()
    from accountpulse.cli.suggest import suggest_weights

    asked = _training(metrics, outcomes, scorecard, None, months=(first, last), known_until=known_until)
    asked = replace(asked, cross_section=cross_section)
    raise typer.Exit(suggest_weights(asked, out, datetime.now(UTC), as_json=as_json))


def _training(
    metrics: Path | None,
    outcomes: Path | None,
    scorecard: Path | None,
    horizon: int | None,
    *,
    months: tuple[str | None, str | None],
    known_until: str | None,
) -> "TrainingRequest":
    from accountpulse.cli.calibrate import TrainingRequest
    from accountpulse.cli.proof_tables import day_of, months_asked
    from accountpulse.core.records import Rules

    source, rules = (metrics, Rules()) if metrics is not None else (configured_state(), configured_rules())
    first, last = months_asked(*months)
    return TrainingRequest(
        source=source,
        outcomes=outcomes,
        scorecard=scorecard,
        horizon=horizon,
        first=first,
        last=last,
        known_until=day_of(known_until, "--known-until"),
        rules=rules,
    )
