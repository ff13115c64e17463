"""The route of approvals: a changed configuration takes effect by the keys of people (CFG-07, HLT-05)."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, post

from tradeworthy.kernel.redaction import redact
from tradeworthy.web.access import Access
from tradeworthy.web.ports import APPROVE, ApproveCommand, Control
from tradeworthy.web.refusals import LOG, Refusal

CONTROL_SCHEMA = "tradeworthy.control/1"
OUTCOMES = {"done": 200, "accepted": 202, "refused": 409, "unknown": 504}
AnyRequest = Request[Any, Any, Any]


def approval_routes(control: Control, access: Access) -> list[Any]:
    """Return the handler; whoever hands a pack in has a token of the role, and signs nothing by it."""

    @post("/config/approve", guards=[access.needs_person(APPROVE)])
    async def approve(request: AnyRequest) -> Response[bytes]:
        if request.content_type[0] != "application/json":
            raise Refusal(415)
        try:
            asked = msgspec.json.decode(await request.body(), type=ApproveCommand)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Refusal(400) from None
        who = access.principal(request).name
        found = await control.approve(asked.config_hash, bytes(asked.pack), bytes(asked.gate_run), who)
        LOG.info("control_answered", extra={
            "command": "ApproveCommand", "scope": asked.config_hash, "principal": who, "outcome": found.outcome,
            "faults": found.faults,
        })  # fmt: skip
        body = redact({"schema": CONTROL_SCHEMA, **msgspec.to_builtins(found)})
        return Response(msgspec.json.encode(body), status_code=OUTCOMES[found.outcome], media_type=MediaType.JSON)

    return [approve]
