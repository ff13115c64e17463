"""MD-08: data under suspicion: live, suspect, quarantined, review, live; release takes two people."""

from enum import Enum

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact


class DataState(Enum):
    LIVE = "live"
    SUSPECT = "suspect"
    QUARANTINED = "quarantined"
    REVIEW = "review"


class DataKey(msgspec.Struct, frozen=True, order=True):
    """What is quarantined: a data set of a source for a symbol."""

    dataset: str
    source: str
    symbol: str


class QuarantinePolicy(msgspec.Struct, frozen=True):
    """Percent of the last good price; a jump beyond it is quarantined, at half of it suspect."""

    jump_pct_max: int = 15


@fact("telemetry.data_feed.quarantine")
class QuarantineChanged(Fact, frozen=True):
    """Data moved from one state to another, why, by whom, and the hash of what replaces it."""

    key: DataKey
    before: DataState
    after: DataState
    reason: str
    by: tuple[str, ...] = ()
    replacement: str | None = None


_ARROWS = {
    DataState.LIVE: (DataState.SUSPECT, DataState.QUARANTINED),
    DataState.SUSPECT: (DataState.LIVE, DataState.QUARANTINED),
    DataState.QUARANTINED: (DataState.REVIEW,),
    DataState.REVIEW: (DataState.QUARANTINED, DataState.LIVE),
}


class Quarantine:
    """The states of all data keys; a key never heard of is live. Everything computed from unavailable data is too."""

    __slots__ = ("_good", "_policy", "_replacements", "_states")

    def __init__(self, policy: QuarantinePolicy | None = None) -> None:
        self._policy = policy or QuarantinePolicy()
        self._states: dict[DataKey, DataState] = {}
        self._good: dict[DataKey, int] = {}
        self._replacements: dict[DataKey, str] = {}

    def state(self, key: DataKey) -> DataState:
        return self._states.get(key, DataState.LIVE)

    def available(self, *keys: DataKey) -> bool:
        """Whether something computed from all `keys` may be used (else: abstain `input_quarantined`)."""
        return all(self.state(key) in (DataState.LIVE, DataState.SUSPECT) for key in keys)

    def observe(self, key: DataKey, price: int) -> tuple[QuarantineChanged, ...]:
        """Compare a price with the last good one; only live or suspect data is compared and remembered."""
        state = self.state(key)
        if state in (DataState.QUARANTINED, DataState.REVIEW):
            return ()
        good = self._good.get(key)
        limit = self._policy.jump_pct_max
        if good is not None:
            jump = abs(price - good) * 100
            if jump > limit * good:
                why = f"jump from {good} to {price} ticks is above {limit} %"
                return (self._move(key, DataState.QUARANTINED, why),)
            if 2 * jump > limit * good and state is DataState.LIVE:
                return (self._move(key, DataState.SUSPECT, f"jump from {good} to {price} ticks is above {limit}/2 %"),)
        self._good[key] = price
        return (self._move(key, DataState.LIVE, "price agrees"),) if state is DataState.SUSPECT else ()

    def impose(self, key: DataKey, reason: str, by: str) -> QuarantineChanged:
        """One person or watchdog quarantines live, suspect or reviewed data."""
        return self._move(key, DataState.QUARANTINED, reason, (by,))

    def review(self, key: DataKey, replacement: str, by: str) -> QuarantineChanged:
        """Name the SHA-256 of the data that shall replace the quarantined."""
        if not replacement:
            raise InvalidInput("a review needs the hash of the replacement, was empty")
        changed = self._move(key, DataState.REVIEW, "replacement named", (by,), replacement)
        self._replacements[key] = replacement
        return changed

    def release(self, key: DataKey, replacement: str, by: tuple[str, str]) -> QuarantineChanged:
        """Two different people release reviewed data, citing the hash they looked at."""
        if len(set(by)) != 2 or not all(by):
            raise InvalidInput(f"a release needs two different people, was {', '.join(by)}")
        if self.state(key) is DataState.REVIEW and replacement != self._replacements[key]:
            raise InvalidInput(f"the replacement must be {self._replacements[key]}, was {replacement}")
        changed = self._move(key, DataState.LIVE, "released", by, replacement)
        del self._replacements[key]
        self._good.pop(key, None)
        return changed

    def _move(
        self, key: DataKey, after: DataState, reason: str, by: tuple[str, ...] = (), replacement: str | None = None
    ) -> QuarantineChanged:
        before = self.state(key)
        if after not in _ARROWS[before]:
            raise InvalidInput(f"{before.value} data cannot become {after.value}")
        self._states[key] = after
        return QuarantineChanged(key, before, after, reason, by, replacement)
