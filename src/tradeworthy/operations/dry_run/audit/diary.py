"""Judge a decision diary: readable, regular, free of failed decisions, and equal to the journal (DR-26 to DR-30)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import FUTURE_SECONDS_MAX, parse_time
from tradeworthy.operations.dry_run.audit.fingerprints import Names
from tradeworthy.operations.dry_run.audit.policy import MIB, Window
from tradeworthy.operations.dry_run.audit.sources import lines_of
from tradeworthy.operations.dry_run.model import DiaryIssue, DiarySection, Json, Status, stamp, status_of
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE

FAIL_STATUSES = frozenset({"error", "failed", "halted", "fatal", "critical"})
WARN_STATUSES = frozenset({"warning", "warn", "degraded", "throttled", "skipped"})
STATUS_PLACES = ("metadata", "decision", "outcomes")
MALFORMED, MISSING, START_GAP, END_GAP = "malformed", "coverage/missing", "coverage/start_gap", "coverage/end_gap"
_NOTE_WORDS = re.compile(r"\b(incident|halt|error|warn|degraded)\b", re.I)
_NOTE_FAIL = frozenset({"incident", "halt", "error"})
_NEGATED_BEFORE = re.compile(
    r"\b(?:no|not|non|never|without|zero|0|none|free of|isn't|wasn't)(?:[\s-]+\w+)?[\s-]+$", re.I
)
_NEGATED_AFTER = re.compile(r"^[\s-]*free\b", re.I)
_decode = msgspec.json.Decoder().decode


class DiaryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a diary is judged; 0 entries a day is not judged."""

    edge_minutes_max: float = 15.0
    entries_per_day_min: float = 0.0
    daily_gap_severity: Status = Status.WARN
    malformed_ratio_fail: float = 0.01
    issues_kept_max: int = 500
    policies_kept_max: int = 1_000
    line_bytes_max: int = 8 * MIB
    document_bytes_max: int = 64 * MIB

    def __post_init__(self) -> None:
        if self.entries_per_day_min < 0:
            raise UsageError(f"the daily minimum of diary entries must be at least 0, was {self.entries_per_day_min:g}")


class JournalDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal says the diary must hold."""

    count: int
    last_seq: int | None


def audit_diary(
    path: Path, policy: DiaryPolicy, *, now: int, window: Window | None = None, journal: JournalDecisions | None = None
) -> DiarySection:
    """Read a diary, JSON Lines or one document with `entries`, and judge it; raises `Unreadable`."""
    reading = _Reading(policy, now)
    document = _document(path, policy)
    if document is not None:
        for position, entry in enumerate(document, 1):
            reading.take(entry, position, 0)
    else:
        for position, (offset, line, ended) in enumerate(lines_of(path, line_bytes_max=policy.line_bytes_max), 1):
            reading.take_line(line, position, offset, ended)
    return reading.judge(window, journal)


def _document(path: Path, policy: DiaryPolicy) -> list[Any] | None:
    """Return the entries of a single JSON document, None when the file holds lines."""
    lines = lines_of(path, line_bytes_max=policy.line_bytes_max)
    first = next((line for _, line, _ in lines if line is None or line.strip()), b"")
    whole = _object(first or b"")
    if isinstance(whole, dict) and "entries" not in whole:
        return None
    if whole is None and not (first or b"").lstrip().startswith((b"{", b"[")):
        return None
    pieces: list[bytes] = []
    size = 0
    for _, line, _ in lines_of(path, line_bytes_max=policy.line_bytes_max):
        size += len(line or b"") + 1
        if line is None or size > policy.document_bytes_max:
            return None
        pieces.append(line)
    whole = _object(b"\n".join(pieces))
    entries = whole.get("entries") if isinstance(whole, dict) else whole
    return entries if isinstance(entries, list) else None


def _object(data: bytes) -> Any:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Reading:
    """What the entries add up to, in bounded memory."""

    def __init__(self, policy: DiaryPolicy, now: int) -> None:
        self._policy, self._now = policy, now
        self._entries = self._malformed = self._torn = self._lines = 0
        self._policies = Names(kept_max=policy.policies_kept_max)
        self._days: dict[int, int] = {}
        self._first: int | None = None
        self._last: int | None = None
        self._last_seq: int | None = None
        self._issues: dict[Status, list[DiaryIssue]] = {}
        self._unlisted = 0

    def take_line(self, line: bytes | None, position: int, offset: int, ended: bool) -> None:
        """Read one line; blank ones are nothing, a last one without end that is no entry was torn by a crash."""
        if line is not None and ended and not line.strip():
            return
        entry = None if line is None else _object(line)
        if not ended and entry is None:
            self._torn = 1
            self._lines += 1
            self._bad(position, offset, "the last line was cut off while it was written")
            return
        self.take(entry, position, offset)

    def take(self, entry: Any, position: int, offset: int) -> None:
        """Count one entry, or why it is none."""
        self._lines += 1
        if not isinstance(entry, dict):
            self._bad(position, offset, "not a JSON object")
            return
        name = entry.get("entry_id")
        moment, _ = parse_time(entry.get("recorded_at"))
        if not isinstance(name, str) or not name.strip() or moment is None:
            lacking = "recorded_at that is a time" if isinstance(name, str) and name.strip() else "entry_id"
            self._bad(position, offset, f"an entry without {lacking}")
            return
        self._entries += 1
        policy_id = entry.get("policy_id")
        policy = policy_id if isinstance(policy_id, str) else None
        self._policies.add(policy or "(none)")
        seq = entry.get("journal_seq")
        if isinstance(seq, int) and not isinstance(seq, bool):
            self._last_seq = seq if self._last_seq is None else max(self._last_seq, seq)
        if moment > self._now + FUTURE_SECONDS_MAX * NANOS_PER_SECOND:
            self._add(Status.FAIL, name, f"recorded in the future, at {stamp(moment).isoformat()}", moment, policy, {})
        else:
            self._first = moment if self._first is None else min(self._first, moment)
            self._last = moment if self._last is None else max(self._last, moment)
            self._days[moment // NANOS_PER_DAY] = self._days.get(moment // NANOS_PER_DAY, 0) + 1
        for severity, reason in severities_of(entry):
            self._add(severity, name, reason, moment, policy, {})

    def judge(self, window: Window | None, journal: JournalDecisions | None) -> DiarySection:
        """Return the section; issues that speak of the whole diary come first."""
        whole = [*self._coverage(window), *self._agreement(journal)]
        if self._malformed:
            share = self._malformed / self._lines
            beyond = share >= self._policy.malformed_ratio_fail and self._malformed > self._torn
            whole.append(_issue(
                Status.FAIL if beyond else Status.WARN, MALFORMED,
                f"{self._malformed:,} of {self._lines:,} lines ({share:.2%}) are no entries; "
                f"fail at {self._policy.malformed_ratio_fail:.0%}",
            ))  # fmt: skip
        if self._unlisted:
            whole.append(_issue(Status.WARN, "overflow", f"{self._unlisted:,} further issues are counted, not listed"))
        listed = [one for severity in (Status.FAIL, Status.WARN) for one in self._issues.get(severity, ())]
        severity = max((one.severity.severity for one in (*whole, *listed)), default=Severity.OK)
        return DiarySection(
            status=status_of(severity), total_entries=self._entries, malformed_lines=self._malformed,
            policy_counts=self._policies.counts(),
            first_recorded_at=None if self._first is None else stamp(self._first),
            last_recorded_at=None if self._last is None else stamp(self._last), issues=(*whole, *listed),
        )  # fmt: skip

    def _coverage(self, window: Window | None) -> Iterator[DiaryIssue]:
        if window is None:
            if not self._entries:
                yield _issue(Status.FAIL, MISSING, "the diary holds no entry")
            return
        if self._first is None or self._last is None or self._last < window.start or self._first > window.stop:
            yield _issue(Status.FAIL, MISSING, "no decision was recorded while the command ran")
            return
        edge = self._policy.edge_minutes_max * SECONDS_PER_MINUTE
        for name, seconds, text in (
            (START_GAP, (self._first - window.start) / NANOS_PER_SECOND, "the first decision came {} after the start"),
            (END_GAP, (window.stop - self._last) / NANOS_PER_SECOND, "the last decision came {} before the end"),
        ):
            if seconds > edge:
                yield _issue(Status.WARN, name, text.format(timedelta(seconds=round(seconds))), seconds=seconds)
        yield from self._daily(window)

    def _daily(self, window: Window) -> Iterator[DiaryIssue]:
        """Yield the UTC days with too few entries; a day that is only partly in the window asks for its part."""
        least = self._policy.entries_per_day_min
        if least <= 0:
            return
        for day in range(window.start // NANOS_PER_DAY, window.stop // NANOS_PER_DAY + 1):
            begin, end = day * NANOS_PER_DAY, (day + 1) * NANOS_PER_DAY
            share = (min(end, window.stop) - max(begin, window.start)) / NANOS_PER_DAY
            found, needed = self._days.get(day, 0), least * share
            if share > 0 and found + 1e-9 < needed:
                date = f"{stamp(begin):%Y-%m-%d}"
                yield _issue(
                    self._policy.daily_gap_severity, f"coverage/daily/{date}",
                    f"{found} entries on {date}, at least {needed:.1f} were expected", observed=found, limit=needed,
                )  # fmt: skip

    def _agreement(self, journal: JournalDecisions | None) -> Iterator[DiaryIssue]:
        if journal is None:
            return
        if journal.count != self._entries:
            yield _issue(
                Status.FAIL, "journal/count",
                f"the diary holds {self._entries:,} entries, the journal {journal.count:,} decisions",
            )  # fmt: skip
        if journal.last_seq != self._last_seq:
            yield _issue(
                Status.FAIL, "journal/last_seq",
                f"the diary ends at journal_seq {self._last_seq}, the journal's last decision is {journal.last_seq}",
            )  # fmt: skip

    def _bad(self, position: int, offset: int, reason: str) -> None:
        self._malformed += 1
        place = {"line": position, "byte": offset}
        self._add(Status.WARN, f"line-{position}", f"malformed: {reason}", None, None, place)

    def _add(
        self, severity: Status, name: str, reason: str, moment: int | None, policy: str | None, metadata: Json
    ) -> None:
        kept = self._issues.setdefault(severity, [])
        if len(kept) >= self._policy.issues_kept_max:
            self._unlisted += 1
            return
        kept.append(DiaryIssue(
            entry_id=redact(name[:200]), policy_id=policy, recorded_at=None if moment is None else stamp(moment),
            severity=severity, reason=redact(reason), metadata=metadata,
        ))  # fmt: skip


def severities_of(entry: Json) -> Iterator[tuple[Status, str]]:
    """Yield what is wrong with an entry by its own words: status fields, and words of its notes unless negated."""
    for place in STATUS_PLACES:
        for word in _statuses(entry.get(place)):
            lower = word.strip().lower()
            if lower in FAIL_STATUSES:
                yield Status.FAIL, f"{place} has the status {lower}"
            elif lower in WARN_STATUSES:
                yield Status.WARN, f"{place} has the status {lower}"
    notes = entry.get("notes")
    for note in [notes] if isinstance(notes, str) else notes if isinstance(notes, list) else []:
        if isinstance(note, str):
            found = {match[1].lower() for match in _NOTE_WORDS.finditer(note) if not _negated(note, match)}
            if found:
                severity = Status.FAIL if found & _NOTE_FAIL else Status.WARN
                yield severity, f"a note says {', '.join(sorted(found))}: {note[:200]}"


def _statuses(value: Any) -> Iterator[str]:
    places = value if isinstance(value, list) else [value]
    for one in places:
        if isinstance(one, dict) and isinstance(one.get("status"), str):
            yield one["status"]


def _negated(note: str, match: "re.Match[str]") -> bool:
    before, after = note[: match.start()], note[match.end() :]
    return _NEGATED_BEFORE.search(before) is not None or _NEGATED_AFTER.match(after) is not None


def _issue(severity: Status, code: str, reason: str, **metadata: float | int) -> DiaryIssue:
    return DiaryIssue(entry_id=code, severity=severity, reason=reason, metadata=metadata)
