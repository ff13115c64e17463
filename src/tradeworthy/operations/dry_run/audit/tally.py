"""What a log's lines add up to; parts are counted apart and merged, in any order, with one result."""

from array import array
from collections.abc import Sequence
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import (
    CODE_FUTURE,
    CODE_LEVEL,
    CODE_TRACE,
    FUTURE_SECONDS_MAX,
    LineVerdict,
    classify_record,
    classify_text,
    level_of,
    may_hold_trace,
    parse_time,
)
from tradeworthy.operations.dry_run.audit.coverage import Coverage
from tradeworthy.operations.dry_run.audit.fingerprints import Fingerprints, Names
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.model import Status, stamp, status_of

FUTURE_NANOS_MAX = round(FUTURE_SECONDS_MAX * NANOS_PER_SECOND)
SEQ_FIRST_MAX = 1
"""A heartbeat with so small a number may begin a new series: the process was started again."""
BEAT_EVENT = "heartbeat"
_decode = msgspec.json.Decoder().decode


class Tally:
    """Counts, findings and coverage of lines; `now` (nanoseconds) is what the future is measured against."""

    def __init__(self, policy: AuditPolicy, *, now: int) -> None:
        self.policy = policy
        self.now = now
        self.records = self.ignored = self.measured = self.attested = self.naive = self.untimed = 0
        self.overlong = 0
        self.truncated: list[str] = []
        self.problems: list[str] = []
        self.levels = Names(kept_max=policy.events_kept_max)
        self.events = Names(kept_max=policy.events_kept_max)
        self.errors = Fingerprints(kept_max=policy.fingerprints_kept_max)
        self.warnings = Fingerprints(kept_max=policy.fingerprints_kept_max)
        self.content = Fingerprints(kept_max=policy.fingerprints_kept_max)
        self.coverage = Coverage(width=policy.cell_nanos, bytes_max=policy.scan.coverage_bytes_max)
        self.beats: array[int] = array("q")
        self.beats_dropped = 0
        self._plain = policy.stderr_plain_severity.severity

    def take(self, line: bytes) -> None:
        """Count one line, without its end; any bytes are allowed, blank ones are nothing."""
        try:
            record = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            record = None
        if isinstance(record, dict):
            self._record(record, may_hold_trace(line))
        elif line.strip():
            self._text(line)

    def take_tail(self, line: bytes, path: str) -> None:
        """Count the last line of a file that does not end: whole when it parses, else a truncated tail."""
        try:
            whole = isinstance(_decode(line), dict)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            whole = False
        if whole:
            self.take(line)
        elif line.strip():
            self.truncated.append(path)

    def take_overlong(self) -> None:
        """Count a line that is longer than any buffer; it is ignored as a whole."""
        self.ignored += 1
        self.overlong += 1

    def take_beats(self, pairs: Sequence[int]) -> None:
        """Remember beats, (moment, seq) after (moment, seq)."""
        kept = pairs[: max(0, 2 * self.policy.beats_max - len(self.beats))]
        self.beats.extend(kept)
        self.beats_dropped += (len(pairs) - len(kept)) // 2

    def merge(self, other: "Tally") -> None:
        """Add the counts of another part."""
        for name in ("records", "ignored", "measured", "attested", "naive", "untimed", "overlong", "beats_dropped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.truncated.extend(other.truncated)
        self.problems.extend(other.problems)
        for mine, theirs in (
            (self.errors, other.errors), (self.warnings, other.warnings), (self.content, other.content)
        ):
            mine.merge(theirs)
        self.levels.merge(other.levels)
        self.events.merge(other.events)
        self.coverage.merge(other.coverage)
        self.take_beats(other.beats)

    def beat_moments(self) -> list[int]:
        """Return the arrivals of the beats whose `seq` grew, in time order; a repetition proves no life."""
        pairs = sorted(zip(self.beats[::2], self.beats[1::2], strict=True))
        moments: list[int] = []
        highest: int | None = None
        for moment, seq in pairs:
            if highest is None or seq > highest or seq <= SEQ_FIRST_MAX < highest:
                highest = seq
                moments.append(moment)
        return moments

    def _record(self, record: dict[str, Any], suspect: bool) -> None:
        payload = record.get("payload")
        inner: dict[str, Any] = payload if isinstance(payload, dict) else {}
        arrival, arrival_naive = parse_time(inner.get("ingested_at"))
        stream = record.get("stream")
        verdict = classify_record(
            record, stream=stream if isinstance(stream, str) else "stdout", plain_severity=self._plain, suspect=suspect
        )
        self.records += 1
        self.levels.add(verdict.level)
        if verdict.event:
            self.events.add(verdict.event)
        moment = verdict.own_ns if arrival is None else arrival
        self.naive += (verdict.naive and verdict.own_ns is not None) or (arrival is not None and arrival_naive)
        if moment is None:
            self.untimed += 1
        elif arrival is None:
            self.attested += 1
        else:
            self.measured += 1
        if verdict.severity is not Severity.OK:
            self._finding(record, verdict, moment)
        if self._in_future(verdict.own_ns, arrival):
            own = verdict.own_ns if verdict.own_ns is not None else arrival
            message = "" if own is None else f"a line is dated {stamp(own).isoformat()}, after it arrived"
            self.content.add(Status.FAIL, CODE_FUTURE, verdict.event, message, moment, by_event=True)
        if moment is not None and moment <= self.now + FUTURE_NANOS_MAX:
            self.coverage.note(moment)
            if verdict.event == BEAT_EVENT:
                seq = _seq(record, inner)
                if seq is not None:
                    self.take_beats((moment, seq))

    def _in_future(self, own: int | None, arrival: int | None) -> bool:
        reference = self.now if arrival is None else arrival
        latest = self.now + FUTURE_NANOS_MAX
        return (own is not None and own > reference + FUTURE_NANOS_MAX) or (arrival is not None and arrival > latest)

    def _finding(self, record: dict[str, Any], verdict: LineVerdict, moment: int | None) -> None:
        severity = status_of(verdict.severity)
        message = verdict.message or verdict.event
        match verdict.code:
            case code if code == CODE_LEVEL:
                text = f"nobody knows the level word {verdict.level[:40]!r}"
                self.content.add(severity, CODE_LEVEL, verdict.level[:40], text, moment, by_event=True)
            case code if code == CODE_TRACE and level_of(record)[1] is not Severity.FAIL:
                text = message or "a stack trace in a line that is no error"
                self.content.add(severity, CODE_TRACE, verdict.event, text, moment)
            case code if verdict.severity is Severity.FAIL:
                self.errors.add(severity, code, verdict.event, message, moment)
            case code:
                self.warnings.add(severity, code, verdict.event, message, moment)

    def _text(self, line: bytes) -> None:
        self.ignored += 1
        if may_hold_trace(line):
            verdict = classify_text(line.decode("utf-8", "replace"), stream="stdout")
            if verdict.severity is Severity.FAIL:
                self.content.add(Status.FAIL, CODE_TRACE, "", verdict.message.strip(), None)


def _seq(record: dict[str, Any], payload: dict[str, Any]) -> int | None:
    """Return the beat's number, from the line or from what the harness wrapped."""
    structured = payload.get("structured")
    for place in (record, structured, payload):
        if isinstance(place, dict):
            seq = place.get("seq")
            if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < 1 << 62:
                return seq
    return None
