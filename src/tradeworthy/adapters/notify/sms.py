"""A notice as a short text over an SMS gateway's HTTP interface."""

from collections.abc import Callable

import msgspec

from tradeworthy.adapters.notify.http import Http, named_in
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Sent
from tradeworthy.operations.incidents.model import Notice

TEXT_MAX = 320
"""Characters: two messages joined."""


class Sms:
    """Send texts to one number. The gateway takes JSON `to`, `from`, `body`, with the token as bearer."""

    def __init__(
        self, gateway: Callable[[], str], number: str, sender: str, token: Callable[[], Secret] | None = None
    ) -> None:
        self._gateway, self._number, self._sender, self._token = gateway, number, sender, token
        self._http = Http()

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Send one text: the title, the first line, and the alert's id."""
        tail = f" id {notice.alerts[0].id}" if notice.alerts else ""
        text = f"{notice.title}: {notice.text.partition(chr(10))[0]}"[: TEXT_MAX - len(tail)] + tail
        headers = {"Content-Type": "application/json", "Idempotency-Key": notice.id}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token().reveal()}"
        body = msgspec.json.encode({"to": self._number, "from": self._sender, "body": text})
        answer = await self._http.request("POST", self._gateway(), timeout_s=timeout_s, body=body, headers=headers)
        return Sent(named_in(answer, "id", "sid", "message_id"))
