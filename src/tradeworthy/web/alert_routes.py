"""The routes of alerts and incidents: what fires, taking one, tickets, the webhook of Prometheus (AR-02, AR-17)."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, post

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.web.access import Access
from tradeworthy.web.ports import ALERTS_ACK, ALERTS_PUSH, ALERTS_READ, AlertPort, ControlAnswer
from tradeworthy.web.refusals import LOG, Refusal

CONTROL_SCHEMA = "tradeworthy.control/1"
PUSH_BYTES_MAX = 1 << 20
"""Of one message of Alertmanager."""
AnyRequest = Request[Any, Any, Any]


def alert_routes(alerts: AlertPort | None, access: Access) -> list[Any]:
    """Return the handlers; without a path each answers 503. Taking an alert needs a name, pushing one a role."""

    @get("/api/alerts", guards=[access.needs(ALERTS_READ)])
    async def listed() -> Response[bytes]:
        found = None if alerts is None else alerts.firing()
        if found is None:
            raise Refusal(503)
        return Response(found, media_type=MediaType.JSON)

    def tickets(name: str = "") -> Response[bytes]:
        found = None if alerts is None else alerts.incidents(name)
        if found is None:
            raise Refusal(503)
        status, body = found
        if status != 200:
            raise Refusal(status)
        return Response(msgspec.json.encode(redact(msgspec.json.decode(body))), media_type=MediaType.JSON)

    @get("/api/incidents", guards=[access.needs(ALERTS_READ)])
    async def incidents() -> Response[bytes]:
        return tickets()

    @get("/api/incidents/{incident:str}", guards=[access.needs(ALERTS_READ)])
    async def incident(request: AnyRequest) -> Response[bytes]:
        return tickets(str(request.path_params["incident"]))

    @post("/api/alerts/{alert:str}/ack", guards=[access.needs_person(ALERTS_ACK)])
    async def taken(request: AnyRequest) -> Response[bytes]:
        alert, who = str(request.path_params["alert"]), access.principal(request).name
        answer = None if alerts is None else alerts.acknowledge(alert, who)
        if answer is None:
            raise Refusal(503)
        outcome: Any = "refused" if answer.fault else "done"
        LOG.info("alert_taken", extra={"alert": alert, "principal": who, "outcome": outcome})
        faults = (answer.fault,) if answer.fault else ()
        body = msgspec.to_builtins(ControlAnswer(outcome=outcome, text=outcome, faults=faults))
        data = msgspec.json.encode(redact({"schema": CONTROL_SCHEMA, **body}))
        return Response(data, status_code=409 if answer.fault else 200, media_type=MediaType.JSON)

    @post(
        "/api/alerts/prometheus", guards=[access.needs_person(ALERTS_PUSH)], request_max_body_size=PUSH_BYTES_MAX
    )
    async def pushed(request: AnyRequest) -> Response[bytes]:
        if alerts is None:
            raise Refusal(503)
        if request.content_type[0] != "application/json":
            raise Refusal(415)
        try:
            count = alerts.take(await request.body())
        except UsageError as problem:
            LOG.warning("prometheus_refused", extra={"problem": str(problem)})
            raise Refusal(400) from None
        data = msgspec.json.encode({"schema": CONTROL_SCHEMA, "taken": count})
        return Response(data, status_code=200, media_type=MediaType.JSON)

    return [listed, incidents, incident, taken, pushed]
