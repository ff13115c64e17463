"""The story of every order, told from the journal: what happened, by whom, how long it took (OM-08).

A fold over events, so that the hot path pays nothing for it.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec

from tradeworthy.kernel.facts import Event
from tradeworthy.trading.model.order import (
    AmendOrder,
    CancelOrder,
    ExecReport,
    Liquidity,
    OrderChanged,
    OrderState,
    ReportType,
    SubmitOrder,
)

_S, _R = OrderState, ReportType


class Stage(Enum):
    """What an order went through."""

    CREATED = "created"
    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    FILLED = "filled"
    AMENDED = "amended"
    CANCEL_ASKED = "cancel_asked"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED_AT_CREATE = "rejected_at_create"
    REJECTED_AT_CANCEL = "rejected_at_cancel"
    REJECTED_AT_UPDATE = "rejected_at_update"
    UNKNOWN = "unknown"
    RESOLVED = "resolved"


class LifeStep(msgspec.Struct, frozen=True):
    """One step of one order, with the journal sequence it rests on.

    by          who wanted it: strategy, risk, operator, execution or venue
    latency_ns  from the command that it answers, None where it answers none
    """

    seq: int
    ts: int
    client_order_id: str
    stage: Stage
    by: str
    code: str | None = None
    latency_ns: int | None = None
    venue_order_id: str | None = None
    trade_id: str | None = None
    liquidity: Liquidity | None = None
    lots: int = 0


class Lifecycle:
    """Fold events into steps. Orders of which the beginning is not in the events are told from where they are."""

    __slots__ = ("_asked", "_cancel_by", "_unknown", "steps")

    def __init__(self) -> None:
        self.steps: dict[str, list[LifeStep]] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._cancel_by: dict[str, str] = {}
        self._unknown: set[str] = set()

    def apply(self, event: Event) -> LifeStep | None:
        """Take one event; return the step it is, None for an event of no order."""
        payload = event.payload
        match payload:
            case OrderChanged(after=_S.SUBMITTED):
                return self._step(event, payload.client_order_id, Stage.CREATED, "strategy")
            case SubmitOrder():
                self._asked[payload.client_order_id, "submit"] = event.ts_init
                return self._step(event, payload.client_order_id, Stage.SUBMITTED, "execution", lots=payload.lots)
            case CancelOrder():
                by = who(payload.reason)
                self._asked[payload.client_order_id, "cancel"] = event.ts_init
                self._cancel_by[payload.client_order_id] = by
                return self._step(event, payload.client_order_id, Stage.CANCEL_ASKED, by, code=payload.reason)
            case AmendOrder():
                self._asked[payload.client_order_id, "amend"] = event.ts_init
            case OrderChanged(after=_S.UNKNOWN):
                self._unknown.add(payload.client_order_id)
                return self._step(event, payload.client_order_id, Stage.UNKNOWN, "execution", code=payload.code)
            case OrderChanged(before=_S.UNKNOWN):
                self._unknown.discard(payload.client_order_id)
                return self._step(event, payload.client_order_id, Stage.RESOLVED, "venue", code=payload.after.value)
            case ExecReport():
                return self._report(event, payload)
        return None

    def missing(self) -> dict[str, tuple[str, ...]]:
        """Return what each incomplete story lacks: a beginning, an answer of the venue, or the end of a doubt."""
        lacking: dict[str, tuple[str, ...]] = {}
        for order, steps in self.steps.items():
            stages = {step.stage for step in steps}
            found = [stage.value for stage in (Stage.CREATED, Stage.SUBMITTED) if stage not in stages]
            if not stages & _ANSWERS:
                found.append("answer")
            if order in self._unknown:
                found.append(Stage.RESOLVED.value)
            if found:
                lacking[order] = tuple(found)
        return lacking

    def _report(self, event: Event, report: ExecReport) -> LifeStep | None:
        name = report.client_order_id
        stage, command = _REPORTS.get(report.type, (None, None))
        if stage is None:
            return None
        by = "venue"
        if stage is Stage.CANCELLED:
            by = self._cancel_by.get(name, "venue")
        asked = None if command is None else self._asked.get((name, command))
        return self._step(
            event, name, stage, by, code=report.code, latency_ns=None if asked is None else event.ts_init - asked,
            venue_order_id=report.venue_order_id, trade_id=report.trade_id, liquidity=report.liquidity,
            lots=report.lots,
        )

    def _step(self, event: Event, name: str, stage: Stage, by: str, **more: object) -> LifeStep:
        step = LifeStep(event.seq, event.ts_init, name, stage, by, **more)  # type: ignore[arg-type]
        self.steps.setdefault(name, []).append(step)
        return step


def lifecycle(events: Iterable[Event]) -> Lifecycle:
    """Return the stories of all orders in `events`."""
    story = Lifecycle()
    for event in events:
        story.apply(event)
    return story


def who(reason: str) -> str:
    """Return who is behind a cancel's reason: strategy, risk, operator or execution.

    A guard's reason names its owner behind `guard.`; what people own is `operator`, every other watch is `risk`.
    """
    owner, _, rest = reason.partition(".")
    if owner == "guard":
        return "operator" if rest.startswith("operator") else "risk"
    if owner == "kill":
        return "operator"
    return owner if owner in ("strategy", "operator", "execution") else "risk"


_REPORTS: dict[ReportType, tuple[Stage, str | None]] = {
    _R.ACKNOWLEDGED: (Stage.ACKNOWLEDGED, "submit"),
    _R.FILL: (Stage.FILLED, "submit"),
    _R.CANCELLED: (Stage.CANCELLED, "cancel"),
    _R.EXPIRED: (Stage.EXPIRED, None),
    _R.REJECTED: (Stage.REJECTED_AT_CREATE, "submit"),
    _R.CANCEL_REJECTED: (Stage.REJECTED_AT_CANCEL, "cancel"),
    _R.AMENDED: (Stage.AMENDED, "amend"),
    _R.AMEND_REJECTED: (Stage.REJECTED_AT_UPDATE, "amend"),
}
_ANSWERS = frozenset({Stage.ACKNOWLEDGED, Stage.FILLED, Stage.REJECTED_AT_CREATE, Stage.CANCELLED, Stage.EXPIRED,
                      Stage.RESOLVED, Stage.UNKNOWN})  # fmt: skip
