"""The whole artefacts of a run: progress, state, summary, review, backlog, wrap-up, manifest; and their codec."""

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.operations.dry_run.model import (
    SCHEMA_PROGRESS,
    SCHEMA_RUN_STATE,
    SCHEMA_SUMMARY,
    Boot,
    DiarySection,
    Hashes,
    Heartbeat,
    Incident,
    Json,
    LogSection,
    PerformanceSection,
    Phase,
    Relaxation,
    Resources,
    RunClass,
    RunMetadata,
    Segment,
    SignOff,
    Stamp,
    Status,
)


class LineCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Lines a stream."""

    stdout: int = 0
    stderr: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The live snapshot; the last three fields are set at the end, when `phase` is complete."""

    run_id: str
    run_class: RunClass = RunClass.REHEARSAL
    status: Status = Status.STARTING
    phase: Phase = Phase.STARTUP
    now: Stamp
    started_at: Stamp
    elapsed_seconds: float
    target_duration_seconds: float
    required_duration_seconds: float
    total_lines: int = 0
    line_counts: LineCounts = LineCounts()
    level_counts: dict[str, int] = {}
    first_line_at: Stamp | None = None
    last_line_at: Stamp | None = None
    command: tuple[str, ...] = ()
    minimum_uptime_ratio: float
    require_diary_evidence: bool
    require_performance_evidence: bool
    highest_severity: Status = Status.PASS
    segment: int = 1
    heartbeat: Heartbeat = Heartbeat()
    resources: Resources = Resources()
    relaxations: tuple[Relaxation, ...] = ()
    incidents: tuple[Incident, ...] = ()
    config_metadata: dict[str, str] = {}
    exit_code: int | None = None
    summary: Json | None = None
    sign_off: SignOff | None = None
    schema: str = SCHEMA_PROGRESS


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint of each second (DR-44): all that resume and recover need.

    carried_up_seconds, carried_run_seconds  sums of the boots before this one
    """

    run_id: str
    boot_id: str
    segment: int
    now: Stamp
    monotonic_ns: int
    started_at: Stamp
    spawned_monotonic_ns: int | None = None
    stop_requested: bool = False
    complete: bool = False
    run_seconds: float = 0.0
    carried_run_seconds: float = 0.0
    carried_up_seconds: float = 0.0
    heartbeat: Heartbeat = Heartbeat()
    last_line_at: Stamp | None = None
    line_counts: LineCounts = LineCounts()
    level_counts: dict[str, int] = {}
    segments: tuple[Segment, ...] = ()
    boots: tuple[Boot, ...] = ()
    resumptions: int = 0
    command: tuple[str, ...] = ()
    settings: Json = {}
    hashes: Hashes = Hashes()
    highest_severity: Status = Status.PASS
    exit_code: int | None = None
    schema: str = SCHEMA_RUN_STATE


class Sections(msgspec.Struct, frozen=True, kw_only=True):
    """The judged body of a summary; an evidence section that was not asked for is None."""

    generated_at: Stamp
    status: Status
    metadata: RunMetadata
    logs: LogSection | None = None
    diary: DiarySection | None = None
    performance: PerformanceSection | None = None


class EvidenceReference(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle that the run was packed in; None before it is built."""

    bundle_id: str | None = None
    merkle_root: str | None = None


class ActionItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must do."""

    severity: Status
    category: str
    description: str
    context: Json = {}


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """One objective; `provenance` is derived (an assessment said so) or attested (a person typed it)."""

    name: str
    status: Status
    provenance: str = "attested"
    note: str | None = None
    evidence: str | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The brief for the review meeting."""

    generated_at: Stamp
    status: Status
    summary_status: Status
    sign_off_status: Status | None = None
    run_label: str | None = None
    attendees: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    highlights: Json = {}
    action_items: tuple[ActionItem, ...] = ()
    objectives: tuple[Objective, ...] = ()
    evidence_packet: str | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The judged run; `status` is the worst of sections, sign-off and incidents (DR-19)."""

    run_id: str
    run_class: RunClass = RunClass.REHEARSAL
    status: Status
    summary: Sections
    sign_off: SignOff | None = None
    incidents: tuple[Incident, ...] = ()
    review: Review | None = None
    progress_path: str | None = None
    progress_timeline_dir: str | None = None
    relaxations: tuple[Relaxation, ...] = ()
    waivers: tuple[Json, ...] = ()
    evidence: EvidenceReference = EvidenceReference()
    schema: str = SCHEMA_SUMMARY
    objectives: tuple[Objective, ...] = ()


class BacklogItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing left to do after the run."""

    severity: Status
    category: str
    summary: str
    occurred_at: Stamp | None = None
    context: Json = {}


class WrapUp(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the run in one page."""

    generated_at: Stamp
    status: Status
    summary_status: Status
    sign_off_status: Status | None = None
    review_status: Status | None = None
    duration_seconds: float | None = None
    duration_target_seconds: float
    duration_met: bool
    backlog_items: tuple[BacklogItem, ...] = ()
    incidents: tuple[Incident, ...] = ()
    highlights: Json = {}
    notes: tuple[str, ...] = ()
    metadata: Json = {}


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a packet; `path` is relative to the packet."""

    path: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a packet holds."""

    generated_at: Stamp
    files: tuple[ManifestFile, ...] = ()
    bundle_id: str | None = None


METADATA_FIELDS = frozenset(RunMetadata.__struct_fields__)
"""Keys that `--metadata` may not use."""


def encode_summary(summary: Summary) -> bytes:
    """Return the summary as indented JSON; the user's metadata keys stand beside the harness's."""
    built = msgspec.to_builtins(summary, str_keys=True)
    metadata = built["summary"]["metadata"]
    user = metadata.pop("user")
    built["summary"]["metadata"] = metadata | user
    return msgspec.json.format(msgspec.json.encode(built), indent=2)


def decode_summary(data: bytes) -> Summary:
    """Return the summary of a file's bytes; raises `InvalidInput` that says what was wrong."""
    try:
        built = msgspec.json.decode(data)
        metadata = built["summary"]["metadata"]
        user = {key: str(value) for key, value in metadata.items() if key not in METADATA_FIELDS}
        known = {key: value for key, value in metadata.items() if key in METADATA_FIELDS}
        built["summary"]["metadata"] = known | {"user": user}
        return msgspec.convert(built, Summary)
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as problem:
        raise InvalidInput(f"expected a dry-run summary ({SCHEMA_SUMMARY}), found {problem}") from None


def encode(artefact: msgspec.Struct) -> bytes:
    """Return any other artefact as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(artefact), indent=2)
