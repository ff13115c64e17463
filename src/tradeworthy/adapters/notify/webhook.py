"""A notice as signed JSON to a webhook: HMAC-SHA256 over stamp and body, and a key by which repeats are dropped."""

import hashlib
import hmac
from collections.abc import Callable

import msgspec

from tradeworthy.adapters.notify.http import Http, named_in
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Sent
from tradeworthy.operations.incidents.model import Notice

SIGNED, STAMPED, REPEATED = "X-Tradeworthy-Signature", "X-Tradeworthy-Timestamp", "Idempotency-Key"


class Webhook:
    """Post notices to one URL.

    key  of the signature; None sends without one
    """

    def __init__(self, url: Callable[[], str], key: Callable[[], Secret] | None = None) -> None:
        self._url, self._key, self._http = url, key, Http()

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Post one notice; any 2xx is a receipt."""
        body = msgspec.json.encode(notice)
        headers = {"Content-Type": "application/json", REPEATED: notice.id, STAMPED: str(notice.at)}
        if self._key is not None:
            headers[SIGNED] = signature(self._key(), notice.at, body)
        answer = await self._http.request("POST", self._url(), timeout_s=timeout_s, body=body, headers=headers)
        return Sent(named_in(answer, "id", "message_id"))


def signature(key: Secret, at: int, body: bytes) -> str:
    """Return `sha256=` and the HMAC of the stamp, a point and the body, as a receiver computes it."""
    return "sha256=" + hmac.new(key.reveal().encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
