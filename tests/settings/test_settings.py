from pathlib import Path

import pytest

from accountpulse import settings
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.redact import REDACT
from accountpulse.settings import mapping
from accountpulse.settings.environment import merged_rules
from accountpulse.systems.looker.settings import SavedLook

SALESFORCE = {"SALESFORCE_USERNAME": "int@example.com", "SALESFORCE_PASSWORD": "pass-word-1"}


LOOK = """looker:
  platform:
    pillars:
      reach:
        look: {look}
        account: a.account
        value: calculation_1
"""


OWN = """looker:
  metrics:
    nps: {{explore: s, account: s.account, measure: s.nps, {rest}}}
"""


def problems_of(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environment)
    return caught.value.problems


def with_config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "accountpulse.yaml"
    path.write_text(text, encoding="utf-8")
    return {**SALESFORCE, "ACCOUNTPULSE_CONFIG": str(path)}


def test_every_problem_is_reported_at_once_and_no_value_is_shown(tmp_path: Path) -> None:
    config = tmp_path / "accountpulse.yaml"
    config.write_text("windw: 30\ntimezone: Mars\njira:\n  link: field\n", encoding="utf-8")
    environment = {
        "JIRA_BASE_URL": "http://jira.example.com",
        "LOOKER_CLIENT_SECRET": "planted-secret",
        "INTERCOM_TOKEN": "another-secret",
        "ACCOUNTPULSE_CONFIG": str(config),
    }
    text = "\n".join(problems_of(environment))
    for part in (
        "JIRA_BASE_URL must begin with https://",
        "JIRA_API_TOKEN is not set",
        "LOOKER_BASE_URL is not set",
        "LOOKER_CLIENT_ID is not set",
        "INTERCOM_TOKEN is not a setting; did you mean 'INTERCOM_API_TOKEN'?",
        "SALESFORCE_CLIENT_ID",
        "line 1, windw: not a known key; did you mean 'window'?",
        "line 2, timezone: 'Mars' is not a time zone",
        "line 3, jira: link: field and field:",
    ):
        assert part in text
    assert "planted-secret" not in text
    assert "another-secret" not in text


def test_a_source_without_access_is_not_configured() -> None:
    loaded = settings.load({**SALESFORCE, "INTERCOM_API_TOKEN": "tok-123456"})
    assert loaded.configured == ("salesforce", "intercom")


def test_secrets_never_print() -> None:
    loaded = settings.load({**SALESFORCE, "INTERCOM_API_TOKEN": "tok-123456"})
    assert "tok-123456" not in repr(loaded)
    assert "pass-word-1" not in f"{loaded.access['salesforce'].password}"
    assert REDACT("login pass-word-1 tok-123456") == "login ••• •••"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/jira", "http://localhost:1", "https://example.com/ex/jira/1"])
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    loaded = settings.load({**SALESFORCE, "JIRA_BASE_URL": url, "JIRA_API_TOKEN": "tok-123456"})
    assert "jira" in loaded.access
    assert loaded.access["jira"].base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://x",
        "https://u:p@example.com",
        "https://",
        "x",
    ],
)
def test_an_address_that_would_leak_or_lead_nowhere_is_refused(url: str) -> None:
    assert any("JIRA_BASE_URL" in p for p in problems_of({**SALESFORCE, "JIRA_BASE_URL": url, "JIRA_API_TOKEN": "t"}))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("timezone: [", "not YAML"),
        ("a: 1\na: 2", "line 2: 'a' is given twice"),
        ("- x", "line 1"),
        (
            "salesforce:\n  payment:\n    objct: X",
            "line 3, salesforce.payment.objct: not a known key; did you mean 'object'?",
        ),
        ("salesforce:\n  accounts:\n    arr: 'ARR; DROP'", "line 3, salesforce.accounts.arr"),
        ("salesforce:\n  tiers:\n    order: [A, B]\n    arr_floor: {A: 5, B: 5}", "arr_floor must rise"),
        ("window: 0", "line 1, window"),
        ("looker:\n  timeout: 1", "line 2, looker.timeout"),
        ("looker:\n  platform:\n    pillars:\n      Reach: a.b", "line 4, looker.platform.pillars.Reach"),
        ("looker:\n  usage:\n    users: 'a b'", "line 3, looker.usage.users"),
        (LOOK.format(look="../7"), "line 5, looker.platform.pillars.reach"),
        (
            "looker:\n  metrics:\n    mau: {look: 1, account: a, value: b}",
            "looker.metrics.mau: is measured already",
        ),
        ("looker:\n  metrics:\n    seats: {look: 1, account: a, value: b}", "give them as looker.seats"),
        ("looker:\n  metrics:\n    pillar_x: {look: 1, account: a, value: b}", "goes under looker.platform.pillars"),
        (OWN.format(rest="date: null, days: 30"), "days needs a date"),
        (OWN.format(rest="date: s.day, filters: {s.day: 7 days}"), "s.day is filtered by the run itself"),
        (OWN.format(rest="days: 30"), "line 3, looker.metrics.nps.date: is missing"),
        (OWN.format(rest="date: s.day, filtres: {}"), "filtres: not a known key; did you mean 'filters'?"),
        (OWN.format(rest="date: s.day, filters: {'s day': x}"), "'s day' is not a name"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, part: str) -> None:
    assert any(part in problem for problem in problems_of(with_config(tmp_path, text))), problems_of(
        with_config(tmp_path, text)
    )


def test_a_part_can_be_switched_off_by_the_word_none(tmp_path: Path) -> None:
    loaded = settings.load(with_config(tmp_path, "signals: none\nsalesforce: {payment: none}"))
    assert loaded.mapping.signals is None
    assert loaded.mapping.salesforce.payment is None


@pytest.mark.parametrize("look", ["7", '"7"', "x7Yz"])
def test_a_look_is_named_by_its_id_with_or_without_quotes(tmp_path: Path, look: str) -> None:
    pillar = settings.load(with_config(tmp_path, LOOK.format(look=look))).mapping.looker.platform.pillars["reach"]
    assert isinstance(pillar, SavedLook)
    assert pillar.look == look.strip('"')


def test_a_mistake_in_a_look_is_told_once(tmp_path: Path) -> None:
    lacking = LOOK.format(look=7).replace("value: calculation_1", "valeu: calculation_1")
    where = "line 4, looker.platform.pillars.reach.value: is missing"
    problems = problems_of(with_config(tmp_path, lacking))
    assert len(problems) == 2
    assert any(where in problem for problem in problems)
    assert any("did you mean 'value'?" in problem for problem in problems)


def test_a_looker_address_has_no_path() -> None:
    looker = {"LOOKER_BASE_URL": "https://looker.example.com/api", "LOOKER_CLIENT_ID": "a", "LOOKER_CLIENT_SECRET": "b"}
    assert problems_of({**SALESFORCE, **looker}) == ["LOOKER_BASE_URL must not have a path"]


def test_a_named_file_that_is_absent_is_a_problem(tmp_path: Path) -> None:
    assert any(
        "ACCOUNTPULSE_CONFIG" in p for p in problems_of({**SALESFORCE, "ACCOUNTPULSE_CONFIG": str(tmp_path / "no")})
    )


# --- rules of several systems ------------------------------------------------------------------------------------


def test_a_system_that_is_not_configured_changes_no_rule() -> None:
    rules = merged_rules({"one": {"csat": "share"}, "two": {"csat": "mean", "pillars": ("reach",)}}, ("one",))
    assert (rules.csat, rules.pillars) == ("share", ("reach",))


def test_lists_of_configured_systems_are_joined_once() -> None:
    said = {"one": {"features": ("alerts",)}, "two": {"features": ("alerts", "exports")}}
    assert merged_rules(said, ("one", "two")).features == ("alerts", "exports")


def test_two_configured_systems_that_say_different_things_are_a_mistake() -> None:
    said = {"one": {"csat": "share"}, "two": {"csat": "mean"}}
    with pytest.raises(ConfigurationError, match="one, two say different things of csat"):
        merged_rules(said, ("one", "two"))


@pytest.mark.parametrize("names", [["window", "window"], ["links", "jira", "links"]])
def test_a_system_whose_name_stands_for_something_else_is_refused(names: list[str]) -> None:
    with pytest.raises(TypeError, match=f"{names[0]} would be two things in accountpulse.yaml"):
        mapping._refuse_clashes(names)


@pytest.mark.parametrize(
    "place",
    [
        "gs://bucket/state",
        "gs:bucket",
        "azure:container/x",
        "S3://bucket/state",
        "file:///var/state",
        "az://x",
        "s3:/bucket",
        "s3:bucket",
        "s3://",
        "s3:///x",
        "s3://buck et/x",
        "s3://b",
        "/var/state\0",
        "/var/st\nate",
    ],
)
def test_a_place_for_the_state_that_is_none_is_refused_where_it_is_read(place: str) -> None:
    for read in (settings.load, settings.state_of):
        with pytest.raises(ConfigurationError) as caught:
            read({**SALESFORCE, "ACCOUNTPULSE_STATE": place})
        problem = "must be a folder, or s3://bucket/prefix (in small letters); it can't be any other kind of address"
        assert caught.value.problems == [f"ACCOUNTPULSE_STATE {problem}"]


@pytest.mark.parametrize(
    "place", ["state", "./st:ate", "/var/lib/état", "C:/state", "s3://bucket", "s3://our.bucket-1/a/b"]
)
def test_a_folder_or_a_bucket_is_a_place_for_the_state(place: str) -> None:
    assert settings.load({**SALESFORCE, "ACCOUNTPULSE_STATE": place}).state == place


# --- values that can't be sent ----------------------------------------------------------------------------------------

INTERCOM = {**SALESFORCE, "INTERCOM_API_TOKEN": "tok"}
BEARER = {**SALESFORCE, "JIRA_BASE_URL": "https://jira.example.com", "JIRA_API_TOKEN": "tok"}
BASIC = {**BEARER, "JIRA_EMAIL": "a@example.com"}
APP = {"SALESFORCE_DOMAIN": "acme.my", "SALESFORCE_CLIENT_ID": "id", "SALESFORCE_CLIENT_SECRET": "sec"}
ROLLBAR = {**SALESFORCE, "ROLLBAR_ACCESS_TOKEN": "tok"}


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\nsecret"),
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\rsecret"),
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\0secret"),
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\x7fsecret"),
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\u2026secret"),
        (INTERCOM, "INTERCOM_API_TOKEN", "planted\udce4secret"),
        (BEARER, "JIRA_API_TOKEN", "planted\nsecret"),
        (BASIC, "JIRA_EMAIL", "planted\udce4secret"),
        (ROLLBAR, "ROLLBAR_ACCESS_TOKEN", "planted\nsecret"),
        (APP, "SALESFORCE_CLIENT_SECRET", "planted\u2026secret"),
        (APP, "SALESFORCE_CLIENT_ID", "planted\u2026secret"),
        (SALESFORCE, "SALESFORCE_PASSWORD", "planted\x01secret"),
        (SALESFORCE, "SALESFORCE_USERNAME", "planted\x01secret"),
        (SALESFORCE, "SALESFORCE_SECURITY_TOKEN", "planted\udce4secret"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_a_mistake_in_its_setting(
    environment: dict[str, str], name: str, value: str
) -> None:
    problems = problems_of({**environment, name: value})
    assert [problem.partition(":")[0] for problem in problems] == [f"{name} can't be sent"]
    assert "planted" not in str(problems)


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        (INTERCOM, "INTERCOM_API_TOKEN", "größe % \"'&<"),
        (BASIC, "JIRA_API_TOKEN", "two\nlines…"),  # packed in base64
        (APP, "SALESFORCE_CLIENT_SECRET", "größe\n"),
        (SALESFORCE, "SALESFORCE_PASSWORD", "größe…\n<&>"),
    ],
)
def test_what_can_be_sent_is_taken_as_it_is(environment: dict[str, str], name: str, value: str) -> None:
    settings.load({**environment, name: value})
    assert REDACT(value.strip()) == "•••"


@pytest.mark.parametrize("url", ["https://a.example.com\n.evil.example", "https://a.example.com/x y", "https://a\0b"])
def test_an_address_with_a_line_break_or_blank_is_refused(url: str) -> None:
    assert problems_of({**BASIC, "JIRA_BASE_URL": url}) == [
        "JIRA_BASE_URL must not have blanks, line breaks or control characters"
    ]


def test_a_bundle_without_certificates_is_a_mistake_before_anything_is_sent(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate", encoding="utf-8")
    environment = {**SALESFORCE, "ACCOUNTPULSE_CA_BUNDLE": str(bundle)}
    assert problems_of(environment) == ["ACCOUNTPULSE_CA_BUNDLE names a file without certificates in PEM form"]
    bundle.unlink()
    (problem,) = problems_of(environment)
    assert problem.startswith("ACCOUNTPULSE_CA_BUNDLE names a file that can't be read (No such file")
