"""The digest by mail, to servers that are real: aiosmtpd on a socket, with TLS where a test is about it."""

import email
import email.policy
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from accountpulse.core.channel_access import MailServer
from accountpulse.core.secret import Secret
from accountpulse.notify.errors import NotSent
from accountpulse.notify.mail import MailChannel
from accountpulse.notify.message import Other
from notify.digests import digest, entry

PASSWORD = "correct-horse-battery"
SENDER = "health@vendor.example"
TEAM = ("cs@vendor.example", "lead@vendor.example")


class Mailbox:
    """What a server took; it refuses one receiver, and may do as a test wants when the message came."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer: str | None = "250 2.0.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address.startswith("gone@"):
            return f"550 5.1.1 <{address}> has left for Example Corp"
        if address.startswith("later@"):
            return "451 4.7.1 Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        if self.answer is None:
            server.transport.abort()
            return "250 nobody reads this"
        return self.answer

    @property
    def messages(self) -> list[EmailMessage]:
        parsed = (email.message_from_bytes(each.content or b"", policy=email.policy.default) for each in self.envelopes)
        return [each for each in parsed if isinstance(each, EmailMessage)]


def signs_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"health", PASSWORD.encode()), handled=False)


class Server(Controller):
    """aiosmtpd, as it is asked for."""

    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="mail.test", **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # any free one was asked for
        super()._trigger_server()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate for this machine, and the file of the authority that made it."""
    made = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return context, path


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def plain(box: Mailbox) -> Iterator[Server]:
    """A server of this machine without TLS."""
    with running(Server(box, "127.0.0.1", 0)) as server:
        yield server


class running:  # noqa: N801
    """Started and stopped."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> Server:
        self._server.start()
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def channel(server: Server, receivers: tuple[str, ...] = TEAM, **more: Any) -> MailChannel:
    found = MailServer("127.0.0.1", server.port, is_tls=False)
    return MailChannel(found, SENDER, receivers, seconds=5.0, **more)


def refused(made: MailChannel, **changes: Any) -> NotSent:
    with pytest.raises(NotSent) as caught:
        made.send(digest(**changes), {})
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_mail_has_the_digest_as_text_and_as_html(plain: Server, box: Mailbox) -> None:
    channel(plain).send(digest(), {})
    [message] = box.messages
    assert (message["From"], message["To"]) == (SENDER, ", ".join(TEAM))
    assert message["Subject"] == "Customer health, 30 November 2026: 2 accounts crossed a line"
    assert message["Auto-Submitted"] == "auto-generated"
    content = box.envelopes[0].content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 998
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    for part in (
        "Acme & Söhne <GmbH>\n  Healthy to At Risk",
        "Next: Call the sponsor",
        "Group: Acme <Holding>: group health 61.2 of 4 accounts",
        "- Globex: renewal within 30",
    ):
        assert part in text.get_content().replace("\r\n", "\n")
    assert "<strong>Acme &amp; Söhne &lt;GmbH&gt;</strong><br>\nHealthy to At Risk" in html.get_content().replace(
        "\r\n", "\n"
    )
    assert 'href="https://example.my.salesforce.com/001Hu0000000001AAA?a=1&amp;b=2"' in html.get_content()
    assert box.envelopes[0].rcpt_tos == [*TEAM]


def test_a_repeat_has_the_same_message_id_so_that_mail_programs_can_drop_it(plain: Server, box: Mailbox) -> None:
    for key in ("one", "one", "two"):
        channel(plain).send(digest(key=key), {})
    first, again, other = (message["Message-ID"] for message in box.messages)
    assert first == again != other
    assert first.endswith("@vendor.example>")


def test_an_owner_with_a_mail_address_gets_it_alone_and_one_with_another_id_shares_the_teams(
    plain: Server, box: Mailbox
) -> None:
    channel(plain).send(digest(recipient="dana@vendor.example"), {})
    channel(plain).send(digest(recipient="U012AB3CD"), {})
    assert [each.rcpt_tos for each in box.envelopes] == [["dana@vendor.example"], [*TEAM]]


def test_no_text_can_add_a_header_or_a_receiver(plain: Server, box: Mailbox) -> None:
    heading = "Health\r\nBcc: thief@evil.example\r\n\r\nHello"
    others = (Other("1", "<script>alert(1)</script>\r\n.\r\nMAIL FROM:<x@y>", "late", ()),)
    channel(plain).send(digest(heading=heading, entries=(entry("\r\n.\r\nQUIT"),), others=others), {})
    [message] = box.messages
    assert message["Subject"] == "Health Bcc: thief@evil.example Hello"
    assert message["Bcc"] is None
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert len(box.envelopes) == 1
    bad = "dana@vendor.example>\r\nRCPT TO:<thief@evil.example"
    assert "no mail address" in str(refused(channel(plain), recipient=bad))
    assert len(box.envelopes) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # it knows its own TLS only by STARTTLS
@pytest.mark.parametrize("way", ["smtps", "starttls"])
def test_tls_and_signing_in(way: str, box: Mailbox, authority: tuple[ssl.SSLContext, Path]) -> None:
    context, path = authority
    tls = {"ssl_context": context} if way == "smtps" else {}
    kept = {"auth_required": True, "authenticator": signs_in, "auth_require_tls": way == "starttls"}
    kept |= {"tls_context": context, "require_starttls": True} if way == "starttls" else {}
    with running(Server(box, "127.0.0.1", 0, **tls, **kept)) as server:
        found = MailServer("127.0.0.1", server.port, way == "smtps", "health", Secret(PASSWORD))
        MailChannel(found, SENDER, TEAM, path).send(digest(), {})
        assert len(box.envelopes) == 1
        error = refused(MailChannel(found, SENDER, TEAM))
        assert "ACCOUNTPULSE_CA_BUNDLE" in str(error)
        wrong = MailServer("127.0.0.1", server.port, way == "smtps", "health", Secret("wrong-" + PASSWORD))
        error = refused(MailChannel(wrong, SENDER, TEAM, path))
        assert "signing in was refused: 535 5.7.8" in str(error)
        assert "ACCOUNTPULSE_SMTP_URL" in str(error)
        assert not error.may_have_arrived
    assert len(box.envelopes) == 1


def test_nothing_goes_to_another_machine_without_tls(box: Mailbox) -> None:
    """0.0.0.0 leads to this machine, and is none of its own addresses."""
    with running(Server(box, "127.0.0.1", 0)) as server:
        found = MailServer("0.0.0.0", server.port, is_tls=False, user="health", password=Secret(PASSWORD))  # noqa: S104
        assert "no STARTTLS" in str(refused(MailChannel(found, SENDER, TEAM)))
    assert box.envelopes == []


def test_where_one_receiver_is_refused_nobody_gets_it_and_the_address_is_not_told(plain: Server, box: Mailbox) -> None:
    error = refused(channel(plain, (*TEAM, "gone@vendor.example")))
    assert "receiver 3 of 3 was refused: 550 5.1.1; so nobody got it" in str(error)
    assert "gone@" not in str(error)
    assert "Example Corp" not in str(error)
    assert not error.may_have_arrived
    assert "Try again later" in str(refused(channel(plain, ("later@vendor.example",))))
    assert box.envelopes == []


def test_without_receivers_the_key_is_named(plain: Server) -> None:
    assert "digest.mail.to" in str(refused(channel(plain, ())))


def test_a_message_that_is_refused_has_not_arrived_and_one_without_an_answer_may_have(
    plain: Server, box: Mailbox
) -> None:
    box.answer = "552 5.3.4 Too big"
    error = refused(channel(plain))
    assert "the message was refused: 552 5.3.4" in str(error)
    assert not error.may_have_arrived
    box.answer = None
    error = refused(channel(plain))
    assert "closed the connection" in str(error)
    assert error.may_have_arrived


def test_a_server_that_says_nothing_is_not_waited_for_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = MailServer("127.0.0.1", silent.getsockname()[1], is_tls=False)
        error = refused(MailChannel(found, SENDER, TEAM, seconds=0.2))
    assert "in time" in str(error)
    assert not error.may_have_arrived
