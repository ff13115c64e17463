"""After the verdict: pages, review, wrap-up, backlog and packet, each where it was asked for (section 3).

What is written here can only make the exit code worse: the worst of run, review and wrap-up counts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.operations.dry_run.artefact_files import write_artefact, write_json, write_text
from tradeworthy.operations.dry_run.artefacts import EvidenceReference, Objective, Review, Summary
from tradeworthy.operations.dry_run.backlog import backlog_of
from tradeworthy.operations.dry_run.conclude import exit_code
from tradeworthy.operations.dry_run.model import Json, Status
from tradeworthy.operations.dry_run.packet import MANIFEST, RawEvidence, build_packet
from tradeworthy.operations.dry_run.review import ReviewPolicy, build_review, review_document, review_markdown
from tradeworthy.operations.dry_run.summary_page import summary_markdown
from tradeworthy.operations.dry_run.wrap_up import WrapUpPolicy, build_wrap_up, exit_code_of_wrap_up, wrap_up_markdown


class ReviewInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What people add to the brief, and what of the rest it shows."""

    run_label: str | None = None
    attendees: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()
    derived: tuple[Objective, ...] = ()
    notes: tuple[str, ...] = ()
    parts: ReviewPolicy = ReviewPolicy()


class PacketInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the packet goes, and whether the raw evidence is in it."""

    folder: Path
    archive: Path | None = None
    skip_raw: bool = False


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Where each artefact goes; None is not written, and a part without its inputs is not made.

    diary, performance  the evidence files that the packet copies
    """

    summary_json: Path | None = None
    summary_markdown: Path | None = None
    review: ReviewInputs | None = None
    review_json: Path | None = None
    review_markdown: Path | None = None
    wrap_up: WrapUpPolicy | None = None
    wrap_up_json: Path | None = None
    wrap_up_markdown: Path | None = None
    backlog: Path | None = None
    packet: PacketInputs | None = None
    diary: Path | None = None
    performance: Path | None = None

    def delivered(self) -> bool:
        """Tell whether every file that was asked for is there."""
        places = [
            self.summary_json, self.summary_markdown, self.review_json, self.review_markdown, self.wrap_up_json,
            self.wrap_up_markdown, self.backlog,
        ]  # fmt: skip
        if self.packet is not None:
            places += [self.packet.folder / MANIFEST, self.packet.archive]
        return all(one is None or one.exists() for one in places)


class Delivered(NamedTuple):
    """The summary with its review, the worst exit code of all parts, and the review's page when there is one."""

    summary: Summary
    exit_code: int
    review_page: str | None
    review_document: Json | None


class Bundled(NamedTuple):
    """The bundle a run was packed in, and the exit code of packing; a run that could not be packed has none."""

    reference: EvidenceReference
    exit_code: int


def deliver(
    summary: Summary, deliveries: Deliveries, *, code: int, now: int,
    bundle: Callable[[Summary], Bundled] | None = None,
) -> Delivered:  # fmt: skip
    """Write everything that was asked for; `code` is the run's own, and 130 stays 130.

    bundle  packs what is written so far; its id goes into summary and packet, which are written after it
    """
    page = document = None
    codes = [code]
    if deliveries.review is not None:
        review = _review(summary, deliveries.review, deliveries.packet, now)
        page = review_markdown(review, summary, deliveries.review.parts)
        document = review_document(review, summary, deliveries.review.parts)
        summary = msgspec.structs.replace(summary, review=review)
        codes.append(_code_of(review.status))
        if deliveries.review_json is not None:
            write_json(deliveries.review_json, document)
        if deliveries.review_markdown is not None:
            write_text(deliveries.review_markdown, page)
    if deliveries.wrap_up is not None:
        wrap_up = build_wrap_up(summary, deliveries.wrap_up, now=now)
        codes.append(exit_code_of_wrap_up(wrap_up, deliveries.wrap_up))
        if deliveries.wrap_up_json is not None:
            write_artefact(deliveries.wrap_up_json, wrap_up)
        if deliveries.wrap_up_markdown is not None:
            write_text(deliveries.wrap_up_markdown, wrap_up_markdown(wrap_up))
    if deliveries.backlog is not None:
        built: Json = msgspec.to_builtins(summary, str_keys=True)
        write_json(deliveries.backlog, msgspec.to_builtins(backlog_of(built)))
    if deliveries.summary_markdown is not None:
        write_text(deliveries.summary_markdown, summary_markdown(summary))
    if deliveries.summary_json is not None:
        write_artefact(deliveries.summary_json, summary)
    if bundle is not None:
        packed = bundle(summary)
        codes.append(packed.exit_code)
        summary = msgspec.structs.replace(summary, evidence=packed.reference)
        if deliveries.summary_json is not None and packed.reference.bundle_id is not None:
            write_artefact(deliveries.summary_json, summary)
    if deliveries.packet is not None:
        _pack(summary, deliveries, deliveries.packet)
    worst = ExitCode.INTERRUPTED if code == ExitCode.INTERRUPTED else max(codes)
    return Delivered(summary, worst, page, document)


def _review(summary: Summary, inputs: ReviewInputs, packet: PacketInputs | None, now: int) -> Review:
    place = None if packet is None else packet.archive or packet.folder
    return build_review(
        summary, now=now, run_label=inputs.run_label, attendees=inputs.attendees, notes=inputs.notes,
        typed=inputs.objectives, derived=(*inputs.derived, *summary.objectives),
        evidence_packet=None if place is None else str(place),
    )  # fmt: skip


def _pack(summary: Summary, deliveries: Deliveries, inputs: PacketInputs) -> None:
    metadata = summary.summary.metadata
    logs = (Path(one) for one in (*metadata.structured_log_paths, *metadata.raw_log_paths))
    raw = RawEvidence(
        logs=tuple(one for one in logs if one.is_file()), diary=_existing(deliveries.diary),
        performance=_existing(deliveries.performance),
    )  # fmt: skip
    build_packet(inputs.folder, summary, raw, skip_raw=inputs.skip_raw, archive=inputs.archive)


def _existing(path: Path | None) -> Path | None:
    return path if path is not None and path.is_file() else None


def _code_of(status: Status) -> int:
    """Return the code of a part that stands beside a sign-off: UNKNOWN is FAIL there."""
    return exit_code(status)
