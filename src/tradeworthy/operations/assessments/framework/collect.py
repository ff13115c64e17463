"""Collect facts: one small probe each, with its own time; what fails is named, never replaced (FW-07)."""

import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.assessments.framework.values import Observation

TIMEOUT_S = 5.0
Read = Callable[[int], Iterable[Observation]]


class Probe(msgspec.Struct, frozen=True):
    """One read-only look: `read(now)` returns observations.

    brings  names that must be among them; one that is not makes the read partial
    here    it answers from memory and at once: read in the caller's own thread, where what it reads changes
    """

    name: str
    read: Read
    brings: tuple[str, ...] = ()
    timeout_s: float = TIMEOUT_S
    here: bool = False


class Collected(msgspec.Struct, frozen=True):
    """What probes brought, and those that failed as `name: reason`."""

    facts: tuple[Observation, ...]
    failed: tuple[str, ...] = ()


def collect(probes: Sequence[Probe], now: int) -> Collected:
    """Read every probe, side by side; one that raises, is too slow or brings only a part is named as failed."""
    slots = [_Slot(one, now) for one in probes]
    for slot in slots:
        slot.begin()
    facts: list[Observation] = []
    failed = []
    for slot in slots:
        found, problem = slot.end()
        facts += found
        if problem:
            failed.append(f"{slot.probe.name}: {problem}")
    return Collected(tuple(facts), tuple(failed))


class _Slot:
    """One probe in a thread of its own, so that it can be left behind."""

    def __init__(self, probe: Probe, now: int) -> None:
        self.probe, self._now = probe, now
        self._found: tuple[Observation, ...] | None = None
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name=f"probe-{probe.name}", daemon=True)

    def begin(self) -> None:
        if self.probe.here:
            self._run()
        else:
            self._thread.start()

    def end(self) -> tuple[tuple[Observation, ...], str]:
        if not self.probe.here:
            self._thread.join(self.probe.timeout_s)
            if self._thread.is_alive():
                return (), f"no answer in {self.probe.timeout_s:g} s"
        if self._found is None:
            return (), self._problem
        absent = sorted(set(self.probe.brings) - {one.name for one in self._found})
        return self._found, f"brought no {', '.join(absent)}" if absent else ""

    def _run(self) -> None:
        try:
            self._found = tuple(self.probe.read(self._now))
        except Exception as error:  # the outermost loop of this thread: named in the findings
            self._problem = str(redact(error))
