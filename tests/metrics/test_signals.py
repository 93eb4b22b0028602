from typing import Any

import pytest

from accountpulse.metrics.signals import measure_signals
from metrics.measuring import AS_OF, TICK, A, B, at, measured, of, of_a

NAMES = ("critical_signals", "moderate_signals", "watch_signals", "critical_confirmed_signals", "monitoring_reduction")


def signal(severity: str, *marks: str, **columns: Any) -> dict[str, Any]:
    flags = {"monitoring": "monitoring" in marks, "confirmed": "confirmed" in marks}
    return {"severity": severity, "opened_at": at("2026-01-05"), **flags, **columns}


def counts(*rows: dict[str, Any]) -> tuple[int, ...]:
    found = of_a(measure_signals, {"signals": rows})
    return tuple(found[name] for name in NAMES)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], (0, 0, 0, 0, 0)),
        ([signal("critical")], (1, 0, 0, 0, 0)),
        ([signal("critical", "confirmed")], (1, 0, 0, 1, 0)),
        ([signal("critical", "monitoring")], (0, 1, 0, 0, 1)),
        ([signal("critical", "monitoring", "confirmed")], (0, 1, 0, 0, 1)),
        ([signal("moderate")], (0, 1, 0, 0, 0)),
        ([signal("moderate", "confirmed")], (0, 1, 0, 0, 0)),
        ([signal("moderate", "monitoring")], (0, 0, 1, 0, 1)),
        ([signal("watch")], (0, 0, 1, 0, 0)),
        ([signal("watch", "monitoring")], (0, 0, 0, 0, 1)),
        ([signal("unheard of")], (0, 0, 1, 0, 0)),
        ([signal("critical", monitoring=None, confirmed=None)], (1, 0, 0, 0, 0)),
        ([signal("critical", "confirmed"), signal("critical", "monitoring"), signal("watch")], (1, 1, 1, 1, 1)),
    ],
)
def test_monitoring_lowers_a_signal_by_one_severity(rows: list[Any], expected: tuple[int, ...]) -> None:
    assert counts(*rows) == expected


@pytest.mark.parametrize(
    ("opened", "closed", "is_open"),
    [
        (AS_OF - TICK, None, True),
        (AS_OF, None, False),
        (at("2026-01-05"), AS_OF - TICK, False),
        (at("2026-01-05"), AS_OF, True),  # closed since
        (None, None, True),  # nobody wrote down when it began
        (None, at("2026-03-01"), False),
    ],
)
def test_signals_count_that_were_open_at_as_of(opened: Any, closed: Any, is_open: bool) -> None:  # noqa: FBT001
    assert counts(signal("critical", opened_at=opened, closed_at=closed))[0] == int(is_open)


def test_accounts_do_not_mix() -> None:
    rows = {"signals": [signal("critical"), signal("watch", account_id=B)]}
    result = measured(measure_signals, rows, accounts=[{"account_id": A}, {"account_id": B}])
    assert [of(result, account)["critical_signals"] for account in (A, B)] == [1, 0]
    assert [of(result, account)["watch_signals"] for account in (A, B)] == [0, 1]
