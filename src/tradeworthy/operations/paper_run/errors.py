"""Which facts are errors, and equal ones told as one with their count."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.journal.records import InputQuarantined, TornTail
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import transitions
from tradeworthy.kernel.supervision.incident import Incident
from tradeworthy.kernel.supervision.watched import WatchdogMissed
from tradeworthy.kernel.telemetry.dead_letters import DeadLettered
from tradeworthy.operations.paper_run.model import ErrorEvent
from tradeworthy.trading.execution.execution import Escalated, RefusedAltered
from tradeworthy.trading.execution.intake import DeadLetter
from tradeworthy.trading.model.order import ExecReport, OrderAnomaly, OrderChanged, OrderState, ReportType
from tradeworthy.trading.model.run import DeskFailed

TEXT_CHARACTERS_MAX = 400
Told = Callable[[Any], str | None]

ERRORS: Mapping[type[Fact], Told] = {
    OrderAnomaly: lambda one: f"{one.report.value}: {one.text}",
    RefusedAltered: lambda one: f"{one.intent.instance}: an intent that risk did not approve",
    DeskFailed: lambda one: f"{one.component}: {one.text}",
    Escalated: lambda one: one.reason,
    DeadLetter: lambda one: f"{one.cause.value} from {one.sender}: {one.text}",
    ExecReport: lambda one: f"{one.instrument}: outcome unknown" if one.type is ReportType.UNKNOWN else None,
    OrderChanged: lambda one: f"{one.instrument}: {one.code}" if one.after is OrderState.UNKNOWN else None,
    InputQuarantined: lambda one: f"{one.source or 'unknown source'}: {one.reason}",
    TornTail: lambda one: "an unsealed tail of the journal was cut at the start",
    transitions.TaskFailed: lambda one: f"{one.task}: {one.error}: {one.message}",
    transitions.TaskHung: lambda one: f"{one.task}: {one.message}",
    transitions.Escalated: lambda one: f"{one.task} asks for {one.response.value}: {one.reason}",
    transitions.TaskAbandoned: lambda one: f"{one.task} ignores its cancellation",
    Incident: lambda one: f"watchdog: {one.cause.value}",
    WatchdogMissed: lambda one: "the watchdog was not heard",
    DeadLettered: lambda one: f"{one.subscriber} failed at {one.topic}: {one.error}",
}  # fmt: skip
"""Facts that are errors, with what is told of them; None for one that is none after all."""


def told_of(fact: Fact) -> str | None:
    """Return what is told of a fact as an error, None for one that is none."""
    told = ERRORS.get(type(fact))
    return None if told is None else told(fact)


class Errors:
    """Count errors; at most `kept` different ones are listed, further ones are only counted."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._found: dict[tuple[str, str], ErrorEvent] = {}
        self.total = self.unlisted = 0
        self.last: str | None = None

    def add(self, code: str, text: str, at: datetime, seq: int | None = None) -> None:
        """Count one error."""
        text = str(redact(text))[:TEXT_CHARACTERS_MAX]
        self.total += 1
        self.last = f"{code}: {text}"
        known = self._found.get((code, text))
        if known is not None:
            self._found[(code, text)] = ErrorEvent(code, text, known.count + 1, known.first_at, at, known.seq)
        elif len(self._found) < self._kept:
            self._found[(code, text)] = ErrorEvent(code, text, 1, at, at, seq)
        else:
            self.unlisted += 1

    def listed(self) -> tuple[ErrorEvent, ...]:
        """Return the different errors, oldest first."""
        return tuple(self._found.values())
