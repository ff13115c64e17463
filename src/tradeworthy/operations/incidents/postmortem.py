"""The draft of an incident's review: every fact from the journal, only cause and lessons left to people (IN-07)."""

from datetime import UTC, datetime
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.incidents.lifecycle import (
    Act,
    Incident,
    IncidentAssigned,
    IncidentMoved,
    IncidentNoted,
    IncidentRated,
    Phase,
)
from tradeworthy.operations.incidents.model import Alert, Receipt

NOT_KNOWN = "not known"
BLANK = "_to be written_"


class Told(NamedTuple):
    """The alert behind an incident: None where a person opened it; who took it, and what became of its notices."""

    alert: Alert | None = None
    taken_by: str = ""
    receipts: tuple[Receipt, ...] = ()


def postmortem(one: Incident, told: Told) -> str:
    """Return the draft as Markdown; the same journal gives the same bytes."""
    opened = one.opened
    closing = next((step for step in one.timeline if _closes(step)), None)
    cause = closing.cause if isinstance(closing, IncidentMoved) else ""
    review = next((step.review for step in one.timeline if isinstance(step, IncidentMoved) and step.review), "")
    lines = [
        f"# {one.id}: {opened.title}", "", "## Summary", "", "| | |", "|---|---|",
        f"| severity | SEV-{one.sev} |", f"| status | {one.phase.value} |",
        f"| first impact | {_stamp(opened.first_impact)} |", f"| detected | {_stamp(opened.detected_at)} |",
        f"| acknowledged | {_stamp(one.acknowledged_at)} |", f"| resolved | {_stamp(one.resolved_at)} |",
        f"| duration | {_span(opened.first_impact, one.resolved_at)} |",
        f"| affected | {opened.component}, {opened.subject} |", f"| reported by | {opened.opened_by} |",
        f"| drill | {'yes' if opened.drill else 'no'} |", "", "## Detection", "",
        f"By {opened.source}, {_span(opened.first_impact, opened.detected_at)} after the first impact; "
        f"code `{opened.code}`.",
        "", *_receipts(told), "", "## Timeline", "",
        f"- {_stamp(opened.detected_at)} {opened.opened_by}: opened",
        *(f"- {_stamp(step.at)} {step.person}: {_said(step)}" for step in one.timeline), "", "## Cause", "",
        cause or BLANK, "", "## Evidence", "",
        *(_evidence(one) or ["none"]), "", "## Lessons", "", review or BLANK, "", "## Check that catches it", "",
    ]  # fmt: skip
    if isinstance(closing, IncidentMoved):
        lines.append(f"`{closing.check}`: failed on {closing.failed_before}, passes on {closing.passed_after}")
    else:
        lines.append(BLANK)
    return "\n".join(lines) + "\n"


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
    digests = [*one.opened.evidence, *(
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
