"""Files, what Apprise knows, and which channels the settings make."""

import json
import logging
import stat
import sys
from pathlib import Path

import pytest

from accountpulse import settings
from accountpulse.core.channel_access import ChannelAccess
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.outgoing import outgoing
from accountpulse.core.secret import Secret
from accountpulse.notify.channels import channels
from accountpulse.notify.errors import NotSent
from accountpulse.notify.file import FileChannel
from accountpulse.notify.other_services import AppriseChannel
from accountpulse.pipeline.run import fingerprint_of
from notify.digests import digest, receiver

KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # which Apprise loads

# --- files ---


def test_a_digest_is_written_as_text_and_as_json_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "digests"
    FileChannel(folder).send(digest(), {})
    FileChannel(folder).send(digest(heading="Again"), {})
    FileChannel(folder).send(digest(key="another"), {})
    written = sorted(folder.iterdir())
    assert len(written) == 4
    assert {stat.S_IMODE(each.stat().st_mode) for each in written} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    texts = [each.read_text(encoding="utf-8") for each in written if each.suffix == ".txt"]
    assert sum(text.startswith("Again\nFor Dana Owner\nJira was not read.\n") for text in texts) == 1
    headings = {json.loads(each.read_text(encoding="utf-8"))["heading"] for each in written if each.suffix == ".json"}
    assert headings == {"Again", "Customer health, 30 November 2026: 2 accounts crossed a line"}


def test_a_folder_that_cannot_be_written_to_is_told_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(NotSent, match=r"digest\.file\.folder") as caught:
        FileChannel(tmp_path / "taken").send(digest(), {})
    assert not caught.value.may_have_arrived


# --- Apprise ---


def apprise_channel(*urls: str) -> AppriseChannel:
    return AppriseChannel(tuple(Secret(each) for each in urls))


def test_apprise_hands_the_text_to_each_address() -> None:
    with receiver((200, "", {})) as one:
        apprise_channel(one.url.replace("http", "json") + "/a", one.url.replace("http", "json") + "/b").send(
            digest(), {}
        )
    assert [each.path for each in one.came] == ["/a", "/b"]
    told = json.loads(one.came[0].body)
    assert told["title"] == "Customer health, 30 November 2026: 2 accounts crossed a line"
    assert "Acme & Söhne <GmbH>\n  Healthy to At Risk" in told["message"]
    assert "Next: Call the sponsor" in told["message"]
    assert "Group: Acme <Holding>: group health 61.2" in told["message"]


def test_an_address_that_does_not_take_it_is_told_by_its_number_and_no_redirect_is_followed(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with receiver((200, "", {})) as good, receiver((302, "", {"Location": good.url + "/elsewhere"})) as bad:
        made = apprise_channel(
            good.url.replace("http", "json"), bad.url.replace("http", "json") + "/secretword?redirect=yes"
        )
        with pytest.raises(NotSent, match=r"address 2 \(JSON\) of 2 did not take it") as caught:
            made.send(digest(), {})
    assert caught.value.may_have_arrived
    assert [each.path for each in good.came] == ["/"]
    assert "secretword" not in caplog.text + "".join(capfd.readouterr()) + str(caught.value)


def test_addresses_that_apprise_knows_not_or_that_go_without_tls_are_refused_by_number() -> None:
    with pytest.raises(ConfigurationError) as caught:
        apprise_channel("nothing://x/hidden-hidden", "json://example.com/hidden-hidden", "jsons://example.com/fine")
    assert "address 1 is none that Apprise knows" in str(caught.value)
    assert "address 2 goes without TLS" in str(caught.value)
    assert "address 3" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_where_apprise_is_missing_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # what Python itself has for a module that isn't there
    with pytest.raises(ConfigurationError, match=r"pip install 'accountpulse\[apprise\]'"):
        apprise_channel("json://127.0.0.1")


# --- settings ---


def loaded(tmp_path: Path, text: str = "", **environment: str) -> settings.Settings:
    path = tmp_path / "accountpulse.yaml"
    path.write_text(text, encoding="utf-8")
    access = {"SALESFORCE_USERNAME": "health@vendor.example", "SALESFORCE_PASSWORD": "a password of ours"}
    return settings.load({"ACCOUNTPULSE_CONFIG": str(path), **access, **environment})


def test_the_settings_make_every_channel_that_is_named(tmp_path: Path) -> None:
    text = "digest: {mail: {from: health@vendor.example, to: [cs@vendor.example]}, file: {folder: digests}}"
    access = loaded(
        tmp_path,
        text,
        ACCOUNTPULSE_SLACK_WEBHOOK="https://hooks.slack.com/services/T0/B0/xyzxyz",
        ACCOUNTPULSE_SMTP_URL="smtps://health%40vendor.example:p%2Fss%20word@mail.example",
        ACCOUNTPULSE_WEBHOOK_URL="https://example.com/in?sig=abc",
        ACCOUNTPULSE_WEBHOOK_KEY=KEY,
        ACCOUNTPULSE_APPRISE_URLS="jsons://example.com/a  jsons://example.com/b",
    ).channels
    server = access.mail_server
    assert server is not None
    assert (server.host, server.port, server.is_tls, server.user) == (
        "mail.example",
        465,
        True,
        "health@vendor.example",
    )
    assert server.password is not None
    assert server.password.reveal() == "p/ss word"
    assert access.folder == tmp_path / "digests"
    assert len(access.apprise) == 2
    names = ["file", "slack", "mail", "webhook", "apprise", "slack"]
    assert [each.name for each in channels(access, names)] == names[:5]


def test_everything_that_named_channels_lack_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        channels(ChannelAccess(), ["slack", "mail", "webhook", "apprise", "file", "pigeon"])
    for name in ("SLACK_WEBHOOK", "SMTP_URL", "WEBHOOK_KEY", "APPRISE_URLS"):
        assert f"ACCOUNTPULSE_{name}" in str(caught.value)
    assert "digest.file.folder: is not set" in str(caught.value)
    assert "pigeon is no channel" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_WEBHOOK", "http://hooks.slack.com/services/hunter22", "must begin with https://"),
        ("SLACK_WEBHOOK", "https://a:hunter22@hooks.slack.com/", "must not contain a user or password"),
        ("SMTP_URL", "smtp://mail.example/hunter22", "must be smtps://user:password@host"),
        ("SMTP_URL", "smtp://hunter22@mail.example", "must be smtps://user:password@host"),
        ("SMTP_URL", "https://a:hunter22@mail.example", "must be smtps://user:password@host"),
        ("SMTP_URL", "smtps://a:hunter22%C3%A9@mail.example", "of ASCII characters"),
        ("SMTP_URL", "smtp://mail.example:99999", "must be smtps://user:password@host"),
        ("WEBHOOK_KEY", "hunter22", "must be whsec_ and base64"),
    ],
)
def test_what_is_wrong_with_a_channels_setting_is_said_by_its_name(
    name: str, value: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, **{f"ACCOUNTPULSE_{name}": value})
    assert f"ACCOUNTPULSE_{name}" in str(caught.value)
    assert said in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_webhook_without_its_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ACCOUNTPULSE_WEBHOOK_KEY is not set"):
        loaded(tmp_path, ACCOUNTPULSE_WEBHOOK_URL="https://example.com/in")


@pytest.mark.parametrize(
    "text",
    [
        "digest: {mail: {from: 'Dana <dana@vendor.example>'}}",
        "digest: {mail: {to: ['dana@vendor.example, lead@vendor.example']}}",
        'digest: {mail: {to: ["dana@vendor.example\\nBcc: thief@evil.example"]}}',
        "digest: {tasks: {fallback_owner: dana}}",
    ],
)
def test_an_address_or_id_that_is_none_is_a_mistake_of_the_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"line 1, digest\.(mail|tasks)"):
        loaded(tmp_path, text)


def test_another_receiver_of_the_digest_leaves_what_a_run_has_read_usable(tmp_path: Path) -> None:
    plain, mailed, zoned = (
        fingerprint_of(loaded(tmp_path, text))
        for text in ("", "digest: {mail: {to: [cs@vendor.example]}}", "timezone: Europe/Berlin")
    )
    assert plain == mailed != zoned


def test_every_channels_secret_is_masked_wherever_it_turns_up(tmp_path: Path) -> None:
    loaded(
        tmp_path,
        ACCOUNTPULSE_SLACK_WEBHOOK="https://hooks.slack.com/services/T0A1/B0B2/Zq83kfUehT5Lw0",
        ACCOUNTPULSE_SMTP_URL="smtps://health:p%2Fss-81word@mail.example",
        ACCOUNTPULSE_APPRISE_URLS="jsons://example.com/Kq83kfUehT5Lw0 tgram://1234:Xq83kfUehT5Lw0",
    )
    for secret in (
        "https://hooks.slack.com/services/T0A1/B0B2/Zq83kfUehT5Lw0",
        "p/ss-81word",
        "p%2Fss-81word",
        "jsons://example.com/Kq83kfUehT5Lw0",
        "tgram://1234:Xq83kfUehT5Lw0",
    ):
        assert secret not in outgoing(f"before {secret} after")
