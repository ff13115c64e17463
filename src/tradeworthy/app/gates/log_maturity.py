"""What a desk's journals and its outside witness show of log maturity (GT-01 to GT-03)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.integrity import IntegrityFold
from tradeworthy.kernel.journal.records import LossAcknowledged
from tradeworthy.kernel.journal.verify import CannotJudge, verify
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.witness import MINUTE, Minute, WitnessMinutes
from tradeworthy.operations.gates.lost_outcomes import LostOutcomes
from tradeworthy.operations.gates.maturity import ZERO_LOSS, Rebaselined, Record, lost_of, rebased
from tradeworthy.trading.environment import DESK

FEED = "tape."
"""Sources of market data; what any other source but the desk itself lost is an audit record."""


def record_of(
    journals: Iterable[Path], witness: Path | None, trust: TrustFile | None, *, rebaselined: Iterable[Rebaselined] = ()
) -> Record:
    """Return the record of these journals, as far as it is known; None in it means that nobody looked.

    journals  of one desk's runs, oldest first;  witness  signed minutes, which only a trust file makes count
    """
    lost, unknown, days = lost_of({}), 0, set[int]()
    lost_at: int | None = None
    verified: bool | None = None
    reasoned = True
    for directory in journals:
        signed = any(directory.glob("checkpoint-*.dsse.json"))
        try:
            whole: bool | None = verify(directory, checkpoint=directory if signed else None).ok if signed else None
        except CannotJudge:
            whole = None
        verified = whole if verified is None or whole is None else verified and whole
        fold, outcomes, missing = IntegrityFold(), LostOutcomes(), 0
        for event in read(directory):
            fold.take(event)
            outcomes.take(event)
            days.add(event.ts_init // NANOS_PER_DAY)
            if isinstance(event.payload, LossAcknowledged):
                lost_at = max(lost_at or 0, event.ts_init)
        seen = fold.result({}, now=None)
        unknown += seen.unknown_cause
        named = {(one.source, one.first, one.last) for one in seen.losses}
        for source, first, last in seen.gaps:
            if source == DESK:
                missing += last - first + 1
                continue
            kind = "market_data" if source.startswith(FEED) else "audit"
            lost[kind] += last - first + 1
            if kind == "market_data":
                reasoned = reasoned and any(
                    name == source and begin <= first and last <= end for name, begin, end in named
                )
        for kind, count in outcomes.counts(missing).items():
            lost[kind] += count
    beats = None if witness is None or trust is None else tuple(beats_of(WitnessMinutes(witness, trust).minutes()[0]))
    if verified is not True:
        lost = {name: count for name, count in lost.items() if name not in ZERO_LOSS or count}
    found = Record(
        beats=beats, checkpoint_verified=verified, unknown_causes=unknown if days else None, lost=lost,
        lost_at=lost_at, gap_reasons=reasoned, days=tuple(sorted(days)),
    )  # fmt: skip
    return rebased(found, rebaselined)


def beats_of(minutes: Iterable[Minute]) -> Iterator[int]:
    """Yield the beats of signed minutes: one each interval, of which only those seen well count, and the first ones."""
    for one in minutes:
        step = one.interval_ms * 1_000_000
        yield from (one.minute + at * step for at in range(one.ups) if at * step < MINUTE)
