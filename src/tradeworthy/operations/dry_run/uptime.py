"""Observed uptime (DR-07): a beat covers the time to the next one when that comes soon enough; nothing else counts."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND


class UptimeWindows:
    """Sum the time that beats cover between spawn and stop request; all moments are monotonic nanoseconds.

    silence_ns  the longest time one beat covers, 3 x the interval
    """

    def __init__(self, *, started: int, silence_ns: int) -> None:
        self._silence = silence_ns
        self._started = started
        self._last = started
        self._covered = 0
        self._ended: int | None = None
        self._last_beat: int | None = None
        self.beats = 0

    def beat(self, at: int) -> None:
        """Count a beat; one from before the last adds nothing, one after the end is not part of the run.

        A beat that arrived before the end may be told after it: the writer can be behind.
        """
        if at < self._last or (self._ended is not None and at > self._ended):
            return
        silence = at - self._last
        if silence <= self._silence:
            self._covered += silence
        self._last = self._last_beat = at
        self.beats += 1

    def end(self, at: int) -> None:
        """Close the windows with the stop request, or the command's own exit; the tail is a silence too."""
        if self._ended is None:
            self._ended = at

    @property
    def last(self) -> int | None:
        """Return the moment of the last beat, None before the first."""
        return self._last_beat

    def up_seconds(self, at: int) -> float:
        """Return the covered time up to `at`; a silence that still lasts counts while it is short enough."""
        if not self.beats:
            return 0.0
        open_silence = max(0, (at if self._ended is None else self._ended) - self._last)
        covered = self._covered + (open_silence if open_silence <= self._silence else 0)
        return covered / NANOS_PER_SECOND


class UptimeReading(msgspec.Struct, frozen=True):
    """What is known of uptime: source, beats, seconds up, ratio (None: not computable), moment of the last beat."""

    source: str
    beats: int
    up_seconds: float
    ratio: float | None
    last: int | None


class Uptime:
    """Heartbeats when the run has any, else any line; `carried` are the sums of earlier boots of the same run."""

    def __init__(
        self, *, started: int, silence_ns: int, carried_up_seconds: float = 0.0, carried_run_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self._beats = UptimeWindows(started=started, silence_ns=silence_ns)
        self._lines = UptimeWindows(started=started, silence_ns=silence_ns)
        self._started = started
        self._ended: int | None = None
        self._seq: int | None = None
        self._carried_up = carried_up_seconds
        self._carried_run = carried_run_seconds

    def line(self, at: int) -> None:
        """Count any line."""
        self._lines.beat(at)

    def heartbeat(self, seq: int, at: int) -> bool:
        """Count a heartbeat whose sequence number grew; tell whether it counted."""
        if self._seq is not None and seq <= self._seq:
            return False
        self._seq = seq
        self._beats.beat(at)
        return True

    def end(self, at: int) -> None:
        """Close both windows."""
        if self._ended is None:
            self._ended = at
            self._beats.end(at)
            self._lines.end(at)

    def run_seconds(self, at: int) -> float:
        """Return the run time up to `at`, over all boots."""
        until = at if self._ended is None else self._ended
        return self._carried_run + (until - self._started) / NANOS_PER_SECOND

    def read(self, at: int, *, outage_seconds: float = 0.0) -> UptimeReading:
        """Return uptime so far; outages between boots are part of the time that had to be covered."""
        windows, source = (self._beats, "heartbeat") if self._beats.beats else (self._lines, "lines")
        up = self._carried_up + windows.up_seconds(at)
        total = self.run_seconds(at) + outage_seconds
        ratio = min(1.0, up / total) if total > 0 else None
        known = source if windows.beats or self._carried_up else "none"
        return UptimeReading(known, windows.beats, up, ratio, windows.last)
