"""Alerts that people raise: a drill that forces a failure, and an alert in a person's own words (AR-17)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tradeworthy.app.alerts.alerting import Alerting, alert_facts
from tradeworthy.app.alerts.desk import ANSWER_STEP_NS, AlertDesk, path_alone
from tradeworthy.app.config import Document
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.incidents.acts import Request
from tradeworthy.operations.incidents.drills import DRILL_CODE, DrillReport, Rehearsed, drill_reports
from tradeworthy.operations.incidents.model import Alert, AlertAcknowledged, Receipt

LOOK_NS = 4 * ANSWER_STEP_NS


class Raised(NamedTuple):
    """An alert that a person raised, and the receipts that came in time."""

    alert: str
    receipts: tuple[Receipt, ...]


def drills_of(desk: AlertDesk) -> tuple[DrillReport, ...]:
    """Return a report of every drill in a desk's journal; raises `UsageError` where it has none."""
    return drill_reports(_rehearsed(alert_facts(desk.folder)), desk.incidents().all)


def run_drill(
    desk: AlertDesk, document: Document, asked: Request, *, environ: Mapping[str, str], clock: Clock, wait_s: float,
    raised: Callable[[DrillReport], None],
) -> DrillReport:  # fmt: skip
    """Force a failure, and watch until a person took its alert, `wait_s` at most; returns what was measured.

    raised  hears of the report as soon as there is an alert to take
    Raises `UsageError` where a running desk does not do it.
    """
    until = clock.monotonic() + round(wait_s * NANOS_PER_SECOND)
    told = False

    def look() -> DrillReport | None:
        """Return the report once nothing is left to wait for."""
        nonlocal told
        found = next((one for one in drills_of(desk) if one.drill == asked.id), None)
        if found is not None and not told:
            told = True
            raised(found)
        done = found is not None and found.passed
        if done or clock.monotonic() >= until:
            return found or DrillReport(drill=asked.id, at=clock.now())
        return None

    if desk.running:
        answer = desk.ask(asked)
        if answer.fault:
            raise UsageError(answer.fault)
        while True:
            report = look()
            if report is not None:
                return report
            clock.sleep(LOOK_NS)

    async def play(alerting: Alerting) -> DrillReport:
        assert alerting.path is not None
        alerting.path.act(asked)
        while True:
            await asyncio.sleep(LOOK_NS / NANOS_PER_SECOND)
            report = look()
            if report is not None:
                return report

    return path_alone(document, play, state=desk.state, clock=clock, environ=environ, run_id=f"drill-{asked.id}")


def raise_alert(
    desk: AlertDesk, document: Document, asked: Request, *, environ: Mapping[str, str], clock: Clock, wait_s: float
) -> Raised:
    """Raise an alert in a person's words, and wait for its first receipts, `wait_s` at most.

    Raises `UsageError` for one without a code or a text.
    """
    until = clock.monotonic() + round(wait_s * NANOS_PER_SECOND)

    def look(alert: str) -> Raised | None:
        events = (one.payload for one in alert_facts(desk.folder))
        found = tuple(one for one in events if isinstance(one, Receipt) and alert in one.alerts)
        return Raised(alert, found) if found or clock.monotonic() >= until else None

    if desk.running:
        answer = desk.ask(asked)
        if answer.fault:
            raise UsageError(answer.fault)
        while True:
            done = look(answer.found)
            if done is not None:
                return done
            clock.sleep(LOOK_NS)

    async def play(alerting: Alerting) -> Raised:
        assert alerting.path is not None
        answer = alerting.path.act(asked)
        if answer.fault:
            raise UsageError(answer.fault)
        while True:
            await asyncio.sleep(LOOK_NS / NANOS_PER_SECOND)
            done = look(answer.found)
            if done is not None:
                return done

    return path_alone(document, play, state=desk.state, clock=clock, environ=environ, run_id=f"send-{asked.id}")


def _rehearsed(events: list[Event]) -> Iterator[Rehearsed]:
    alerts: dict[str, Alert] = {}
    receipts: dict[str, list[Receipt]] = {}
    taken: dict[str, str] = {}
    for told in (one.payload for one in events):
        if isinstance(told, Alert) and told.code == DRILL_CODE:
            alerts.setdefault(told.id, told)
        elif isinstance(told, Receipt):
            for one in told.alerts:
                receipts.setdefault(one, []).append(told)
        elif isinstance(told, AlertAcknowledged):
            taken[told.alert] = told.person
    for key, alert in alerts.items():
        yield Rehearsed(alert, tuple(receipts.get(key, ())), taken.get(key, ""))
