"""Watch an outside stream: its outage pauses the desk, its return ends that pause alone (TEL-07)."""

import asyncio
import logging
import re

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.kernel.telemetry.hold import HoldPort

_NAME = re.compile(r"[a-z][a-z0-9_]*")
LOG = logging.getLogger("tradeworthy.telemetry.stream")


class StreamPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When an outside stream is out. Times are seconds.

    outage_s  of silence that pause the desk
    poll_s    how often the watch looks
    """

    outage_s: float = 10.0
    poll_s: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.poll_s <= self.outage_s < float("inf"):
            raise ValueError(f"poll_s must be above 0 and at most outage_s, was {self.poll_s} of {self.outage_s}")


class StreamFacts(msgspec.Struct, frozen=True):
    """What is known of a stream: its silence, whether that is an outage, and outages since the watch began."""

    name: str
    silent_seconds: float
    out: bool
    outages_total: int
    outage_seconds_total: float


class StreamWatch:
    """Watch one stream by what is heard of it: a message, or an answered poll where it may be quiet.

    hold  pauses the desk in the name of `bus`, by the reason `outage_<name>`

    `heard` and `lost` may be called by any thread; `judge` belongs to the loop's thread.
    """

    def __init__(self, name: str, clock: Clock, hold: HoldPort, *, policy: StreamPolicy | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"a stream's name is lower-case letters, digits and _, was {name!r}")
        self.name, self._clock, self._hold = name, clock, hold
        self._policy = policy or StreamPolicy()
        self._heard = clock.monotonic()
        self._cause = "silence"
        self._started = self._heard
        self._answered = False  # until then an earlier run's pause may stand
        self._out_since: int | None = None
        self._outages = self._outage_ns = 0

    @property
    def out(self) -> bool:
        """Whether the desk is paused for this stream."""
        return self._out_since is not None

    def heard(self) -> None:
        """Note that the stream answered just now."""
        self._heard, self._cause = self._clock.monotonic(), "silence"

    def lost(self, cause: str) -> None:
        """Note why the stream will not answer; the outage counts from what was last heard of it."""
        self._cause = cause

    def judge(self) -> None:
        """Pause the desk once when the silence reaches the limit, and end that pause once when it was broken.

        The first answer of a stream ends a pause that an earlier run left.
        """
        now, heard = self._clock.monotonic(), self._heard
        silent = now - heard
        if silent >= nanos(self._policy.outage_s):
            if self._out_since is None:
                self._out_since = heard
                self._outages += 1
                said = f"expected {self.name} to be heard within {self._policy.outage_s} s, found {self._cause}"
                LOG.warning("stream_lost", extra={"stream": self.name, "cause": self._cause})
                self._hold.hold(self._code, f"{said} for {silent / NANOS_PER_SECOND:.3f} s")
        elif self._out_since is None:
            if not self._answered and heard > self._started:
                self._answered = True
                self._hold.release(self._code)
        else:
            self._answered = True
            lasted = heard - self._out_since
            self._out_since = None
            self._outage_ns += lasted
            LOG.info("stream_returned", extra={"stream": self.name, "seconds": lasted / NANOS_PER_SECOND})
            self._hold.release(self._code)

    async def watch(self, pulse: Pulse) -> None:
        """Judge for ever: the factory of a supervised task."""
        while True:
            self.judge()
            pulse.beat()
            await asyncio.sleep(self._policy.poll_s)

    def facts(self) -> StreamFacts:
        """Return the stream at this moment."""
        now = self._clock.monotonic()
        lasting = 0 if self._out_since is None else now - self._out_since
        return StreamFacts(
            self.name, (now - self._heard) / NANOS_PER_SECOND, self.out, self._outages,
            (self._outage_ns + lasting) / NANOS_PER_SECOND,
        )  # fmt: skip

    @property
    def _code(self) -> str:
        return f"outage_{self.name}"
