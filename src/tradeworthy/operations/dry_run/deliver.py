"""After the verdict: Markdown, review, wrap-up, backlog and packet, each where it was asked for (section 3).

What is written here can only make the exit code worse: the worst of run, review and wrap-up counts.
"""

from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import write_artefact, write_text
from tradeworthy.operations.dry_run.artefacts import BacklogItem, Manifest, Objective, Review, Summary, WrapUp
from tradeworthy.operations.dry_run.conclude import exit_code
from tradeworthy.operations.dry_run.model import Status, worst_status


class ReviewInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What people add to the brief, and what of the rest it shows."""

    run_label: str | None = None
    attendees: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()
    notes: tuple[str, ...] = ()
    include_summary: bool = True
    include_sign_off: bool = True


class WrapUpInputs(msgspec.Struct, frozen=True, kw_only=True):
    """How the wrap-up judges duration and warnings."""

    required_seconds: float
    tolerance_minutes: float = 5.0
    treat_warn_as_failure: bool = False


class PacketInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the packet; evidence files are copied unless `skip_raw`."""

    folder: Path
    archive: Path | None = None
    skip_raw: bool = False
    logs: tuple[Path, ...] = ()
    diary: Path | None = None
    performance: Path | None = None


class Editors(Protocol):
    """Those who write the artefacts of section 8."""

    def summary_markdown(self, summary: Summary) -> str: ...
    def review(self, summary: Summary, inputs: ReviewInputs, *, now: int) -> Review: ...
    def review_markdown(self, review: Review, summary: Summary, inputs: ReviewInputs) -> str: ...
    def backlog(self, summary: Summary, review: Review | None) -> tuple[BacklogItem, ...]: ...
    def wrap_up(self, summary: Summary, review: Review | None, inputs: WrapUpInputs, *, now: int) -> WrapUp: ...
    def wrap_up_markdown(self, wrap_up: WrapUp) -> str: ...
    def packet(self, summary: Summary, inputs: PacketInputs, *, now: int) -> Manifest: ...


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Where each artefact goes; None is not written."""

    summary_json: Path | None = None
    summary_markdown: Path | None = None
    review_json: Path | None = None
    review_markdown: Path | None = None
    wrap_up_json: Path | None = None
    wrap_up_markdown: Path | None = None
    backlog: Path | None = None
    review: ReviewInputs = ReviewInputs()
    wrap_up: WrapUpInputs | None = None
    packet: PacketInputs | None = None


class Delivered(NamedTuple):
    """The summary with its review, and the worst exit code of all parts."""

    summary: Summary
    exit_code: int


def deliver(
    summary: Summary, deliveries: Deliveries, editors: Editors, *, code: int, now: int, review_wanted: bool
) -> Delivered:
    """Write everything that was asked for; return the summary as written last.

    code           exit code of the run; 130 stays 130
    review_wanted  whether the review is made, and judged, even when it goes to no file
    """
    statuses = [summary.status]
    review = None
    if review_wanted:
        review = editors.review(summary, deliveries.review, now=now)
        statuses.append(review.status)
        summary = msgspec.structs.replace(summary, review=review)
        if deliveries.review_json is not None:
            write_artefact(deliveries.review_json, review)
        if deliveries.review_markdown is not None:
            write_text(deliveries.review_markdown, editors.review_markdown(review, summary, deliveries.review))
    if deliveries.wrap_up is not None:
        wrap_up = editors.wrap_up(summary, review, deliveries.wrap_up, now=now)
        statuses.append(wrap_up.status)
        if deliveries.wrap_up_json is not None:
            write_artefact(deliveries.wrap_up_json, wrap_up)
        if deliveries.wrap_up_markdown is not None:
            write_text(deliveries.wrap_up_markdown, editors.wrap_up_markdown(wrap_up))
    if deliveries.backlog is not None:
        items = redact(msgspec.to_builtins(editors.backlog(summary, review)))
        write_text(deliveries.backlog, msgspec.json.format(msgspec.json.encode(items), indent=2))
    if deliveries.summary_markdown is not None:
        write_text(deliveries.summary_markdown, editors.summary_markdown(summary))
    if deliveries.summary_json is not None:
        write_artefact(deliveries.summary_json, summary)
    if deliveries.packet is not None:
        editors.packet(summary, deliveries.packet, now=now)
    return Delivered(summary, _code(statuses, code))


def _code(statuses: list[Status], code: int) -> int:
    if code == ExitCode.INTERRUPTED:
        return code
    worst = worst_status(*statuses)
    return max(code, exit_code(worst)) if worst.severity is not Severity.OK else code
