"""A notice as a GitHub issue: one open issue for each thing, a comment for each repeat, closed when it is over."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from tradeworthy.adapters.notify.http import Http
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.model import Notice, Purpose

API = "https://api.github.com"
LABEL = "tradeworthy-alert"
DIGITS = 12


class GitHubIssues:
    """Keep issues of one repository, `owner/name`, over the REST interface of GitHub."""

    def __init__(self, repository: str, token: Callable[[], Secret], api: str = "") -> None:
        self._base = f"{(api or API).rstrip('/')}/repos/{repository}/issues"
        self._token, self._http = token, Http()

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Open the issue of a notice, else comment on it; a resolved one is closed. Returns the issue's number."""
        label = label_of(notice)
        found = await self._ask("GET", "", timeout_s, params={"state": "open", "labels": label, "per_page": "1"})
        if not isinstance(found, list):
            raise Refused("expected a list of issues, found something else")
        text = f"{notice.text}\n\nnotice `{notice.id}`"
        if not found:
            if notice.purpose is Purpose.RESOLVED:
                return Sent()  # nothing is open: it was closed by hand
            said = {"title": notice.title, "body": text, "labels": [LABEL, label]}
            made = await self._ask("POST", "", timeout_s, said)
            return Sent(str(made["number"]))
        number = str(found[0]["number"])
        await self._ask("POST", f"/{number}/comments", timeout_s, {"body": text})
        if notice.purpose is Purpose.RESOLVED:
            await self._ask("PATCH", f"/{number}", timeout_s, {"state": "closed"})
        return Sent(number)

    async def _ask(
        self, method: str, path: str, timeout_s: float, said: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:  # fmt: skip
        answer = await self._http.request(
            method, self._base + path, timeout_s=timeout_s, body=None if said is None else msgspec.json.encode(said),
            params=params, headers={
                "Accept": "application/vnd.github+json", "Authorization": f"Bearer {self._token().reveal()}",
                "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "tradeworthy",
            },
        )  # fmt: skip
        return answer.json()


def label_of(notice: Notice) -> str:
    """Return the label that finds a notice's issue again."""
    return f"alert-{hashlib.sha256(notice.dedup.encode()).hexdigest()[:DIGITS]}"
