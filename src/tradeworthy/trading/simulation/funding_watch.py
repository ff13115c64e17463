"""A funding time that no rate came for: said as an event of its own, never passed over (SV-12)."""

from collections.abc import Iterable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model import Funding, Instrument
from tradeworthy.trading.model.funding import next_funding

GRACE_NS = 60 * NANOS_PER_SECOND
"""How late a venue may tell the rate of a funding time."""


class FundingWatch:
    """Follow the schedules of perpetuals; each scheduled time gives one `Funding`, at the latest with rate None."""

    __slots__ = ("_due", "_grace", "_instruments")

    def __init__(self, instruments: Iterable[Instrument], start: int, *, grace_ns: int = GRACE_NS) -> None:
        self._instruments = {one.instrument_id: one for one in instruments}
        self._grace = grace_ns
        self._due: dict[str, int] = {}
        for name, one in self._instruments.items():
            due = next_funding(one, start)
            if due is not None:
                self._due[name] = due

    def on_funding(self, funding: Funding, ts: int) -> None:
        """Note a rate that the venue told at `ts`: it answers the time that is due, within the grace either way."""
        due = self._due.get(funding.instrument)
        if due is not None and ts >= due - self._grace:
            self._next(funding.instrument, due)

    def next_due(self) -> int | None:
        """Return when the next time counts as missed, None without schedules."""
        return min(self._due.values()) + self._grace if self._due else None

    def advance(self, ts: int) -> list[tuple[int, Funding]]:
        """Return the funding times that passed without a rate until `ts`, as UNKNOWN rates at their own times."""
        missed: list[tuple[int, Funding]] = []
        for name in list(self._due):
            while ts >= self._due[name] + self._grace:
                missed.append((self._due[name], Funding(name, None)))
                self._next(name, self._due[name])
        return sorted(missed, key=lambda one: (one[0], one[1].instrument))

    def _next(self, name: str, due: int) -> None:
        following = next_funding(self._instruments[name], due)
        if following is not None:
            self._due[name] = following
