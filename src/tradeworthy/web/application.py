"""The routes: health, readiness, metrics, summary, guard, certificate, and control (HLT-01)."""

from typing import Any, TypeVar

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.exceptions import HTTPException
from prometheus_client import CONTENT_TYPE_LATEST

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.health import report
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.web.access import Access
from tradeworthy.web.alert_routes import alert_routes
from tradeworthy.web.approval_routes import approval_routes
from tradeworthy.web.edge import AsgiApp, Edge
from tradeworthy.web.judgement_routes import judgement_routes
from tradeworthy.web.ports import (
    KILL,
    NO_PACK,
    RESUME,
    AlertPort,
    Board,
    CertificatePort,
    Command,
    Control,
    ControlAnswer,
    JudgedPort,
    KillCommand,
    PauseCommand,
    ResumeCommand,
)
from tradeworthy.web.refusals import LOG, Refusal, answer_crash, answer_refusal
from tradeworthy.web.tokens import Tokens

READY_SCHEMA, LIVE_SCHEMA = "tradeworthy.ready/1", "tradeworthy.live/1"
GUARD_SCHEMA, CONTROL_SCHEMA = "tradeworthy.guard/1", "tradeworthy.control/1"
OUTCOMES = {"done": 200, "accepted": 202, "refused": 409, "unknown": 504}
AnyRequest = Request[Any, Any, Any]
C = TypeVar("C", bound=Command)


def create_app(
    board: Board, control: Control, policy: HealthPolicy, *, clock: Clock, tokens: Tokens | None = None,
    certificate: CertificatePort | None = None, alerts: AlertPort | None = None, judged: JudgedPort | None = None,
) -> AsgiApp:  # fmt: skip
    """Return the application of the health address; nothing is opened and no task is started.

    tokens       None leaves loopback open to read, kill and pause; `web.server.require_safe` refuses any other address
    certificate  None: there is no evidence store, and `/certificate` says so;  alerts  None: no path of alerts runs
    judged       None: nothing judges the desk
    """
    access = Access(tokens, clock)
    reads = [access.needs(*policy.health_roles)]

    @get(policy.path, guards=reads)
    async def health() -> Response[bytes]:
        found = board.health()
        return _json(report.encode(found), found.http_status)

    @get("/ready", guards=reads)
    async def ready() -> Response[bytes]:
        missing = board.ready().missing
        return _plain({"schema": READY_SCHEMA, "ready": not missing, "missing": missing}, 503 if missing else 200)

    @get("/live")
    async def live() -> Response[bytes]:
        return _plain({"schema": LIVE_SCHEMA, "status": "OK"})

    @get("/summary", guards=reads)
    async def summary() -> Response[bytes]:
        found = board.summary()
        if found is None:
            raise Refusal(503)
        return _json(found)

    @get("/guard", guards=reads)
    async def guard() -> Response[bytes]:
        found = board.guard()
        if found is None or found.level is None:
            raise Refusal(503)
        reasons = [{**msgspec.to_builtins(one), "level": one.level.name.lower()} for one in found.reasons]
        body = {"schema": GUARD_SCHEMA, "at": found.at, "level": found.level.name.lower(), "reasons": reasons}
        return _plain(redact(body))

    @get("/certificate", guards=reads)
    async def shown() -> Response[bytes]:
        found = None if certificate is None else certificate.current()
        if found is None:
            raise Refusal(503)
        return _json(msgspec.json.encode(found))

    @post("/kill", guards=[access.needs(KILL)])
    async def kill(request: AnyRequest) -> Response[bytes]:
        asked = await _command(request, KillCommand)
        who = access.principal(request).name
        return _answer(asked, who, await control.kill(asked.reason, asked.scope, asked.flatten, who))

    @post("/pause", guards=[access.needs(KILL)])
    async def pause(request: AnyRequest) -> Response[bytes]:
        asked = await _command(request, PauseCommand)
        who = access.principal(request).name
        return _answer(asked, who, await control.pause(asked.reason, asked.scope, asked.expires_at, who))

    @post("/resume", guards=[access.needs_person(RESUME)])
    async def resume(request: AnyRequest) -> Response[bytes]:
        asked = await _command(request, ResumeCommand)
        who = access.principal(request).name
        pack = None if bytes(asked.pack) == bytes(NO_PACK) else bytes(asked.pack)
        return _answer(asked, who, await control.resume(asked.scope, pack, who))

    handlers = [health, ready, live, summary, guard, shown, kill, pause, resume, _metrics(board, access, policy)]
    handlers += alert_routes(alerts, access)
    handlers += approval_routes(control, access)
    handlers += judgement_routes(judged, access, policy.health_roles)
    return _application(handlers, policy, named=tokens is None)


def create_metrics_app(board: Board, policy: HealthPolicy, *, clock: Clock, tokens: Tokens | None = None) -> AsgiApp:
    """Return the application of the second listener: `/metrics` and nothing else (MET-01)."""
    return _application([_metrics(board, Access(tokens, clock), policy)], policy, named=tokens is None)


def _metrics(board: Board, access: Access, policy: HealthPolicy) -> Any:
    @get("/metrics", guards=[access.needs(*policy.metrics_roles)])
    async def metrics() -> Response[bytes]:
        return Response(board.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return metrics


def _application(handlers: list[Any], policy: HealthPolicy, *, named: bool) -> AsgiApp:
    inner = Litestar(
        handlers, openapi_config=None, logging_config=None, debug=False, pdb_on_exception=False,
        request_max_body_size=policy.body_bytes_max,
        exception_handlers={HTTPException: answer_refusal, Exception: answer_crash},
    )  # fmt: skip
    return Edge(inner, policy, tls=bool(policy.cert_path), named=named)


async def _command(request: AnyRequest, kind: type[C]) -> C:
    """Return a command; its body must be JSON of exactly its fields, and a stop or a pause says why."""
    if request.content_type[0] != "application/json":
        raise Refusal(415)
    try:
        asked = msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refusal(400) from None
    if isinstance(asked, KillCommand | PauseCommand) and not asked.reason.strip():
        raise Refusal(400)
    return asked


def _answer(asked: Command, who: str, found: ControlAnswer) -> Response[bytes]:
    LOG.info("control_answered", extra={
        "command": type(asked).__name__, "scope": asked.scope, "principal": who, "outcome": found.outcome,
        "faults": found.faults,
    })  # fmt: skip
    body = {"schema": CONTROL_SCHEMA, **msgspec.to_builtins(found)}
    return _plain(redact(body), OUTCOMES[found.outcome])


def _plain(body: Any, status: int = 200) -> Response[bytes]:
    return _json(msgspec.json.encode(body), status)


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=MediaType.JSON)
