"""MD-07: two sources of one price: while they disagree, both are suspect."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact

BPS = 10_000


class TwoSourcesPolicy(msgspec.Struct, frozen=True):
    """Mids that differ by `bps_max` or more for `spell_ns` disagree; one older than `age_max_ns` is not compared."""

    bps_max: int = 10
    spell_ns: int = 30 * NANOS_PER_SECOND
    age_max_ns: int = 60 * NANOS_PER_SECOND


@fact("market_data.disagree")
class SourcesDisagree(Fact, frozen=True):
    """Both sources are suspect and the desk pauses; mids as twice the mid in ticks of one scale."""

    instrument: str
    primary_mid2: int
    backup_mid2: int
    since: int


@fact("market_data.agree")
class SourcesAgree(Fact, frozen=True):
    """The sources agree again."""

    instrument: str


@fact("market_data.source_switched")
class SourceSwitched(Fact, frozen=True):
    """The desk reads another source from now on, and by which policy or whose act."""

    instrument: str
    source: str
    by: str


class TwoSources:
    """Compare a primary and a backup source of one instrument; `active` is the one the desk reads."""

    __slots__ = ("_instrument", "_mids", "_policy", "_since", "_times", "active", "suspect")

    def __init__(self, instrument: str, primary: str, backup: str, policy: TwoSourcesPolicy | None = None) -> None:
        self._instrument = instrument
        self._policy = policy or TwoSourcesPolicy()
        self._mids: dict[str, int | None] = {primary: None, backup: None}
        self._times: dict[str, int] = {primary: 0, backup: 0}
        self._since: int | None = None
        self.active = primary
        self.suspect = False

    def on_mid(self, source: str, mid2: int, ts: int) -> tuple[Fact, ...]:
        """Take a source's mid (twice, in ticks); return what it changed."""
        if source not in self._mids:
            raise ValueError(f"source must be one of {', '.join(self._mids)}, was {source!r}")
        self._mids[source] = mid2
        self._times[source] = ts
        return self.advance(ts)

    def advance(self, ts: int) -> tuple[Fact, ...]:
        """Time is `ts`: a difference that has lasted long enough is told once."""
        primary, backup = self._mids.values()
        if primary is None or backup is None:
            return ()
        if ts - min(self._times.values()) > self._policy.age_max_ns:
            self._since = None
            return ()
        if abs(primary - backup) * BPS < self._policy.bps_max * primary:
            self._since = None
            if self.suspect:
                self.suspect = False
                return (SourcesAgree(self._instrument),)
            return ()
        if self._since is None:
            self._since = ts
        if not self.suspect and ts - self._since >= self._policy.spell_ns:
            self.suspect = True
            return (SourcesDisagree(self._instrument, primary, backup, self._since),)
        return ()

    def difference_bps(self) -> Decimal | None:
        """Return backup minus primary in basis points of the primary, None while a source is silent."""
        primary, backup = self._mids.values()
        return None if primary is None or backup is None else Decimal(backup - primary) * BPS / primary

    def switch(self, source: str, by: str) -> SourceSwitched:
        """Read `source` from now on, by the policy or person `by`."""
        if source not in self._mids:
            raise ValueError(f"source must be one of {', '.join(self._mids)}, was {source!r}")
        self.active = source
        return SourceSwitched(self._instrument, source, by)
