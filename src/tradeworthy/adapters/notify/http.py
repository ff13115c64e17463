"""One HTTP request to a gateway, and what its answer means (extra `notify`)."""

from collections.abc import Mapping
from typing import Any

from tradeworthy.operations.incidents.channel import Refused

AGAIN = frozenset({408, 425, 429})
"""Refusals of the moment: the next attempt may be taken."""
BODY_SHOWN = 120


class Http:
    """Send requests over kept connections; the client opens with the first request, on the event loop that sends."""

    def __init__(self) -> None:
        self._client: Any = None
        import httpx

        self._httpx = httpx

    async def request(
        self, method: str, url: str, *, timeout_s: float, body: bytes | None = None,
        headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """Return the answer; raises `Refused` for one that no repeat changes, `OSError` for any other failure."""
        if self._client is None:
            self._client = self._httpx.AsyncClient(follow_redirects=False, trust_env=False)
        try:
            answer = await self._client.request(
                method, url, content=body, headers=dict(headers or {}), params=dict(params or {}), timeout=timeout_s
            )
        except self._httpx.InvalidURL as problem:
            raise Refused(f"expected a URL, found one that cannot be read: {problem}") from None
        except self._httpx.HTTPError as problem:
            raise OSError(f"{type(problem).__name__}: {problem}") from None
        status = answer.status_code
        if 200 <= status < 300:
            return answer
        said = f"HTTP {status}: {answer.text[:BODY_SHOWN]}"
        if 300 <= status < 500 and status not in AGAIN:
            raise Refused(said)
        raise OSError(said)


def named_in(answer: Any, *keys: str) -> str:
    """Return how a gateway calls what it took: the first of `keys` in its JSON, empty where it gives no name."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    return next((str(found[key]) for key in keys if key in found), "") if isinstance(found, dict) else ""
