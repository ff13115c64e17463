"""Gather what a run left: each file with its kind, provenance and lifetime; what is derived is made here (EV-02)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import CannotJudge, read_checkpoint
from tradeworthy.kernel.journal.verify import verify as verify_journal
from tradeworthy.operations.dry_run.artefacts import (
    EvidenceReference,
    RunState,
    Summary,
    decode_summary,
    encode_summary,
)
from tradeworthy.operations.dry_run.model import Status, nanos_of
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import canonical_json, sha256_hex, stamp_of
from tradeworthy.operations.evidence.shipped import verifier
from tradeworthy.operations.evidence.tree import root_of

LIFETIME_DAYS = {"drill": 7, "flatness": 14, "alert_canary": 14, "waiver": 7}
RUN_LIFETIME_DAYS = 14
GATE_FILES = {
    "release_manifest.json": "release_manifest", "sbom.json": "sbom", "loaded_modules.json": "modules",
    "alert_canary.json": "alert_canary", "configuration.json": "configuration", "configuration.toml": "configuration",
}  # fmt: skip
TOLD_BY_THE_DESK = ("sbom.json", "loaded_modules.json")
"""What our own desk leaves in the folder of logs: what it is made of, and which of it was loaded."""
GATE_FOLDERS = {"drills": "drill", "flatness": "flatness", "waivers": "waiver"}
"""Where a run folder keeps what the gates ask for: `evidence/` below the run."""
MEDIA_TYPES = {
    ".json": "application/json", ".jsonl": "application/jsonl", ".md": "text/markdown", ".html": "text/html",
    ".gz": "application/gzip", ".zst": "application/zstd", ".log": "text/plain", ".py": "text/x-python",
    ".toml": "application/toml",
}  # fmt: skip


class Item(NamedTuple):
    """One thing to pack; `source` is its bytes, or the file that holds them."""

    path: str
    kind: str
    source: bytes | Path
    provenance: str = "measured"

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(Path(self.path).suffix, "application/octet-stream")

    @property
    def days(self) -> int:
        return LIFETIME_DAYS.get(self.kind, RUN_LIFETIME_DAYS)


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a run folder does not say of itself.

    environment             the lowest there is unless it is named
    operator, author, desk  accounts that may not sign: who ran it, who wrote the release, what the desk runs as
    """

    environment: str = words.ENVIRONMENTS[0]
    operator: str | None = None
    author: str | None = None
    desk: str | None = None
    commit: str | None = None
    journal: Path | None = None
    trust: bytes | None = None


class Collected(NamedTuple):
    """A run's summary, the head of its journal when there is one, and everything to pack."""

    summary: Summary
    journal_head: dict[str, Any] | None
    items: tuple[Item, ...]


def collect(run: Path, inputs: Inputs) -> Collected:
    """Return what a run folder holds; raises `UsageError` when it holds no run, or evidence contradicts itself."""
    folder = RunFolder(run)
    try:
        summary = decode_summary(folder.summary_json.read_bytes())
    except (OSError, InvalidInput) as problem:
        raise UsageError(f"expected the folder of a finished run with its summary, found {problem}") from None
    summary = msgspec.structs.replace(summary, evidence=EvidenceReference())
    items = [*_judgement(folder, summary), *_evidence(folder, summary), *_gate_files(run / "evidence")]
    items.append(Item(words.VERIFIER, "verifier", verifier()))
    if inputs.trust is not None:
        items.append(Item("trust.json", "trust", inputs.trust, "attested"))
    head, journal = journal_items(inputs.journal)
    items += journal
    _require_modules_in_sbom(items)
    return Collected(summary, head, tuple(sorted(items, key=lambda one: one.path)))


def gather(place: Path, source: Path | None, log_dir: Path) -> None:
    """Copy what a release's bundle holds beside the run into its folder of evidence; what lies there already stays.

    source   a folder laid out as GATE_FILES and GATE_FOLDERS say, None for none
    log_dir  where the command itself may have told what it loaded and what that is made of
    """
    found = [(path, path.relative_to(source)) for path in _files(source)] if source is not None else []
    found += [(log_dir / name, Path(name)) for name in TOLD_BY_THE_DESK if (log_dir / name).is_file()]
    for path, name in found:
        if not (place / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            write_durably(place / name, path.read_bytes())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def moment_of(summary: Summary) -> str:
    """Return when the evidence was judged, as a stamp: the time all of it carries."""
    return stamp_of(nanos_of(summary.summary.generated_at))


def _judgement(folder: RunFolder, summary: Summary) -> Iterator[Item]:
    yield Item("summary.json", "summary", encode_summary(summary) + b"\n")
    if summary.sign_off is not None:
        yield Item("sign_off.json", "sign_off", msgspec.json.encode(summary.sign_off) + b"\n")
    if summary.review is not None and not (folder.review_json.is_file() or folder.review_markdown.is_file()):
        yield Item("review.json", "review", msgspec.json.encode(summary.review) + b"\n", "attested")
    table = (
        (folder.summary_markdown, "summary", "measured"), (folder.review_json, "review", "attested"),
        (folder.review_markdown, "review", "attested"), (folder.wrap_up_json, "wrap_up", "measured"),
        (folder.wrap_up_markdown, "wrap_up", "measured"), (folder.backlog, "backlog", "measured"),
        (folder.incidents, "incidents", "measured"), (folder.progress, "progress", "measured"),
        (folder.run_state, "run_state", "measured"), (folder.witness, "witness", "measured"),
    )  # fmt: skip
    for path, kind, provenance in table:
        if path.is_file():
            yield Item(path.name, kind, path, provenance)
    metadata = summary.summary.metadata
    yield Item("clock_offset.json", "clock_offset", canonical_text(metadata.clock_offset))
    yield Item("hashes.json", "hashes", canonical_text(metadata.hashes))
    timeline = sorted(folder.timeline.glob("snapshot-*.json")) if folder.timeline.is_dir() else []
    if timeline:
        digests = [sha256_hex(path.read_bytes()) for path in timeline]
        named = [{"name": path.name, "sha256": digest} for path, digest in zip(timeline, digests, strict=True)]
        root = {"schema": "evidence.timeline@1", "root": root_of(digests), "snapshots": named}
        yield Item("progress_timeline.json", "progress_timeline", canonical_json(root))


def _evidence(folder: RunFolder, summary: Summary) -> Iterator[Item]:
    metadata = summary.summary.metadata
    for name in (*metadata.structured_log_paths, *metadata.raw_log_paths):
        path = Path(name)
        inside = path if path.is_file() else folder.logs / path.name
        if not inside.is_file():
            raise UsageError(f"the log {path.name} of this run is not there; the bundle would not be whole")
        yield Item(f"logs/{path.name}", "log", inside)
    elsewhere = _places(folder)
    for path, kind in ((folder.diary, "diary"), (folder.performance, "performance")):
        at = path if path.is_file() else elsewhere.get(kind)
        if at is not None and at.is_file():
            yield Item(path.name, kind, at, "attested")


def _places(folder: RunFolder) -> dict[str, Path]:
    """Return where a run kept its evidence files, by its own checkpoint; nothing when that cannot be read."""
    try:
        paths = msgspec.json.decode(folder.run_state.read_bytes(), type=RunState).settings["paths"]
        return {kind: Path(paths[kind]) for kind in ("diary", "performance") if paths.get(kind)}
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return {}


def _gate_files(folder: Path) -> Iterator[Item]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        kind = GATE_FILES.get(name) or GATE_FOLDERS.get(name.partition("/")[0])
        if path.is_file() and kind is None:
            raise UsageError(f"expected {', '.join((*GATE_FILES, *GATE_FOLDERS))} in {folder}, found {name}")
        if path.is_file() and kind is not None:
            yield Item(f"evidence/{name}", kind, path, "attested" if kind == "waiver" else "measured")


def journal_items(directory: Path | None) -> tuple[dict[str, Any] | None, list[Item]]:
    """Verify a journal from its first event and return its head; raises `UsageError` when it is damaged."""
    if directory is None:
        return None, []
    checkpoints = sorted(directory.glob("checkpoint-*.dsse.json"))
    try:
        result = verify_journal(directory, checkpoint=directory if checkpoints else None)
        newest = read_checkpoint(checkpoints[-1], None) if checkpoints else None
    except CannotJudge as problem:
        raise UsageError(f"the journal cannot be judged: {problem}") from None
    if not result.ok:
        raise UsageError(f"the journal is damaged at seq {result.first_bad_seq}: {result.problem}")
    head = {"seq": result.events, "hash": result.head}
    items = [Item("journal_head.json", "journal_head", canonical_json(head))]
    if newest is not None:
        items.append(Item(f"journal/{checkpoints[-1].name}", "journal_checkpoint", checkpoints[-1]))
    return head, items


def _require_modules_in_sbom(items: list[Item]) -> None:
    """Refuse modules that ran and are not in the bill of materials."""
    by_kind = {one.kind: one.source for one in items if one.kind in ("sbom", "modules")}
    if len(by_kind) < 2:
        return
    listed = {str(one["name"]) for one in _document(by_kind["sbom"], "sbom")["components"]}
    loaded = {str(one) for one in _document(by_kind["modules"], "modules")["modules"]}
    if loaded - listed:
        raise UsageError(f"these modules ran and are not in the SBOM: {', '.join(sorted(loaded - listed)[:8])}")


def _document(source: bytes | Path, kind: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(source if isinstance(source, bytes) else source.read_bytes())
        document["components" if kind == "sbom" else "modules"].__iter__()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"expected {kind} as JSON with its list, found something else") from None
    return document


def canonical_text(value: object) -> bytes:
    """Return a small fact as JSON with sorted keys; numbers may be fractions here."""
    return msgspec.json.encode(value, order="sorted") + b"\n"


def status_word(status: Status) -> str:
    """Return a run's status as the manifest says it; a run that is not judged is unknown."""
    return str(status) if str(status) in words.STATUSES else "unknown"
