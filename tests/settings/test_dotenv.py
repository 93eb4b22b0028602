"""The .env beside accountpulse.yaml: read as other tools write it, never repeated."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.errors import ConfigurationError
from accountpulse.settings import NAMES, dotenv

TEXT = r"""
# a comment
JIRA_EMAIL=me@example.com   # who
export JIRA_API_TOKEN = 'a#b "c" $HOME'
LOOKER_CLIENT_SECRET="one\ntwo \"three\" \\ four"   # quoted
SALESFORCE_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----
MIIE
-----END PRIVATE KEY-----"
INTERCOM_API_TOKEN=
AWS_SECRET_ACCESS_KEY=not ours
this is no setting
INTERCOM_API_TOKEM=a slip
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_values_are_read_as_they_are_meant(tmp_path: Path) -> None:
    assert dotenv.read(written(tmp_path, TEXT)).values == {
        "JIRA_EMAIL": "me@example.com",
        "JIRA_API_TOKEN": 'a#b "c" $HOME',
        "LOOKER_CLIENT_SECRET": 'one\ntwo "three" \\ four',
        "SALESFORCE_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "INTERCOM_API_TOKEN": "",
        "INTERCOM_API_TOKEM": "a slip",  # which the settings then report
    }


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_a_quoted_value_is_what_was_quoted(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    text = f'JIRA_EMAIL="{quoted}"\nJIRA_API_TOKEN=x'
    problems: list[str] = []
    assert dict(dotenv._assignments(text, problems, [])) == {"JIRA_EMAIL": value, "JIRA_API_TOKEN": "x"}
    assert not problems


def test_the_environment_counts_before_the_file(tmp_path: Path) -> None:
    found = dotenv.read(written(tmp_path, "JIRA_EMAIL=file\nJIRA_API_TOKEN=file"))
    assert found.beneath({"JIRA_EMAIL": "environment", "JIRA_API_TOKEN": " "}) == {
        "JIRA_EMAIL": "environment",
        "JIRA_API_TOKEN": "file",
    }


def test_open_quotes_are_told_with_their_line_and_without_the_value(tmp_path: Path) -> None:
    path = written(tmp_path, "# x\nJIRA_API_TOKEN='s3cr3t-value\n")
    with pytest.raises(ConfigurationError, match="line 2: the quotes of JIRA_API_TOKEN") as caught:
        dotenv.read(path)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(("mode", "is_remarked"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False)])
def test_a_file_that_others_can_read_is_remarked(tmp_path: Path, mode: int, is_remarked: bool) -> None:  # noqa: FBT001
    found = dotenv.read(written(tmp_path, "JIRA_EMAIL=x", mode))
    assert ("chmod 600" in found.remark) == is_remarked


def test_it_lies_beside_the_mapping_file() -> None:
    assert dotenv.beside({}) == Path(".env")
    assert dotenv.beside({"ACCOUNTPULSE_CONFIG": "/etc/pulse/our.yaml"}) == Path("/etc/pulse/.env")


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert dict(dotenv.read(tmp_path / ".env").values) == {}


def test_the_template_names_every_setting_sets_none_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    before = os.umask(0)
    try:
        dotenv.write_template(path)
    finally:
        os.umask(before)
    text = path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert {name for name in NAMES if f"# {name}=" in text} == NAMES.keys() - {"ACCOUNTPULSE_CONFIG"}
    found = dotenv.read(path)
    assert not found.values
    assert not found.remark
    with pytest.raises(FileExistsError):
        dotenv.write_template(path)


def test_lines_without_a_name_and_an_equals_sign_are_remarked_and_never_repeated(tmp_path: Path) -> None:
    text = (
        "# a comment\n\nJIRA_API_TOKEN s3cr3t\nDEBUG\nexport PATH\nJIRA_EMAIL=x\nJIRA_BASE_URL\n-----END s3cr3t-----\n"
    )
    found = dotenv.read(written(tmp_path, text, 0o600))
    assert found.values == {"JIRA_EMAIL": "x"}
    assert ".env: lines 3, 7, 8: no NAME=value, and left out" in found.remark
    assert "s3cr3t" not in found.remark
