"""Facts out of folders: secrets in their bytes, keys that others can read, and what a dry run left."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.redaction import REDACTED, Secret, redact, scrub
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.dry_run.artefacts import Summary, decode_summary
from tradeworthy.operations.dry_run.model import IncidentState, Status, nanos_of
from tradeworthy.operations.dry_run.run_folder import RunFolder

CHUNK_BYTES = 1_048_576
OVERLAP_BYTES = 4_096
"""Read again with the next chunk: a secret across a border is found too."""
KEYS = ("*.key", "*.pem", "id_*", "*.p12")
OTHERS = stat.S_IRWXG | stat.S_IRWXO
VALIDATED_WITHIN_NS = 72 * 3_600 * NANOS_PER_SECOND
CANARY = "canary-of-the-scan-4f1c"
_FORMS = {
    (b"-----BEGIN ",): re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    (b"AKIA",): re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"): re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    (b"xoxa-", b"xoxb-", b"xoxp-", b"xoxr-", b"xoxs-"): re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    (b"eyJ",): re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
}
"""What looks like a secret whatever its name, behind the bytes that it must hold: those are sought first."""
_STEMS = (
    b"assword", b"assphrase", b"ecret", b"oken", b"pikey", b"pi_key", b"pi-key", b"rivatekey", b"rivate_key",
    b"rivate-key", b"uthorization", b"ignature",
)  # fmt: skip
"""What a secret's name holds after its first letter, in small letters."""
_NAMED = re.compile(
    rb"(?i)[psta](?:assword|assphrase|ecret|oken|pi[_-]?key|rivate[_-]?key|uthorization|ignature)"
    rb"\\?\"?\s*[=:]\s*\\?\"?(?!secret://|//|\[redacted\]|\d+\b)(?:bearer\s+)?[^\s\"\\&,;}{\[]{8,}"
)
"""A value behind a name that says it is secret; a reference, what was redacted and a number are none."""


def secret_facts(sinks: Sequence[Path], tell: Teller) -> list[Observation]:
    """Return the facts of `secrets_hygiene`, one sink a folder or file; a sink nobody can read stays unknown."""
    found: list[Observation] = []
    for sink in sinks:
        name = sink.name or str(sink)
        try:
            size, hits, keys = scan(sink)
        except OSError as problem:
            why = f"not scanned: {problem.strerror}"
            found += [tell(one, None, name, why=why) for one in ("hits", "bytes", "open_keys")]
            continue
        found += [tell("hits", hits, name), tell("bytes", size, name), tell("open_keys", keys, name)]
    return [*found, tell("canary_found", _finds_its_canary())]


def scan(sink: Path) -> tuple[int, int, int]:
    """Return bytes read, hits, and key files that others than their owner can read; raises `OSError`."""
    size = hits = keys = 0
    sink.stat()
    for path in sorted(sink.rglob("*")) if sink.is_dir() else [sink]:
        if not path.is_file() or path.is_symlink():
            continue
        is_key = any(path.match(pattern) for pattern in KEYS) and path.suffix != ".pub"
        keys += is_key and bool(path.stat().st_mode & OTHERS)
        read, found = _scanned(path)
        size += read
        hits += 0 if is_key else found
    return size, hits, keys


def dry_run_facts(folder: Path, tell: Teller) -> list[Observation]:
    """Return the facts of `final_dry_run` from a run folder's summary; without one nothing is known."""
    path = RunFolder(folder).summary_json
    summary: Summary | None = None
    why = f"no {path.name}: the run has not ended"
    try:
        summary = decode_summary(path.read_bytes())
    except OSError:
        pass
    except InvalidInput as problem:
        why = str(redact(str(problem)))
    meta = None if summary is None else summary.summary.metadata
    ended = None if meta is None or meta.ended_at is None else nanos_of(meta.ended_at)
    met = None
    if meta is not None and meta.actual_duration_seconds is not None and meta.target_duration_seconds is not None:
        met = meta.actual_duration_seconds >= meta.target_duration_seconds
    signed = None if summary is None or summary.sign_off is None else summary.sign_off
    if met is not None and meta is not None and signed is not None:
        met = met and (meta.actual_duration_seconds or 0) >= signed.criteria.minimum_duration_seconds
    opened = None
    if summary is not None:
        opened = sum(one.state is IncidentState.OPEN and not one.planned for one in summary.incidents)
    return [
        tell("verdict", None if summary is None else summary.status.value, why=why),
        tell("signed_off", None if signed is None else signed.status.value, why=why if summary is None else "unsigned"),
        tell("run_class", None if summary is None else summary.run_class.value, why=why),
        tell("ended", ended, why=why), tell("duration_met", met, why=why), tell("open_incidents", opened, why=why),
    ]  # fmt: skip


def validation_facts(folder: Path, tell: Teller) -> list[Observation]:
    """Return the facts of `system_validation`: what a dry run's summary judged, and how those beside it ended."""
    path = RunFolder(folder).summary_json
    last = _summary_in(path)
    if last is None:
        why = f"no {path.name} that can be read: the run has not ended"
        names = ("checks", "distinct_checks", "failed", "required", "reported_at", "success_rate", "failure_streak")
        return [tell(name, None, why=why) for name in names]
    body, at = last.summary, nanos_of(last.summary.generated_at)
    parts = {"logs": body.logs, "diary": body.diary, "performance": body.performance, "sign_off": last.sign_off}
    statuses = {name: part.status for name, part in parts.items() if part is not None}
    bad = tuple(name for name, status in statuses.items() if status in (Status.FAIL, Status.UNKNOWN))
    ended = sorted(
        (nanos_of(one.summary.generated_at), one.status not in (Status.FAIL, Status.UNKNOWN))
        for one in map(_summary_in, sorted(folder.parent.glob(f"*/{path.name}"))) if one is not None
    )  # fmt: skip
    recent = [good for when, good in ended if at - VALIDATED_WITHIN_NS < when <= at]
    streak = next((n for n, good in enumerate(reversed(recent)) if good), len(recent))
    return [
        tell("checks", len(statuses)), tell("distinct_checks", len(statuses)), tell("failed", bad),
        tell("required", tuple(name for name in ("logs", "sign_off") if name in statuses)), tell("reported_at", at),
        tell("success_rate", sum(recent) / len(recent), why="no run ended within 72 h"),
        tell("failure_streak", streak),
    ]  # fmt: skip


def _summary_in(path: Path) -> Summary | None:
    try:
        return decode_summary(path.read_bytes())
    except (OSError, InvalidInput):
        return None


def _finds_its_canary() -> bool:
    """Plant a secret across the border of two chunks of a file, and tell whether the scan finds it."""
    Secret(CANARY)
    with TemporaryDirectory() as place:
        path = Path(place) / "canary"
        path.write_bytes(b"x" * (CHUNK_BYTES - len(CANARY) // 2) + CANARY.encode() + b"x" * CHUNK_BYTES)
        return _scanned(path)[1] > 0


def _scanned(path: Path) -> tuple[int, int]:
    """Return bytes and hits of one file, whatever its size."""
    size = hits = twice = 0
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            data = rest + chunk
            line = data.rfind(b"\n") + 1
            hits += _hits(data[: line or len(data)]) - twice
            rest = data[line:] if line else data[-OVERLAP_BYTES:]
            twice = 0 if line else _hits(rest)  # without a line's end the rest is looked at with the next chunk too
    return size, hits + (_hits(rest) - twice if rest else 0)


def _hits(data: bytes) -> int:
    """Count registered secrets, values of eight characters behind a secret's name, and what has a key's form."""
    mark = REDACTED.encode()
    known = scrub(data).count(mark) - data.count(mark)
    formed = sum(
        len(form.findall(data)) for marks, form in _FORMS.items() if any(one in data for one in marks)
    )
    return known + _named(data) + formed


def _named(data: bytes) -> int:
    """Count values behind a secret's name; the names are sought as plain bytes, which is many times faster."""
    small = data.lower()
    starts: list[int] = []
    for stem in _STEMS:
        at = small.find(stem, 1)
        while at > 0:
            starts.append(at - 1)
            at = small.find(stem, at + 1)
    count = end = 0
    for start in sorted(starts):
        found = _NAMED.match(data, start) if start >= end else None
        if found is not None:
            count, end = count + 1, found.end()
    return count
