"""A notice to a Slack channel, by the incoming webhook whose URL is itself a secret."""

from collections.abc import Callable

import msgspec

from tradeworthy.adapters.notify.http import Http
from tradeworthy.operations.incidents.channel import Sent
from tradeworthy.operations.incidents.model import Notice

TEXT_MAX = 3_000
"""Characters that one Slack block may have."""
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Slack:
    """Post notices to one incoming webhook."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url, self._http = url, Http()

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Post one notice; Slack answers `ok` and gives no name."""
        title, text = notice.title.translate(_ESCAPED), notice.text.translate(_ESCAPED)
        body = msgspec.json.encode({"text": f"*{title}*\n{text}"[:TEXT_MAX]})
        await self._http.request(
            "POST", self._url(), timeout_s=timeout_s, body=body, headers={"Content-Type": "application/json"}
        )
        return Sent()
