"""What to do with a paper policy's settings, from its sessions: keep, adjust or hold (PS-07)."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Advice(StrEnum):
    """Keep the settings, adjust them, or hold: the sessions do not tell."""

    KEEP = "keep"
    ADJUST = "adjust"
    HOLD = "hold"


class TuningPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Floors of sessions and of the hit rate, a fraction; misses and gaps are counted from 1."""

    sessions_min: int = 3
    hit_rate_min: float = 0.5
    misses_max: int = 0
    gaps_max: int = 0


class PaperSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session on paper: decisions and hits; misses of direction and of consensus; gaps of data and of evidence."""

    decisions: int
    hits: int
    direction_misses: int = 0
    consensus_misses: int = 0
    data_gaps: int = 0
    evidence_gaps: int = 0


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """The advice and every reason for it."""

    advice: Advice
    reasons: tuple[str, ...]


def advise(sessions: Sequence[PaperSession], policy: TuningPolicy | None = None) -> Tuned:
    """Return the advice: what is not known holds, what is known to be bad is adjusted, else it is kept."""
    p = policy or TuningPolicy()
    decisions = sum(one.decisions for one in sessions)
    gaps = sum(one.data_gaps + one.evidence_gaps for one in sessions)
    unknown = []
    if len(sessions) < p.sessions_min:
        unknown.append(f"{len(sessions)} of {p.sessions_min} sessions")
    if gaps > p.gaps_max:
        unknown.append(f"{gaps} gaps of data or evidence")
    if not decisions:
        unknown.append("no decision")
    if unknown:
        return Tuned(advice=Advice.HOLD, reasons=tuple(unknown))
    rate = sum(one.hits for one in sessions) / decisions
    bad = [] if rate >= p.hit_rate_min else [f"hit rate {rate:.3f}, at least {p.hit_rate_min:g}"]
    for word in ("direction", "consensus"):
        misses = sum(getattr(one, f"{word}_misses") for one in sessions)
        bad += [f"{misses} {word} misses"] if misses > p.misses_max else []
    return Tuned(advice=Advice.ADJUST if bad else Advice.KEEP, reasons=tuple(bad))
