"""Behaviour that every journal must show (RP-03), judged on the stored lines so that a damaged one is named too."""

from collections.abc import Iterable, Sequence

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity

EVENTS_NAMED_MAX = 100
"""Seqs that one check lists; its count is exact beyond that."""
APPROVED, REFUSED, SUBMIT = "intent.approved", "intent.refused", "command.submit"


class InvariantPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """events_min is a floor on the events of the journal; with fewer nothing is proved."""

    events_min: int = 1000


class Line(msgspec.Struct, frozen=True):
    """The parts of a stored line that are read here; the payload stays text until its kind is wanted."""

    seq: int
    ts_init: int
    kind: str
    event_id: str
    payload: msgspec.Raw


class _Intent(msgspec.Struct, frozen=True):
    expires_at: int | None = None


class _Violation(msgspec.Struct, frozen=True):
    code: str | None = None
    observed: str | None = None
    limit: str | None = None


class _Verdict(msgspec.Struct, frozen=True):
    intent: _Intent = _Intent()
    violations: tuple[_Violation, ...] = ()


class _Submit(msgspec.Struct, frozen=True):
    instance: str = ""


class Invariants:
    """Fold stored lines; `checks` tells which rules they broke, and at which event.

    no_trade  instances that may send nothing
    """

    def __init__(self, policy: InvariantPolicy, *, no_trade: Sequence[str] = ()) -> None:
        self._policy = policy
        self._no_trade = frozenset(no_trade)
        self._broken: dict[str, list[tuple[int, str]]] = {}
        self._counts = dict.fromkeys((APPROVED, REFUSED, SUBMIT), 0)
        self.events = 0
        self._line = msgspec.json.Decoder(Line)
        self._verdict = msgspec.json.Decoder(_Verdict)
        self._submit = msgspec.json.Decoder(_Submit)

    def add(self, raw: bytes) -> None:
        """Take one stored line."""
        line = self._line.decode(raw)
        self.events += 1
        kind = line.kind
        if kind not in self._counts:
            return
        self._counts[kind] += 1
        if kind == SUBMIT:
            if self._submit.decode(line.payload).instance in self._no_trade:
                self._break("no_trade.order_sent", line)
            return
        verdict = self._verdict.decode(line.payload)
        expires_at = verdict.intent.expires_at or 0
        if expires_at <= 0:
            self._break("intent.no_expiry", line)
        elif kind == APPROVED and expires_at <= line.ts_init:
            self._break("intent.expired_approved", line)
        if kind == REFUSED and not (verdict.violations and all(map(_told, verdict.violations))):
            self._break("refusal.untold", line)

    def checks(self) -> tuple[Check, ...]:
        """Return one check a rule; a rule without a case passes with the count 0."""
        floor = self._policy.events_min
        enough = self.events >= floor
        counts = self._counts
        judged = counts[APPROVED] + counts[REFUSED]
        return (
            Check(
                "events.min", Severity.OK if enough else Severity.FAIL, str(self.events), f"at least {floor}",
                "" if enough else "too few events prove nothing; record a longer run",
            ),
            self._check("intent.no_expiry", judged, "every intent has an expiry"),
            self._check("intent.expired_approved", counts[APPROVED], "an expired intent is refused"),
            self._check("refusal.untold", counts[REFUSED], "every refusal has code, observed and limit"),
            self._check("no_trade.order_sent", counts[SUBMIT], "a no-trade instance sends zero orders"),
        )  # fmt: skip

    def _break(self, code: str, line: Line) -> None:
        self._broken.setdefault(code, []).append((line.seq, line.event_id))

    def _check(self, code: str, cases: int, rule: str) -> Check:
        broken = self._broken.get(code, [])
        if not broken:
            return Check(code, Severity.OK, f"0 of {cases}", "0", rule)
        seq, event_id = broken[0]
        seqs = tuple(seq for seq, _ in broken[:EVENTS_NAMED_MAX])
        return Check(
            code, Severity.FAIL, f"{len(broken)} of {cases}", "0", f"{rule}; first {event_id} at seq {seq}", seqs
        )


def judge_lines(lines: Iterable[bytes], policy: InvariantPolicy, *, no_trade: Sequence[str] = ()) -> tuple[Check, ...]:
    """Return the checks over `lines`."""
    fold = Invariants(policy, no_trade=no_trade)
    for line in lines:
        fold.add(line)
    return fold.checks()


def _told(violation: _Violation) -> bool:
    return bool(violation.code and violation.observed and violation.limit)
