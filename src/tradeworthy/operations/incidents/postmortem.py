"""The draft of an incident's review: every fact from the journal, only cause and lessons left to people (IN-07)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.incidents.actions import Action, FalsePositive, rows_of
from tradeworthy.operations.incidents.course import DURING, Course, Span
from tradeworthy.operations.incidents.lifecycle import (
    Act,
    Incident,
    IncidentAssigned,
    IncidentMoved,
    IncidentNoted,
    IncidentRated,
    Phase,
    Role,
)
from tradeworthy.operations.incidents.means import MINUTE_NS
from tradeworthy.operations.incidents.model import Alert, Outcome, Receipt
from tradeworthy.operations.incidents.scene import IncidentCircumstances
from tradeworthy.operations.incidents.tickets import snapshots_of

NOT_KNOWN = "not known"
BLANK = "_to be written_"
LATE_MINUTES = 5.0
"""To acknowledge a SEV-1 or SEV-2 (IN-03)."""


class Told(NamedTuple):
    """What stands beside an incident. The alert is None where a person opened it.

    course  what it did to the desk, None where no run of it is kept;  wolf  who found that nothing was wrong
    """

    alert: Alert | None = None
    taken_by: str = ""
    receipts: tuple[Receipt, ...] = ()
    course: Course | None = None
    actions: tuple[Action, ...] = ()
    wolf: tuple[FalsePositive, ...] = ()


def postmortem(one: Incident, told: Told) -> str:
    """Return the draft as Markdown; the same journals give the same bytes."""
    opened = one.opened
    closing = next((step for step in one.timeline if _closes(step)), None)
    cause = closing.cause if isinstance(closing, IncidentMoved) else ""
    review = next((step.review for step in one.timeline if isinstance(step, IncidentMoved) and step.review), "")
    wrong, right, lucky = _turns(one, told)
    lines = [
        f"# {one.id}: {opened.title}", "", "## Summary", "", "| | |", "|---|---|",
        f"| severity | SEV-{one.sev} |", f"| status | {one.phase.value} |",
        f"| first impact | {_stamp(opened.first_impact)} |", f"| detected | {_stamp(opened.detected_at)} |",
        f"| acknowledged | {_stamp(one.acknowledged_at)} |", f"| resolved | {_stamp(one.resolved_at)} |",
        f"| duration | {_span(opened.first_impact, one.resolved_at)} |",
        f"| money | {_money(told.course)} |", f"| affected | {_affected(one)} |",
        f"| commander | {one.roles.get(Role.COMMANDER.value, 'nobody')} |", f"| reported by | {opened.opened_by} |",
        f"| drill | {'yes' if opened.drill else 'no'} |", "", "## Detection", "",
        f"By {opened.source}, {_span(opened.first_impact, opened.detected_at)} after the first impact; "
        f"code `{opened.code}`.",
        "", *_receipts(told), "", "## What the desk held", "", *_held(one.began), "",
        "## Before, during and after", "", *_course(told.course), "", "## Timeline", "",
        f"- {_stamp(opened.detected_at)} {opened.opened_by}: opened",
        *(f"- {_stamp(step.at)} {step.person}: {_said(step)}" for step in one.timeline), "", "## Cause", "",
        cause or BLANK, "", "## Evidence", "", *(_evidence(one) or ["none"]), "",
        "## Went wrong", "", *_listed(wrong), "", "## Went right", "", *_listed(right), "",
        "## Lucky", "", *_listed(lucky), "", "## Action items", "", *(rows_of(told.actions) or ["none"]), "",
        "## Lessons", "", review or BLANK, "", "## Check that catches it", "",
    ]  # fmt: skip
    if isinstance(closing, IncidentMoved):
        lines.append(f"`{closing.check}`: failed on {closing.failed_before}, passes on {closing.passed_after}")
    else:
        lines.append(BLANK)
    return "\n".join(lines) + "\n"


def _money(course: Course | None) -> str:
    pnl = None if course is None else course.span(DURING).pnl
    if course is None or (pnl is None and not course.effect):
        return NOT_KNOWN
    booked = "; ".join(
        f"{row.instrument} realized {_plain(row.realized)}, fees {_plain(row.fees)}, funding {_plain(row.funding)}"
        + (f", {row.fees_open} fees not told yet" if row.fees_open else "")
        for row in course.effect
    )
    return f"{_told(pnl)} of equity{f' ({booked})' if booked else ''}"


def _affected(one: Incident) -> str:
    held = one.began
    named = f"{one.opened.component}, {one.opened.subject}"
    if held is None or not held.instances:
        return named
    counts = f"{len(held.orders) + held.orders_more} orders, {len(held.positions) + held.positions_more} positions"
    return f"{named}; {', '.join(held.instances)}: {counts}"


def _held(held: IncidentCircumstances | None) -> list[str]:
    if held is None or not held.seq:
        return [f"{NOT_KNOWN}: {held.why if held is not None and held.why else 'nobody took it down'}"]
    lines = [
        f"Run `{held.run}` at seq {held.seq} (`{held.last_event}`), desk time {_stamp(held.desk_time)}, guard "
        f"{held.guard}, equity {_told(held.equity)}; configuration `{held.config_hash}`, code `{held.code_hash}`.",
        *([f"Guard: {', '.join(held.reasons)}."] if held.reasons else []),
    ]
    if held.positions:
        lines += ["", "| position | lots | average |", "|---|---|---|", *(
            f"| {row.instance} {row.instrument} | {row.lots} | {_told(row.average)} |"
            for row in held.positions
        )]  # fmt: skip
    if held.orders:
        lines += ["", "| order | | filled | state |", "|---|---|---|---|", *(
            f"| `{row.client_order_id}` | {row.instance} {row.side.lower()} {row.lots} {row.instrument} at "
            f"{'market' if row.price is None else row.price} | {row.cum_lots} | {row.state} |"
            for row in held.orders
        )]  # fmt: skip
    if held.orders_more or held.positions_more:
        lines += ["", f"{held.orders_more} orders and {held.positions_more} positions more."]
    return lines


def _course(course: Course | None) -> list[str]:
    if course is None:
        return [f"{NOT_KNOWN}: no run of the desk is kept"]
    return [
        "| | s | P&L | drawdown | fills | guard |", "|---|---|---|---|---|---|",
        *(_row(one) for one in course.spans), "",
        f"Rests on `{course.run}` from seq {course.first_seq} to `{course.last_run}` seq {course.last_seq}"
        f"{'' if course.over else ', and goes on'}.",
    ]  # fmt: skip


def _row(one: Span) -> str:
    if not one.events:
        return f"| {one.name} | nothing happened | | | | |"
    return f"| {one.name} | {one.seconds:.0f} | {_told(one.pnl)} | {_told(one.drawdown)} | {one.fills} | {one.guard} |"


def _turns(one: Incident, told: Told) -> tuple[list[str], list[str], list[str]]:
    """Return what the journals show to have gone wrong, right, and well by chance."""
    wrong: list[str] = []
    right: list[str] = []
    lucky: list[str] = []
    opened, late = one.opened, round(LATE_MINUTES * MINUTE_NS)
    if one.acknowledged_at is not None:
        taken = one.acknowledged_at - opened.detected_at
        (wrong if one.sev <= 2 and taken >= late else right).append(
            f"taken {_span(opened.detected_at, one.acknowledged_at)} after it was detected"
        )
    if one.sev <= 2 and Role.COMMANDER.value not in one.roles:
        wrong.append("nobody commanded it")
    failed = sorted({row.channel for row in told.receipts if row.outcome is Outcome.UNDELIVERED})
    heard = sorted({row.channel for row in told.receipts if row.outcome is Outcome.ACCEPTED})
    if failed:
        wrong.append(f"not delivered over {', '.join(failed)}")
    if heard:
        right.append(f"delivered over {', '.join(heard)}")
    wrong += [f"{row.person} found that nothing was wrong: {row.reason}" for row in told.wolf]
    pnl = None if told.course is None else told.course.span(DURING).pnl
    if pnl is not None and pnl > 0:
        lucky.append(f"the desk earned {_plain(pnl)} meanwhile")
    elif pnl is not None and pnl < 0:
        wrong.append(f"the desk lost {_plain(-pnl)} meanwhile")
    return wrong, right, lucky


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {one}" for one in lines] or ["- nothing that the journals show"]


def _told(value: Decimal | None) -> str:
    return NOT_KNOWN if value is None else _plain(value)


def _plain(value: Decimal) -> str:
    found = format(value.normalize(), "f")
    return "0" if found in ("-0", "") else found


def _closes(step: Act) -> bool:
    return isinstance(step, IncidentMoved) and step.phase is Phase.CLOSED


def _receipts(told: Told) -> list[str]:
    if told.alert is None:
        return ["No alert: a person saw it."]
    found = [f"Alert `{told.alert.id}`, {told.alert.severity.value}, taken by {told.taken_by or 'nobody'}."]
    for one in sorted(told.receipts, key=lambda had: (had.at, had.channel)):
        seconds = one.latency_ns / NANOS_PER_SECOND
        found.append(f"- {one.channel}: {one.outcome.value} after {seconds:.3f} s {one.reason}".rstrip())
    return found


def _evidence(one: Incident) -> list[str]:
    digests = [*one.opened.evidence, *snapshots_of(one), *(
        digest for step in one.timeline if isinstance(step, IncidentNoted) for digest in step.evidence
    )]  # fmt: skip
    return [f"- `{digest}`" for digest in dict.fromkeys(digests)]


def _said(step: Act) -> str:
    match step:
        case IncidentMoved():
            return f"{step.phase.value} {step.text}".rstrip()
        case IncidentRated():
            agreed = f", agreed by {step.second}" if step.second else ""
            return f"SEV-{step.sev} {step.reason}{agreed}".rstrip()
        case IncidentAssigned():
            return f"{step.name} is {step.role.value}"
        case IncidentNoted():
            return step.text


def _stamp(ns: int | None) -> str:
    if ns is None:
        return NOT_KNOWN
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _span(begin: int, end: int | None) -> str:
    return NOT_KNOWN if end is None else f"{(end - begin) / NANOS_PER_SECOND:.1f} s"
