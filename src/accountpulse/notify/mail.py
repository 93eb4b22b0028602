"""The digest by mail: text and HTML over SMTP, to all receivers or to none."""

import re
import smtplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from accountpulse.core.channel_access import MailServer
from accountpulse.core.loopback import is_loopback
from accountpulse.http import no_answer, tls
from accountpulse.notify.errors import NotSent
from accountpulse.notify.mail_page import page
from accountpulse.notify.message import Digest, Receipt
from accountpulse.notify.rendering import identifier, plain_text, ready

SETTING = "ACCOUNTPULSE_SMTP_URL"
SECONDS = 30.0  # that a server may take for each of its answers
_POLICY = SMTP.clone(cte_type="7bit")  # for a server that takes no other, too
_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")  # a code of RFC 3463; the words beside it may name people
_LATER = "Try again later."


class MailChannel:
    """Sends by one server. A digest's own recipient comes before `receivers`."""

    name = "mail"

    def __init__(
        self,
        server: MailServer,
        sender: str,
        receivers: tuple[str, ...] = (),
        ca_bundle: Path | None = None,
        *,
        seconds: float = SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`seconds` and `now` stand in for time in tests."""
        self._server = server
        self._sender = sender
        self._receivers = receivers
        self._ca_bundle = ca_bundle
        self._seconds = seconds
        self._now = now

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:  # noqa: ARG002 - Channel's
        """As Channel says. Where the server refuses one receiver, none gets it, so that a later try is no repeat."""
        own = (
            digest.recipient if digest.recipient and "@" in digest.recipient else None
        )  # else an id for another channel
        receivers = self._receivers if own is None else (own,)
        if not receivers:
            raise self._not_sent(
                "nobody to send it to", "Set digest.mail.to, or the owner's address under digest.owners."
            )
        content = self._message(ready(digest), receivers).as_bytes()
        with self._connection() as smtp:
            self._introduce(smtp)
            self._name_receivers(smtp, receivers)
            self._hand_over(smtp, content)
        return Receipt({})

    def _message(self, digest: Digest, receivers: tuple[str, ...]) -> EmailMessage:
        made = EmailMessage(policy=_POLICY)
        made["From"] = self._address(self._sender)
        made["To"] = [self._address(each) for each in receivers]
        made["Subject"] = digest.heading
        made["Date"] = format_datetime(self._now())
        # mail programs drop a second message with the same id
        made["Message-ID"] = f"<{identifier(digest)}@{self._sender.rpartition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer of an absent person is wanted
        made.set_content(plain_text(digest))
        made.add_alternative(page(digest), subtype="html")
        return made

    def _address(self, text: str) -> Address:
        """An address that is one and nothing more, so that it can neither end a header nor begin another address."""
        user, _, domain = text.rpartition("@")
        fits = (
            text.isascii()
            and text.isprintable()
            and user
            and domain
            and not re.search(r"[\s<>()\[\],;:\"\\@]", user + domain)
        )
        if not fits:
            raise self._not_sent(
                "a receiver is no mail address", "Check digest.mail and digest.owners in accountpulse.yaml."
            )
        return Address(username=user, domain=domain)

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        """A connection that greeted us; what breaks off inside is a NotSent."""
        server, context = self._server, tls.context(self._ca_bundle)
        # we say the sender's domain: the machine's own name may take long to find, and is nobody's business
        name = self._sender.rpartition("@")[2]
        try:
            smtp = (
                smtplib.SMTP_SSL(server.host, server.port, name, timeout=self._seconds, context=context)
                if server.is_tls
                else smtplib.SMTP(server.host, server.port, name, timeout=self._seconds)
            )
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error) from None
        try:
            yield smtp
            with suppress(OSError, smtplib.SMTPException):  # the message was taken: how it parts doesn't matter
                smtp.quit()
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error) from None
        finally:
            smtp.close()

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        """STARTTLS, then signing in. Without TLS nothing goes to another machine."""
        smtp.ehlo_or_helo_if_needed()
        if not self._server.is_tls:
            if smtp.has_extn("starttls"):
                smtp.starttls(context=tls.context(self._ca_bundle))
                smtp.ehlo_or_helo_if_needed()
            elif not is_loopback(self._server.host):
                remedy = f"Use a port of the server that has it, or smtps:// in {SETTING}."
                raise self._not_sent("the server offers no STARTTLS", remedy)
        if self._server.user is not None and self._server.password is not None:
            try:
                smtp.login(self._server.user, self._server.password.reveal())
            except smtplib.SMTPAuthenticationError as error:
                said = f"signing in was refused: {_code(error.smtp_code, error.smtp_error)}"
                raise self._not_sent(said, f"Check the user and the password of {SETTING}.") from None
            except smtplib.SMTPNotSupportedError:
                said = "the server lets nobody sign in here"
                raise self._not_sent(said, f"Check the port of {SETTING}, or leave user and password away.") from None

    def _name_receivers(self, smtp: smtplib.SMTP, receivers: tuple[str, ...]) -> None:
        code, text = smtp.mail(self._sender)
        if code != 250:
            raise self._not_sent(f"the sender was refused: {_code(code, text)}", "Check digest.mail.from.")
        answers = [smtp.rcpt(each) for each in receivers]
        refused = [(n, code, text) for n, (code, text) in enumerate(answers, 1) if code not in (250, 251)]
        if refused:
            number, code, text = refused[0]
            said = f"receiver {number} of {len(receivers)} was refused: {_code(code, text)}; so nobody got it"
            remedy = "Check digest.mail.to and digest.owners." if code >= 500 else _LATER
            raise self._not_sent(said, remedy)

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes) -> None:
        """The message itself: once it is on its way, only the server's answer says whether it came."""
        try:
            code, text = smtp.data(content)
        except smtplib.SMTPDataError as error:
            code, text = error.smtp_code, error.smtp_error  # type: ignore[assignment]
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error, may_have_arrived=True) from None
        if code != 250:
            raise self._not_sent(f"the message was refused: {_code(code, text)}", _LATER)

    def _broken(self, error: OSError | smtplib.SMTPException, *, may_have_arrived: bool = False) -> NotSent:
        """What ended the conversation before its end."""
        if tls.is_distrust(error):
            url = f"smtps://{self._server.host}"
            return self._not_sent(tls.distrust(error), tls.distrusted(url))
        if isinstance(error, smtplib.SMTPResponseException):
            return self._not_sent(f"the server refused: {_code(error.smtp_code, error.smtp_error)}", _LATER)
        why = no_answer.why(error, f"smtp://{self._server.host}:{self._server.port}")
        return self._not_sent(why, f"Check {SETTING}, or try again later.", may_have_arrived=may_have_arrived)

    @staticmethod
    def _not_sent(answer: str, remedy: str, *, may_have_arrived: bool = False) -> NotSent:
        return NotSent("mail", answer, remedy, may_have_arrived=may_have_arrived)


def _code(code: int, text: bytes | str) -> str:
    """The server's codes, without its words."""
    found = _ENHANCED.match(text if isinstance(text, bytes) else text.encode())
    return f"{code} {found[1].decode()}" if found else str(code)
