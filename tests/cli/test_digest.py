"""`accountpulse digest`: what it prints, on terminals of any width, and what it refuses."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from accountpulse.cli.digest import channels_named, day_named, send_digest, show_digest
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.main import Event, read_event
from accountpulse.notify.quiet_hours import QuietTimes
from accountpulse.settings import DigestBlock, read_mapping
from accountpulse.state import State
from notify.company import Account, Notebook, leave, measure, scored, send_all
from program import CLEAN, call
from support import ROOT

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
BLOCK = DigestBlock()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SALESFORCE = {
    "SALESFORCE_LOGIN_URL": "http://127.0.0.1:9",
    "SALESFORCE_CLIENT_ID": "id-of-nobody",
    "SALESFORCE_CLIENT_SECRET": "secret-of-nobody",
}
SENTENCE = """Customer health, 24 November 2026: 6 accounts crossed a line, 1 account is better
Company 6
Owner: 005000000000001AAA
Healthy to At Risk
Health 65 (At Risk), churn risk 1.8, ARR 6,000
Why: CSAT: 60 %, costs 30 points
Next: Go through the support cases with the support lead"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On Monday one channel was told; on Tuesday six accounts have fallen, and one is up."""
    place = tmp_path_factory.mktemp("digest")
    before = [Account(number, score=80.0 if number < 7 else 60.0) for number in range(1, 8)]
    after = [Account(number, score=60.0 if number < 7 else 80.0) for number in range(1, 8)]
    monday, tuesday = scored([measure(before, MONDAY), measure(after, TUESDAY)])
    leave(place, monday, 0)
    send_all(place, MONDAY, Notebook())
    leave(place, tuesday, 0)
    return place


@pytest.mark.parametrize("width", [40, 80, 140])
def test_what_would_be_sent_is_whole_on_any_width_and_nothing_is_sent_or_recorded(
    folder: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    notebook, before = Notebook(), State(folder).ledgers.read("notebook")
    assert show_digest(State(folder), BLOCK, [notebook], None) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= width
    words = " ".join(printed.split())
    assert " ".join(SENTENCE.split()) in words
    assert "Also crossed a line (1) Company 1 (005000000000001AAA): Healthy to At Risk" in words
    assert "Better again (1) Company 7 (005000000000001AAA): At Risk to Healthy" in words
    assert words.endswith("Nothing was sent. `accountpulse digest --send` sends it.")
    assert (notebook.pages, State(folder).ledgers.read("notebook")) == ([], before)


def test_json_has_the_documented_keys_and_every_digest_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_digest(State(folder), BLOCK, [Notebook(), Notebook("other")], None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    (row,) = re.findall(r"^\| `digest` \| (.*) \|$", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.M)
    assert set(found) == set(re.findall(r"`(\w+)`", row))
    told, first = found["channels"]
    assert [each["crossings"] for each in told["digests"][0]["accounts"]] == [
        [{"line": "tier", "text": "Healthy to At Risk", "worse": True}]
    ] * 5
    assert [each["heading"] for each in first["digests"]] == ["Customer health, 24 November 2026: first digest"]
    assert not told["digests"][0]["sent"]


def test_in_quiet_hours_nothing_is_sent_and_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'digest: {quiet_hours: {from: "18:00", to: "07:00", days: [tue]}}'
    block, notebook = read_mapping(text, "accountpulse.yaml").block("digest"), Notebook()
    assert send_digest(State(folder), block, [notebook], None, (NOON, "Europe/Berlin")) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said == (
        "Quiet hours until 2026-11-25 07:00 (Europe/Berlin): nothing was sent. "
        "It comes with the first sending after them."
    )
    assert notebook.pages == []


@pytest.mark.parametrize(
    ("times", "quiet"),
    [
        (QuietTimes(), False),
        (QuietTimes(days=("tue",)), True),
        (QuietTimes(days=("mon", "wed")), False),
        (QuietTimes(time(12), time(13)), True),
        (QuietTimes(time(11), time(12)), False),
        (QuietTimes(time(22), time(12, 1)), True),
        (QuietTimes(time(22), time(12)), False),
    ],
)
def test_quiet_hours_begin_with_their_first_minute_and_end_before_their_last(times: QuietTimes, *, quiet: bool) -> None:
    assert times.is_quiet(NOON) is quiet


def test_hours_without_an_end_and_other_mistakes_of_the_block_are_said_together() -> None:
    text = 'digest: {for: everybody, quiet_hours: {from: "18:00", days: [someday]}, owners: [a]}'
    with pytest.raises(ConfigurationError) as refused:
        read_mapping(text, "accountpulse.yaml")
    assert len(refused.value.problems) == 3
    with pytest.raises(ConfigurationError, match="`from` and `to` go together"):
        read_mapping('digest: {quiet_hours: {from: "18:00"}}', "accountpulse.yaml")
    with pytest.raises(ConfigurationError, match="is not a time of the day in quotes"):
        read_mapping('digest: {quiet_hours: {from: "25:00", to: "07:00"}}', "accountpulse.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('quiet_hours: {from: 18:00, to: "07:00"}', 'quiet_hours.from.*in quotes, as "18:00"'),
        ('quiet_hours: {from: "08:00", to: "08:00"}', "the same time"),
        ("quiet_hours: {days: [mon, tue, wed, thu, fri, sat, sun]}", "all seven days are quiet"),
        (
            "channels: [slack], owners: {Anna: {slack: anna@example.com}}",
            r"owners\.Anna: slack finds people by a member id",
        ),
        ("channels: [slack], fallback: {slack: '#alerts'}", "fallback: slack finds people"),
        ("channels: [mail, slack], owners: {Anna: anna@example.com, Ben: U012AB3CD}", r"owners\.Anna: slack finds"),
    ],
)
def test_a_time_that_is_a_number_and_a_recipient_that_slack_cannot_find_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        read_mapping(f"digest: {{{text}}}", "accountpulse.yaml")
    assert len(refused.value.problems) == 1


def test_recipients_of_other_channels_are_no_matter_to_slack() -> None:
    both = "owners: {Anna: {mail: anna@example.com, slack: U012AB3CD}, Ben: {mail: ben@example.com}}"
    for text in ("channels: [mail], owners: {Anna: anna@example.com}", f"channels: [mail, slack], {both}"):
        assert "Anna" in read_mapping(f"digest: {{{text}}}", "accountpulse.yaml").block("digest").owners


def test_a_day_before_the_first_run_and_a_channel_that_is_not_set_up_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no run that was measured up to 2026-11-22"):
        show_digest(State(folder), BLOCK, [Notebook()], date(2026, 11, 22))
    with pytest.raises(UsageError, match=r"mail is not among digest\.channels, which has notebook"):
        channels_named([Notebook()], ["mail"])
    with pytest.raises(UsageError, match="--as-of must be a day such as 2026-11-30, not 'monday'"):
        day_named("monday")


def test_without_a_channel_the_command_says_where_to_name_one(tmp_path: Path) -> None:
    done = call(tmp_path, "digest", **SALESFORCE)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "no channel is set up. Name them in accountpulse.yaml, as `accountpulse docs digest` shows." in done.stderr


HANDLER = """
import json, sys
from accountpulse.main import lambda_handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

print(json.dumps(lambda_handler({"digest": True}, Context())))
"""


def test_lambda_refuses_a_digest_that_goes_nowhere(tmp_path: Path) -> None:
    given = {**CLEAN, **SALESFORCE, "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", HANDLER], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "digest.channels" in done.stderr
    assert "no channel is set up" in done.stderr


def test_lambdas_event_asks_for_the_digest_alone() -> None:
    assert read_event({"digest": True}) == Event(digest=True)
    with pytest.raises(UsageError, match="goes with neither period, as_of, dry_run nor verify"):
        read_event({"digest": True, "period": "2026-10"})


def test_a_file_gets_what_crossed_a_line_once(folder: Path, tmp_path: Path) -> None:
    """The whole command, without any system's settings. What `--send` has told is not told again."""
    shutil.copytree(folder, tmp_path / "state")
    (tmp_path / "accountpulse.yaml").write_text("digest: {channels: [file], file: {folder: told}}\n", encoding="utf-8")
    shown = call(tmp_path, "digest")
    assert (shown.exit_code, "first digest" in shown.stdout, (tmp_path / "told").exists()) == (0, True, False)
    sent = call(tmp_path, "digest", "--send")
    assert (sent.exit_code, sent.stdout) == (0, "file: 1 digest sent\n")
    assert any("first digest" in each.read_text(encoding="utf-8") for each in (tmp_path / "told").rglob("*.txt"))
    again = call(tmp_path, "digest", "--send")
    assert again.stdout == "file: nothing sent, no account crossed a line since 2026-11-24\n"


def test_lambda_sends_the_digest_and_answers_in_short(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "state")
    (tmp_path / "accountpulse.yaml").write_text("digest: {channels: [file], file: {folder: told}}\n", encoding="utf-8")
    given = {**CLEAN, **SALESFORCE, "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", HANDLER], cwd=tmp_path, env=given, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "status": "good", "channels": {"file": {"sent": 1, "note": None}}, "problems": [], "notes": [],
    }  # fmt: skip
    assert list((tmp_path / "told").rglob("*.txt"))
