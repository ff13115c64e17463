"""A gate beside a running desk: asked each period and after new evidence; tells people, asks the guard (GE-10)."""

import asyncio
import logging
from collections.abc import Callable

from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.gates.model import Gate, Mode
from tradeworthy.operations.gates.store import NOTHING
from tradeworthy.operations.gates.watcher import Tick, WatchPolicy
from tradeworthy.operations.incidents.model import Signal
from tradeworthy.trading.control.asked import GuardAsked

LOG = logging.getLogger("tradeworthy.gates")
SETTLE_S = 10
"""How long new evidence waits for more of its cycle before the gate is asked again."""
STEP_S = 1.0


class GateWatch:
    """Ask one gate for as long as its desk lives. It is the `GatePort` of the assessments' pipeline.

    gates  living, over the desk's journal of snapshots
    tell   takes signals for people;  ask  takes what the gate's owner asks of the guard
    """

    def __init__(
        self, gates: Gates, gate: Gate, clock: Clock, *, tell: Callable[[Signal], object],
        ask: Callable[[GuardAsked], object], policy: WatchPolicy | None = None, mode: Mode | None = None,
    ) -> None:  # fmt: skip
        self._policy = policy or WatchPolicy()
        self._watcher = gates.watcher(gate, mode=mode, policy=self._policy)
        self._clock, self._tell, self._ask = clock, tell, ask
        self._store, self.known = gates.store, NOTHING
        self._due = clock.monotonic()

    def renewed(self, assessment: str, snapshot: str) -> None:
        """Note that an assessment was judged again: the gate is asked soon."""
        del assessment, snapshot
        self._due = min(self._due, self._clock.monotonic() + SETTLE_S * NANOS_PER_SECOND)

    @property
    def due(self) -> bool:
        """Whether the gate is to be asked now."""
        return self._clock.monotonic() >= self._due

    async def watching(self, pulse: Pulse) -> None:
        """Watch for ever, beside the loop; the factory of a supervised task."""
        while True:
            if self.due:
                try:
                    self.act(await asyncio.to_thread(self.look))
                except (DeskError, OSError) as problem:
                    LOG.warning("gate_unread", extra={"problem": str(problem)})
            pulse.beat()
            await asyncio.sleep(STEP_S)

    def look(self) -> Tick:
        """Ask the gate once."""
        self._due = self._clock.monotonic() + self._policy.period_s * NANOS_PER_SECOND
        found = self._watcher.tick(self._clock.now())
        self.known = self._store.read()
        return found

    def act(self, tick: Tick) -> None:
        """Tell people and the guard what a look found."""
        for one in tick.signals:
            self._tell(one)
        if tick.asked is not None:
            self._ask(tick.asked)
