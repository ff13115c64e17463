"""The wall clock held against the monotonic one: a step pauses the desk until it was quiet for a minute (APP-12)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from tradeworthy.app.runtime.facts import ClockChecked
from tradeworthy.app.runtime.policy import TimeIntegrityPolicy
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.watched import HoldPort

PREFIX = "RUNTIME_TIME_INTEGRITY_"
STEPPED = "stepped"
WARN_SHARE = 0.5
"""Of the venue's tolerance: an offset that reaches it warns."""


P = TypeVar("P", bound=msgspec.Struct)


class TimeIntegrity:
    """Check the clock; `hold` is the port of owner `clock`.

    offset  returns the true offset in nanoseconds, None where no time service can be read
    tell    takes each judgement that differs from the one before
    """

    def __init__(
        self, clock: Clock, hold: HoldPort, policy: TimeIntegrityPolicy, *, offset: Callable[[], int | None],
        tell: Callable[[ClockChecked], object] = lambda checked: None,
    ) -> None:  # fmt: skip
        self._clock, self._hold, self._policy, self._offset, self._tell = clock, hold, policy, offset, tell
        self._wall, self._mono = clock.now(), clock.monotonic()
        self._held_since: int | None = None
        self._severity: Severity | None = None
        self.last: ClockChecked | None = None

    async def checks(self, pulse: Pulse) -> None:
        """Check for ever: the factory of a supervised task."""
        while True:
            self.check()
            pulse.beat()
            await asyncio.sleep(self._policy.interval_seconds)

    def check(self) -> ClockChecked:
        """Judge the drift since the clock was last right; a step becomes the new base, so that quiet can be seen."""
        wall, mono = self._clock.now(), self._clock.monotonic()
        drift = (wall - self._wall) - (mono - self._mono)
        if abs(drift) >= nanos(self._policy.threshold_seconds):
            self._wall, self._mono, self._held_since = wall, mono, mono
            self._hold.hold(STEPPED, f"the wall clock stepped by {drift / NANOS_PER_SECOND:+.3f} s")
        elif self._held_since is not None and mono - self._held_since >= nanos(self._policy.stable_seconds):
            self._held_since = None
            self._hold.release(STEPPED)
        found = self._judge(drift, self._offset())
        self.last = found
        if found.severity is not self._severity or abs(drift) >= nanos(self._policy.threshold_seconds):
            self._severity = found.severity
            self._tell(found)
        return found

    def _judge(self, drift: int, offset: int | None) -> ClockChecked:
        limit = nanos(self._policy.threshold_seconds)
        tolerance = round(self._policy.venue_tolerance_ms * NANOS_PER_MILLI)
        if abs(drift) >= limit:
            text = f"drift {drift / NANOS_PER_SECOND:+.3f} s reaches {self._policy.threshold_seconds} s"
            return ClockChecked(drift, offset, Severity.FAIL, text)
        if self._held_since is not None:
            return ClockChecked(drift, offset, Severity.FAIL, f"not yet quiet for {self._policy.stable_seconds} s")
        if offset is None:
            return ClockChecked(drift, None, Severity.UNKNOWN, "no time service tells the true offset")
        if abs(offset) >= tolerance * WARN_SHARE:
            text = f"offset {offset / NANOS_PER_MILLI:+.1f} ms reaches half of {self._policy.venue_tolerance_ms} ms"
            return ClockChecked(drift, offset, Severity.WARN, text)
        return ClockChecked(drift, offset, Severity.OK, "the clock is quiet and near true time")


def of_environment(policy: TimeIntegrityPolicy, environ: Mapping[str, str]) -> TimeIntegrityPolicy:
    """Return the policy with `RUNTIME_TIME_INTEGRITY_*` on top; raises `UsageError` for a value that is none."""
    named = {"ENABLED": "enabled", "THRESHOLD_SECONDS": "threshold_seconds", "INTERVAL_SECONDS": "interval_seconds"}
    return with_variables(policy, environ, PREFIX, named)


def with_variables(policy: P, environ: Mapping[str, str], prefix: str, named: Mapping[str, str]) -> P:
    """Return a policy whose fields the environment's variables replace; raises `UsageError` naming key and value."""
    found = {field: environ[prefix + key] for key, field in named.items() if prefix + key in environ}
    if not found:
        return policy
    plain = {**msgspec.to_builtins(policy), **found}
    try:
        return msgspec.convert(plain, type(policy), strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{prefix}*: {problem}") from None
