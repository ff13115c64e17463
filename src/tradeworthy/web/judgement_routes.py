"""The routes of judgement: assessments and gates of the running desk, from memory (FW-27, GE-19)."""

from typing import Any

from litestar import MediaType, Request, Response, get

from tradeworthy.web.access import Access
from tradeworthy.web.ports import JudgedPort
from tradeworthy.web.refusals import Refusal

AnyRequest = Request[Any, Any, Any]


def judgement_routes(judged: JudgedPort | None, access: Access, roles: tuple[str, ...]) -> list[Any]:
    """Return the handlers; where nothing is judged each answers 503, and 404 for a name that nobody knows."""
    reads = [access.needs(*roles)]

    @get("/api/assessments", guards=reads)
    async def assessments() -> Response[bytes]:
        return _told(None if judged is None else judged.assessments())

    @get("/api/assessments/{name:str}", guards=reads)
    async def assessment(request: AnyRequest) -> Response[bytes]:
        return _told(None if judged is None else judged.assessments(_name(request)))

    @get("/api/assessments/{name:str}/history", guards=reads)
    async def course(request: AnyRequest) -> Response[bytes]:
        return _told(None if judged is None else judged.assessments(_name(request), course=True))

    @get("/api/gates", guards=reads)
    async def gates() -> Response[bytes]:
        return _told(None if judged is None else judged.gates())

    @get("/api/gates/{name:str}", guards=reads)
    async def gate(request: AnyRequest) -> Response[bytes]:
        return _told(None if judged is None else judged.gates(_name(request)))

    return [assessments, assessment, course, gates, gate]


def _name(request: AnyRequest) -> str:
    return str(request.path_params["name"])


def _told(found: tuple[int, bytes] | None) -> Response[bytes]:
    if found is None:
        raise Refusal(503)
    status, body = found
    if status == 404:
        raise Refusal(404)
    return Response(body, status_code=status, media_type=MediaType.JSON)
