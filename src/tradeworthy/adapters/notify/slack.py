"""A notice to a Slack channel: by a webhook whose URL is itself a secret, or by a bot that keeps threads (AR-13)."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from tradeworthy.adapters.notify.http import Http
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.model import Notice, Purpose

TEXT_MAX = 3_000
"""Characters that one Slack block may have."""
API = "https://slack.com/api"
THREADS_MAX = 1_000
"""Things whose thread is kept."""
AGAIN = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
"""Errors of the moment."""
THREADED = frozenset({Purpose.ALERT, Purpose.RESOLVED, Purpose.ESCALATION})
"""What belongs to a thread; digests, tests and canaries stand alone."""
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Slack:
    """Post notices to one incoming webhook."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url, self._http = url, Http()

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Post one notice; Slack answers `ok` and gives no name."""
        body = msgspec.json.encode({"text": _said(notice)})
        await self._http.request(
            "POST", self._url(), timeout_s=timeout_s, body=body, headers={"Content-Type": "application/json"}
        )
        return Sent()


class SlackThreads:
    """Post notices as a bot: the first about a thing opens a thread, every further one answers in it.

    channel  e.g. #ops-alerts;  token  of the bot;  api  where it is asked, empty = Slack itself
    """

    def __init__(self, channel: str, token: Callable[[], Secret], api: str = "") -> None:
        self._channel, self._token, self._api = channel, token, (api or API).rstrip("/")
        self._http = Http()
        self._threads: OrderedDict[str, str] = OrderedDict()

    def go_on(self, threads: Mapping[str, str]) -> None:
        """Take the threads of an earlier process: what a notice is about to the name of its first message."""
        self._threads.update(threads)

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Post one notice; the receipt names the thread. An answer that is not `ok` is a failure."""
        thread = self._threads.get(notice.dedup) if notice.purpose in THREADED else None
        asked = {"channel": self._channel, "text": _said(notice), **({} if thread is None else {"thread_ts": thread})}
        answer = await self._http.request(
            "POST", f"{self._api}/chat.postMessage", timeout_s=timeout_s, body=msgspec.json.encode(asked),
            headers={
                "Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {self._token().reveal()}",
            },
        )  # fmt: skip
        try:
            said = msgspec.json.decode(answer.content, type=_Posted)
        except msgspec.MsgspecError as problem:
            raise OSError(f"expected Slack's answer, found {problem}") from None
        if not said.ok:
            if said.error == "thread_not_found":
                self._threads.pop(notice.dedup, None)
            elif said.error not in AGAIN:
                raise Refused(f"Slack: {said.error}")
            raise OSError(f"Slack: {said.error}")
        name = thread or said.ts
        if notice.purpose is Purpose.RESOLVED:  # what comes back later is another matter
            self._threads.pop(notice.dedup, None)
        elif notice.purpose in THREADED:
            self._threads[notice.dedup] = name
        while len(self._threads) > THREADS_MAX:
            self._threads.popitem(last=False)
        return Sent(name)


class _Posted(msgspec.Struct, frozen=True):
    ok: bool
    ts: str = ""
    error: str = ""


def _said(notice: Notice) -> str:
    title, text = notice.title.translate(_ESCAPED), notice.text.translate(_ESCAPED)
    return f"*{title}*\n{text}"[:TEXT_MAX]
