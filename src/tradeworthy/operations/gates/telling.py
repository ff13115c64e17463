"""Verdicts for machines: metrics, and what `GET /api/gates/<gate>` answers (GE-19)."""

from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.telemetry.metric_families import FamilySpec, MetricType
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.operations.gates.model import Answer
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.page import headline
from tradeworthy.operations.gates.store import GivenVerdict, Known

GAUGE = MetricType.GAUGE
GATE_SPECS = (
    FamilySpec("gate_status", GAUGE, "1 while the newest verdict stands at GO, else 0.", ("gate",)),
    FamilySpec("gate_present", GAUGE, "1 once there is a verdict.", ("gate",)),
    FamilySpec("gate_expires_seconds", GAUGE, "Seconds until GO ends; 0 where it is NO-GO.", ("gate",)),
    FamilySpec("gate_requirement_ok", GAUGE, "1 while a row of the newest verdict is met.", ("gate", "requirement")),
)
"""Pass them to `DeskMetrics(more=...)`."""
HTTP_OK, HTTP_NOT_FOUND = 200, 404


class Told(NamedTuple):
    """Status and JSON of one answer."""

    http_status: int
    body: bytes


def show(metrics: DeskMetrics, known: Known, now: int) -> None:
    """Fill the families from the newest verdicts; a gate without one shows NO-GO."""
    values: dict[str, dict[tuple[str, ...], float]] = {one.name: {} for one in GATE_SPECS}
    for name in GATES:
        given = known.newest(name)
        go = given is not None and given.verdict.standing(now) is Answer.GO
        values["gate_status"][name,] = go
        values["gate_present"][name,] = given is not None
        expires = None if given is None else given.verdict.expires_at
        if not go or expires is not None:
            values["gate_expires_seconds"][name,] = (expires - now) / NANOS_PER_SECOND if go and expires else 0.0
        for row in () if given is None else given.verdict.rows:
            lapsed = row.ends_at is not None and now >= row.ends_at
            values["gate_requirement_ok"][name, row.id] = row.met and not lapsed
    for family, found in values.items():
        metrics[family].replace(found)


def answer(known: Known, now: int, gate: str = "") -> Told:
    """Answer for one gate, or for all where none is named; a gate without a verdict is NO-GO."""
    if gate and gate not in GATES:
        return Told(HTTP_NOT_FOUND, msgspec.json.encode({"error": f"no gate is named {gate}"}))
    if gate:
        return Told(HTTP_OK, msgspec.json.encode(_of(gate, known.newest(gate), now, rows=True), order="sorted"))
    told = [_of(name, known.newest(name), now, rows=False) for name in GATES]
    return Told(HTTP_OK, msgspec.json.encode({"at": now, "gates": told}, order="sorted"))


def _of(gate: str, given: GivenVerdict | None, now: int, *, rows: bool) -> dict[str, Any]:
    if given is None:
        return {"gate": gate, "standing": Answer.NO_GO, "verdict_id": None, "told": "there is no verdict"}
    verdict = given.verdict
    found: dict[str, Any] = {
        "gate": gate, "standing": verdict.standing(now), "verdict_id": given.verdict_id, "told": headline(verdict),
        "bundle_id": verdict.bundle_id, "evaluated_at": verdict.evaluated_at, "expires_at": verdict.expires_at,
        "binding": verdict.context.binding, "waivers": verdict.waivers,
    }  # fmt: skip
    return {**found, "rows": verdict.rows} if rows else found
