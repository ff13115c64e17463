"""The port of the outside witness (DR-42, DR-43): minutes that someone else signed, and how they agree with ours."""

from typing import Protocol

import msgspec

from tradeworthy.kernel.severity import Severity

DISAGREEMENT_MAX = 0.005
"""Half a percentage point of uptime; reached is disagreement."""


class WitnessReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness saw of a run; a missing minute is down; `ratio` None when nothing can be computed."""

    ratio: float | None
    minutes: int
    minutes_missing: int
    key_id: str
    problems: tuple[str, ...] = ()


class Witness(Protocol):
    """Signed minutes of one run, verified."""

    def reading(self, *, started: int, ended: int) -> WitnessReading:
        """Return what the verified minutes say of the time from `started` to `ended` (ns UTC)."""
        ...


class Agreement(msgspec.Struct, frozen=True):
    """How runtime and witness agree; `ratio` is the lower of the two."""

    severity: Severity
    ratio: float | None
    message: str


def agree(runtime: float | None, seen: WitnessReading) -> Agreement:
    """Compare two uptimes: half a point apart is FAIL, the lower one counts, problems of the witness are FAIL."""
    if seen.problems:
        return Agreement(Severity.FAIL, None, f"the witness's minutes do not verify: {'; '.join(seen.problems)}")
    if runtime is None or seen.ratio is None:
        return Agreement(Severity.UNKNOWN, None, "uptime of the runtime or of the witness could not be computed")
    apart = round(abs(runtime - seen.ratio), 9)
    severity = Severity.FAIL if apart >= DISAGREEMENT_MAX else Severity.OK
    message = f"runtime {runtime:.3%}, witness {seen.ratio:.3%} with {seen.minutes_missing} minutes missing"
    return Agreement(severity, min(runtime, seen.ratio), message)
