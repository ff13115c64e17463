"""What is said to a client that gets no answer: one JSON shape, nothing of the inside (HLT-05)."""

import logging
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from tradeworthy.kernel.redaction import trace_of

LOG = logging.getLogger("tradeworthy.web")
SCHEMA = "tradeworthy.error/1"
CHALLENGE = 'Bearer realm="tradeworthy"'
KEPT_HEADERS = frozenset({"www-authenticate", "allow"})
CODES = {
    400: ("bad_request", "the request cannot be read"),
    401: ("unauthenticated", "a valid bearer token is needed"),
    403: ("forbidden", "the token does not carry a role for this"),
    404: ("not_found", "there is no such address"),
    405: ("method_not_allowed", "this address takes another method"),
    408: ("too_slow", "the request took too long"),
    413: ("too_large", "the request is too large"),
    415: ("unsupported_type", "the body must be application/json"),
    421: ("misdirected", "this desk is not known by that name"),
    500: ("internal", "the desk could not answer; its log says why"),
    503: ("unavailable", "nothing is known yet"),
}
"""What each status says; nothing of what was sent or found is repeated."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    schema: str = SCHEMA
    status: int
    code: str
    message: str


class Refusal(HTTPException):
    """Answer with a status of `CODES`."""

    def __init__(self, status: int) -> None:
        headers = {"WWW-Authenticate": CHALLENGE} if status == 401 else None
        super().__init__(detail=CODES[status][1], status_code=status, headers=headers)


def refusal_bytes(status: int) -> bytes:
    """Return the body of a refusal; a status without words of its own is told as its class."""
    code, message = CODES.get(status) or CODES[500 if status >= 500 else 400]
    return msgspec.json.encode(ErrorBody(status=status, code=code, message=message))


def answer_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer an expected refusal."""
    del request
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() in KEPT_HEADERS}
    return Response(
        refusal_bytes(error.status_code), status_code=error.status_code, media_type=MediaType.JSON, headers=kept
    )


def answer_crash(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a crash: the trace goes to the log, without secrets, never outward."""
    LOG.error("request_failed", extra={"path": request.url.path, "trace": trace_of(error)})
    return Response(refusal_bytes(500), status_code=500, media_type=MediaType.JSON)
