"""`tradeworthy final-dry-run-review`: judge a run's evidence and write the brief for its review."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from tradeworthy.cli.dry_run_evidence import EvidenceSwitches, Files, exit_code_of, give, give_json
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.objectives import parse_objective
from tradeworthy.operations.dry_run.packet import RawEvidence, build_packet
from tradeworthy.operations.dry_run.review import (
    ReviewPolicy,
    build_review,
    notes_of,
    review_document,
    review_markdown,
)

Words = Annotated[tuple[str, ...], Parameter(negative="")]


def final_dry_run_review(
    evidence: EvidenceSwitches, *, format: Literal["markdown", "json"] = "markdown", output: Path | None = None,
    run_label: str | None = None, attendee: Words = (), objective: Words = (), note: Words = (), notes_file: Files = (),
    summary: Annotated[bool, Parameter(name="--include-summary", negative="--skip-summary")] = True,
    sign_off_part: Annotated[bool, Parameter(name="--include-sign-off", negative="--skip-sign-off")] = True,
    packet_dir: Path | None = None, packet_archive: Path | None = None,
    packet_skip_raw: Annotated[bool, Parameter(negative="")] = False,
) -> int:  # fmt: skip
    """Write the brief; its status is the worst of evidence, sign-off, action items and objectives.

    Parameters
    ----------
    format
        markdown or json.
    output
        A file for the brief; standard output without it.
    run_label
        What the run is called.
    attendee
        Who will be at the review; may be given several times.
    objective
        NAME=STATUS[:NOTE] as a person judges it; a typed pass is shown and counts for nothing.
    note
        A note; may be given several times.
    notes_file
        A file of notes, one a line.
    summary
        Append the summary.
    sign_off_part
        Append the sign-off.
    packet_dir
        Lay the evidence packet out in this folder.
    packet_archive
        Write one reproducible .tar.gz of the packet.
    packet_skip_raw
        Leave logs, diary and performance file out of the packet.
    """
    if packet_archive is not None and packet_dir is None:
        raise UsageError("--packet-archive needs --packet-dir, the folder that it packs")
    typed = [parse_objective(one) for one in objective]
    notes = (*note, *notes_of(notes_file))
    judged = evidence.judge()
    packet = packet_archive or packet_dir
    review = build_review(
        judged, now=SystemClock().now(), run_label=run_label, attendees=attendee, notes=notes, typed=typed,
        evidence_packet=None if packet is None else str(packet),
    )  # fmt: skip
    if packet_dir is not None:
        raw = RawEvidence(logs=evidence.log, diary=evidence.diary, performance=evidence.performance)
        with_review = msgspec.structs.replace(judged, review=review)
        build_packet(packet_dir, with_review, raw, skip_raw=packet_skip_raw, archive=packet_archive)
    policy = ReviewPolicy(include_summary=summary, include_sign_off=sign_off_part)
    if format == "json":
        give_json(review_document(review, judged, policy), output)
    else:
        give(review_markdown(review, judged, policy), output)
    return exit_code_of(review.status, signed_off=evidence.sign_off, treat_warn_as_error=evidence.treat_warn_as_error)
