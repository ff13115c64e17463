"""Re-derive every outcome from the journal's inputs and compare it with what was recorded (RP-01)."""

from collections import deque
from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.environment import DESK, VENUE, DeskPort, failure_of
from tradeworthy.trading.lineage import OrderLineage
from tradeworthy.trading.model import Command, ExecReport, RunEnded, RunStarted
from tradeworthy.trading.model.run import DeskFailed


class Difference(msgspec.Struct, frozen=True):
    """The first place where the current desk decides otherwise; None where one side has no fact.

    why  tells what differs where the facts themselves are equal: cause or correlation
    """

    seq: int
    cause: str
    recorded: Fact | None
    derived: Fact | None
    why: str = ""


class ReplayResult(msgspec.Struct, frozen=True):
    """What a replay found.

    unrecorded  facts of the last input that a crash kept from the journal; they were never acted upon
    """

    inputs: int
    outcomes: int
    equal: int
    unrecorded: int
    first: Difference | None
    digest: str
    recorded_digest: str | None

    @property
    def ok(self) -> bool:
        return self.first is None and self.recorded_digest in (None, self.digest)


def replay(events: Iterable[Event], desk: DeskPort) -> ReplayResult:
    """Feed the recorded inputs to `desk`; stop at the first difference."""
    digest = OutcomeDigest()
    waiting: deque[Fact] = deque()
    step = desk.step
    inputs = outcomes = equal = 0
    cause, correlation, recorded_digest = "", "", None
    lineage = OrderLineage()
    first: Difference | None = None
    failed: DeskFailed | None = None
    for event in events:
        payload = event.payload
        if failed is not None:
            if payload != failed:
                first = Difference(event.seq, cause, payload, failed, "the desk fails here")
                break
            failed = None
        if event.source == DESK:
            outcomes += 1
            derived = waiting.popleft() if waiting else None
            why = _unlike(event, cause, correlation)
            if type(derived) is type(payload) and derived == payload and not why:
                equal += 1
                if isinstance(payload, Command):
                    lineage.on_command(payload, event.event_id, correlation, event.ts_init)
                continue
            first = Difference(event.seq, event.causation_id or "", payload, derived, why)
            break
        if waiting:
            first = Difference(event.seq, cause, None, waiting[0])
            break
        kind = type(payload)
        if kind is RunStarted:
            continue
        if kind is RunEnded:
            assert isinstance(payload, RunEnded)
            recorded_digest = payload.outcome_digest
            continue
        if kind is ExecReport and event.source == VENUE:
            assert isinstance(payload, ExecReport)
            why = _unlike(event, *lineage.of_report(payload, event.ts_init))
            if why:
                first = Difference(event.seq, event.causation_id or "", payload, payload, why)
                break
        inputs += 1
        cause, correlation = event.event_id, event.correlation_id
        try:
            facts = step(event).facts
        except Exception as problem:  # as in the environment: the failure is the outcome
            failed = failure_of(problem)
            continue
        if facts:
            digest.add(cause, facts)
            waiting.extend(facts)
    if failed is not None and first is None:
        first = Difference(0, cause, None, failed, "the desk fails here")
    unrecorded = 0 if first else len(waiting)
    return ReplayResult(inputs, outcomes, equal, unrecorded, first, digest.hexdigest(), recorded_digest)


def _unlike(event: Event, cause: str | None, correlation: str | None) -> str:
    """Return how an event's links differ from the derived ones, empty where they are equal."""
    if event.causation_id != cause:
        return f"expected the cause {cause}, found {event.causation_id}"
    expected = correlation or event.event_id
    return "" if event.correlation_id == expected else f"expected the chain {expected}, found {event.correlation_id}"
