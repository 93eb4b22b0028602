"""`accountpulse init` and `scorecard init`, as somebody uses them; the sandbox answers over a socket."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from accountpulse import settings
from accountpulse.cli.init import show_init
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.scoring import scorecard
from accountpulse.scoring.starting_card import starting_card
from program import CLEAN, call
from support import NOW


@pytest.fixture(scope="module")
def running(company: World) -> Iterator[Sandbox]:
    """One server for this file; nothing here changes it."""
    with Sandbox(company) as sandbox:
        yield sandbox


@pytest.fixture
def given(running: Sandbox) -> dict[str, str]:
    """The settings that lead to the sandbox's Salesforce, without its mapping."""
    names = running.environment()
    return {name: value for name, value in names.items() if name.startswith("SALESFORCE_") or "CA_BUNDLE" in name}


def test_init_writes_a_file_that_loads_and_another_time_nothing(tmp_path: Path, given: dict[str, str]) -> None:
    first = call(tmp_path, "init", "--yes", **given)
    assert first.exit_code == 0
    assert "accountpulse.yaml was written" in first.stdout
    assert "✓ Salesforce: 25 accounts that are customers" in first.stderr
    assert "  Salesforce  how many business reviews a year each tier is owed: check the numbers\n" in first.stdout
    assert "Chosen among several ways, which stand below each in the file: salesforce.accounts.where." in first.stdout
    text = (tmp_path / "accountpulse.yaml").read_text("utf-8")
    assert settings.read_mapping(text, "x").block("salesforce").accounts.arr == "ARR__c"
    assert "set INTERCOM_API_TOKEN" in text
    again = call(tmp_path, "init", **given)
    assert again.exit_code == 0
    assert "accountpulse.yaml says what init would propose." in again.stdout
    call(tmp_path, "init", "--yes", "--out", "other.yaml", **given)
    assert (tmp_path / "other.yaml").read_bytes() == text.encode() == (tmp_path / "accountpulse.yaml").read_bytes()
    secret = given["SALESFORCE_CLIENT_SECRET"]
    assert not any(secret in said for said in (text, first.stdout, first.stderr, again.stdout))


def test_a_value_of_the_org_that_is_masked_as_a_secret_is_to_be_written_by_hand(
    tmp_path: Path, given: dict[str, str]
) -> None:
    said = call(tmp_path, "init", "--yes", **given, SALESFORCE_SECURITY_TOKEN="Executive").stdout
    lines = (tmp_path / "accountpulse.yaml").read_text("utf-8").splitlines()
    number = 1 + lines.index("    roles: [••• Sponsor, Decision Maker, Economic Buyer]")
    assert f"••• stands in line {number} for a word that is also the value of a secret setting" in said


def test_a_file_that_is_there_stays_and_what_would_change_is_shown(tmp_path: Path, given: dict[str, str]) -> None:
    mine = "timezone: Europe/Berlin\nsalesforce:\n  accounts: {arr: Own_ARR__c}\n"
    path = tmp_path / "accountpulse.yaml"
    path.write_text(mine, encoding="utf-8")
    said = call(tmp_path, "init", "--yes", **given)
    assert said.exit_code == 0
    assert "- salesforce.accounts.arr: Own_ARR__c\n+ salesforce.accounts.arr: ARR__c\n" in said.stdout
    assert "  timezone: Europe/Berlin" in said.stdout
    assert "accountpulse init --out NEW.yaml" in said.stdout
    assert path.read_text("utf-8") == mine
    path.write_text("salesforce: {payment: none}", encoding="utf-8")
    assert "- salesforce.payment: none\n+ salesforce.payment: {from: case," in call(tmp_path, "init", **given).stdout
    path.write_text("salesforce: [", encoding="utf-8")
    broken = call(tmp_path, "init", "--yes", **given)
    assert "not YAML" in broken.stdout
    assert "arr: ARR__c" in broken.stdout
    assert path.read_text("utf-8") == "salesforce: ["


def test_without_credentials_a_template_is_written_and_the_exit_code_is_3(tmp_path: Path) -> None:
    said = call(tmp_path, "init", "--yes")
    assert said.exit_code == 3
    assert "Fill in those of Salesforce" in said.stderr
    path = tmp_path / ".env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "accountpulse.yaml").exists()
    before = path.read_text("utf-8")
    again = call(tmp_path, "init", "--yes")
    assert again.exit_code == 3
    assert ".env is there, and sets none of them" in again.stderr
    assert path.read_text("utf-8") == before


def test_credentials_in_dotenv_serve_every_command_and_are_never_repeated(
    tmp_path: Path, given: dict[str, str]
) -> None:
    path = tmp_path / ".env"
    path.write_text("".join(f"{name}='{value}'\n" for name, value in given.items()), encoding="utf-8")
    path.chmod(0o644)
    made = call(tmp_path, "init", "--yes")
    assert made.exit_code == 0
    assert ".env can be read by other users of this machine (mode 644)" in made.stderr
    listed = call(tmp_path, "accounts")
    assert "SALESFORCE_CLIENT_ID" not in listed.stderr
    assert "25" in listed.stdout
    secret = given["SALESFORCE_CLIENT_SECRET"]
    path.write_text(f"SALESFORCE_CLIENT_SECRET='{secret}\n", encoding="utf-8")
    refused = call(tmp_path, "check")
    assert refused.exit_code == 3
    assert "line 1: the quotes of SALESFORCE_CLIENT_SECRET" in refused.stderr
    assert secret not in made.stdout + made.stderr + listed.stdout + refused.stderr


def test_a_system_that_does_not_answer_has_a_block_that_says_so(
    tmp_path: Path, given: dict[str, str], company: World
) -> None:
    out = tmp_path / "accountpulse.yaml"
    with Sandbox(company) as sandbox:
        names = {**given, **{key: value for key, value in sandbox.environment().items() if key in given}}
        sandbox.down.add("salesforce")
        assert show_init(names, out, NOW, yes=True, patience=0) == 5
    text = out.read_text("utf-8")
    assert "# Salesforce could not be looked at: salesforce:" in text
    assert yaml.safe_load(text) is None


def test_wrong_credentials_are_told_by_their_names_and_are_to_be_mended_first(
    tmp_path: Path, given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "accountpulse.yaml"
    assert show_init({**given, "SALESFORCE_CLIENT_SECRET": "wrong-secret"}, out, NOW, yes=True) == 3
    said = capsys.readouterr().out
    assert "First mend what failed above (Salesforce), move " in said
    assert "accountpulse.yaml away, and run `accountpulse init` again." in said
    assert "could not be looked at" in out.read_text("utf-8")
    assert "wrong-secret" not in out.read_text("utf-8")


def test_on_a_terminal_enter_takes_the_proposal_and_a_number_an_alternative(
    tmp_path: Path, given: dict[str, str]
) -> None:
    asked = ["9\n", "2\n", *["\n"] * 40]

    def answer(question: str, _program: subprocess.Popen[bytes]) -> str:
        if "Gold: Enter takes" in question:
            return "3\n" if "'1,000' is no number" in question else "1,000\n"
        return asked.pop(0)

    code, shown = _at_a_terminal(tmp_path, given, answer)
    assert code == 0, shown
    assert "salesforce.accounts.where\n" in shown
    assert "'9' is none of 1 to 3" in shown
    assert "salesforce.reviews.expected_per_year: how many business reviews a year each tier" in shown
    assert max(map(len, shown.partition("\n\n")[2].splitlines())) <= 80  # wrapped to a terminal of no known width
    text = (tmp_path / "accountpulse.yaml").read_text("utf-8")
    found = settings.read_mapping(text, "x").block("salesforce")
    assert found.accounts.where == "ARR__c > 0"
    assert found.reviews.expected_per_year == {"Bronze": 0, "Silver": 1, "Gold": 3, "Platinum": 4}
    plain = " ".join(text.replace("#", "").split())
    assert "Chosen by you. " in plain
    assert "Counts elsewhere in this file are of those that Type LIKE 'Customer%' keeps." in plain
    assert "check the numbers" not in plain


def test_ctrl_c_at_a_question_writes_nothing_and_says_so(tmp_path: Path, given: dict[str, str]) -> None:
    def stop(_question: str, program: subprocess.Popen[bytes]) -> str:
        program.send_signal(signal.SIGINT)
        return "\n"  # one that came just before it begins to read is noticed after the line

    code, shown = _at_a_terminal(tmp_path, given, stop)
    assert code == 5
    assert "accountpulse.yaml was not written" in shown
    assert not (tmp_path / "accountpulse.yaml").exists()


def _at_a_terminal(
    folder: Path, given: dict[str, str], answer: Callable[[str, subprocess.Popen[bytes]], str]
) -> tuple[int, str]:
    """`accountpulse init` on a terminal; `answer` is asked at each question, with what came since the last one."""
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "accountpulse", "init"]
    environment = {**CLEAN, **given, "HOME": str(folder), "TERM": "dumb"}
    shown, answered = "", 0
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=terminal, stderr=terminal, stdout=subprocess.DEVNULL
    ) as program:
        os.close(terminal)
        while part := _read(keyboard):
            shown += part.decode().replace("\r\n", "\n")
            if shown.endswith("a number: ") and len(shown) > answered:
                os.write(keyboard, answer(shown[answered:], program).encode())
                answered = len(shown)
    os.close(keyboard)
    return program.returncode, shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # everything was read, and nobody holds the other end
        return b""


# --- scorecard init ------------------------------------------------------------------------------------------------


def test_scorecard_init_writes_what_the_mapping_can_feed(tmp_path: Path, given: dict[str, str]) -> None:
    (tmp_path / "accountpulse.yaml").write_text("salesforce: {payment: none, expansion: none}\n", encoding="utf-8")
    said = call(tmp_path, "scorecard", "init", **given)
    assert said.exit_code == 0
    assert "left out: financial/payment_health" in said.stdout
    text = (tmp_path / "scorecard.yaml").read_text("utf-8")
    card = scorecard.load(text, "scorecard.yaml")
    assert {leaf.key for leaf in card.leaves} == {
        "financial/arr_trajectory_pct",
        "financial/contract_changes",
        "financial/tier_alignment",
        "financial/days_to_renewal",
        "relationship/champion_stability",
        "relationship/qbr_attendance",
    }
    again = call(tmp_path, "scorecard", "init", **given)
    assert again.exit_code == 2
    assert "not overwritten" in again.stderr
    assert (tmp_path / "scorecard.yaml").read_text("utf-8") == text


def test_the_rest_keeps_its_proportions_and_its_rules() -> None:
    usual = scorecard.default()
    made = starting_card(
        {"csat_score": "x", "champion_stability": "y", "qbr_attendance": "y", "expansion_signals": "z"}, (), "own.yaml"
    )
    assert dict(made.left_out) == {
        "support/csat_score": "x",
        "platform_value": "no pillars are configured",
        "relationship": "y; z",
    }
    before = {leaf.key: leaf.share for leaf in usual.leaves}
    after = {leaf.key: leaf.share for leaf in made.card.leaves}
    # among those that stay, one in a group that lost nothing is worth the others of such groups what it was
    assert after["bugs/open_bugs"] / after["financial/payment_health"] == pytest.approx(
        before["bugs/open_bugs"] / before["financial/payment_health"]
    )
    rules = {leaf.key: leaf.rule for leaf in usual.leaves}
    assert all(leaf.rule == rules[leaf.key] for leaf in made.card.leaves)
    assert list(made.card.file.coverage.tier_needs_any_of) == ["adoption"]
    assert made.card.file.caps == usual.file.caps
    assert made.card.file.tiers == usual.file.tiers
    assert "      # left out: x\n      # csat_score: {weight: 0.20" in made.text


def test_a_scorecard_of_everything_is_the_packaged_one_by_another_name() -> None:
    made = starting_card({}, ("insights",), "own.yaml")
    assert not made.left_out
    plain = scorecard.default(("insights",)).content["scorecard"]
    assert made.card.content["scorecard"] == {**plain, "name": "own"}


def test_a_cap_of_a_dimension_that_is_gone_goes_with_it() -> None:
    usage = ("mau", "mau_trend_pct", "dau", "dau_trend_pct", "feature_breadth", "login_frequency")
    made = starting_card(dict.fromkeys(usage, "u"), (), "own.yaml")
    assert not [cap for cap in made.card.file.caps if "adoption" in cap.when]
    assert list(made.card.file.coverage.tier_needs_any_of) == []
    assert made.card.file.coverage.tier_min_dimensions == 3
