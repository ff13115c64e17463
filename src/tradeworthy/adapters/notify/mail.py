"""A notice as e-mail over SMTP, encrypted on its way unless the policy says otherwise."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial

from tradeworthy.adapters.notify.in_thread import in_thread
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.model import Notice

PORT = 587
SENDER = "tradeworthy@localhost"
_UNSAFE = str.maketrans({"\r": " ", "\n": " "})


class Mail:
    """Hand notices to one SMTP server; each is a connection of its own, so that none waits for a dead one.

    to, sender  addresses;  user  logs in with the password, where there is one
    context     trust of STARTTLS; None is the machine's own
    """

    def __init__(
        self, host: str, port: int, to: str, *, sender: str = "", password: Callable[[], Secret] | None = None,
        start_tls: bool = True, context: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._host, self._port, self._to, self._sender = host, port, to, sender or SENDER
        self._password, self._start_tls, self._context = password, start_tls, context

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Send one notice; the server's 250 is the receipt."""
        return await in_thread(partial(self._deliver, notice, timeout_s), name="alerts.mail")

    def _deliver(self, notice: Notice, timeout_s: float) -> Sent:
        try:
            with smtplib.SMTP(self._host, self._port, timeout=timeout_s) as server:
                if self._start_tls:
                    server.starttls(context=self._context or ssl.create_default_context())
                if self._password is not None:
                    server.login(self._sender, self._password().reveal())
                message = self._message(notice)
                refused = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as problem:
            raise self._final(problem.recipients) from None
        except smtplib.SMTPNotSupportedError as problem:
            raise Refused(f"the server offers no such thing: {problem}") from None
        except smtplib.SMTPAuthenticationError as problem:
            raise Refused(f"login refused: {problem.smtp_code}") from None
        except smtplib.SMTPResponseException as problem:
            said = f"SMTP {problem.smtp_code}: {_plain(problem.smtp_error)}"
            raise (Refused(said) if problem.smtp_code >= 500 else OSError(said)) from None
        if refused:
            raise self._final(refused)
        return Sent(str(message["Message-ID"]))

    def _final(self, recipients: dict[str, tuple[int, bytes]]) -> Exception:
        codes = [code for code, _ in recipients.values()]
        said = f"recipient refused: SMTP {max(codes, default=550)}"
        return OSError(said) if codes and all(code < 500 for code in codes) else Refused(said)

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.title.translate(_UNSAFE)
        message["From"], message["To"] = self._sender, self._to
        domain = self._sender.rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{notice.id.replace(':', '.')}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{notice.text}\n")
        return message


def _plain(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
