"""The trading loop as a workload: one desk after another, each going on where the last one failed (APP-07, APP-08)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tradeworthy.app.runs.open_run import Company, OpenRun, RunResult
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.app.runtime.guard_door import GuardDoor
from tradeworthy.app.runtime.reconciling import Reconciled, reconcile
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.drift import ConfigDrift
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.guarding import unprotecting
from tradeworthy.trading.model import GuardLevel

SHUTDOWN, RESTART, BREAK = "shutdown", "restart", "break"
DRIFT_MAX = 0.05
AGAIN_S, LOOKS_MAX, INPUTS_BETWEEN = 2.0, 30, 3
"""A difference is a break when it stands for so long and over so many inputs: an order on its way is none."""
KEPT_LONG_NS, GIVE_BACK_NS = NANOS_PER_SECOND // 10, NANOS_PER_SECOND // 50
"""Steps that kept the loop so long, because the venue is slow, give it back for a while: a kill over HTTP takes several
turns of it, and each would wait for such steps."""


class TradingLoop:
    """Play a desk on the event loop, and hand its working orders to the end of the process.

    sessions  makes the session of an attempt, given where on the tapes it goes on (nanoseconds, 0 = the beginning)
    company   who is told and asked;  on_open  hears of each run that was opened, e.g. to journal its folder
    """

    def __init__(
        self, sessions: Callable[[int], RunSession], door: GuardDoor, company: Company, *, give_way_ms: float,
        on_open: Callable[[OpenRun], None] = lambda run: None,
    ) -> None:  # fmt: skip
        self._sessions, self._door, self._company, self._on_open = sessions, door, company, on_open
        self._give_way_ns = round(give_way_ms * NANOS_PER_MILLI)
        self._run: OpenRun | None = None
        self._session: RunSession | None = None
        self._fresh = False
        self._go_on_at = 0
        self.failed = False
        self.breaks = self._sweeps = 0
        self.reason = ""
        self._sealed: OpenRun | None = None
        self.attempts = 0

    @property
    def run(self) -> OpenRun | None:
        """The run in hand."""
        return self._run

    @property
    def folder(self) -> Path | None:
        """The folder of the newest run, from before its first event."""
        return None if self._session is None else self._session.folder

    @property
    def desk(self) -> Desk | None:
        """The desk in hand."""
        return None if self._run is None else self._run.desk

    def open(self) -> None:
        """Open the journal of the first attempt, so that the guard is restored before any workload begins."""
        self._open()
        self._fresh = True

    async def work(self, pulse: Pulse) -> None:
        """Play to the end of the tapes: the factory of the supervised task; each attempt has a run of its own."""
        fresh, self._fresh = self._fresh, False
        if not fresh:
            self._reopen()
        self.failed = False
        run = self._run
        assert run is not None
        try:
            clock = run.ready.clock
            began = clock.monotonic()
            for wait in run.steps():
                pulse.beat(run.environment.inputs)
                kept = clock.monotonic() - began >= KEPT_LONG_NS
                await asyncio.sleep(max(wait, GIVE_BACK_NS if kept else 0) / NANOS_PER_SECOND)
                began = clock.monotonic()
            self.reason = run.environment.reason
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.failed = True
            self._door.disconnect()
            raise

    def close(self) -> None:
        """Let go of a run that no workload plays: the start failed after it was opened."""
        run, self._run = self._run, None
        if run is not None:
            self._door.disconnect()
            run.close()

    def drift_watch(
        self, interval_s: float, keep: Callable[[tuple[ConfigDrift, ...]], Awaitable[object]] | None = None
    ) -> Factory:
        """Return the factory of the task that compares what runs with what was approved, for ever (APP-13).

        keep  takes what differs at each look, e.g. into the store of states
        """

        async def watch(pulse: Pulse) -> None:
            while True:
                if self._run is not None and not self.failed:
                    found = self._run.check_drift()
                    if keep is not None:
                        await keep(found)
                pulse.beat()
                await asyncio.sleep(interval_s)

        return watch

    def sweeps(self, interval_s: float, *, first_s: float) -> Factory:
        """Return the factory of the task that compares desk and venue for ever (AS-109).

        A break is told at once, and pauses the desk when the next sweep finds it again, at once where a position is far
        from the venue's; nothing is repaired.
        """

        async def sweep(pulse: Pulse) -> None:
            wait = first_s
            while True:
                await asyncio.sleep(wait)
                wait = interval_s
                await self._sweep()
                pulse.beat()

        return sweep

    async def _sweep(self) -> None:
        found = await self._compared()
        if found is not None and found.differences:  # what is under way differs for a moment: it must do so twice
            again = await self._compared() if await self._went_on() else None
            found = None if again is None else again.common_with(found)
        run = self._run
        if found is None or run is None or self.failed:
            return
        self._sweeps += 1
        far = found.drift is not None and found.drift >= DRIFT_MAX
        lasting = bool(found.differences) and (self.breaks > 0 or far)
        self.breaks = len(found.differences)
        run.offer(found, source="reconciliation", key=f"{self.attempts}:{self._sweeps}")
        if lasting:
            self._door.ask(GuardAsked("reconciliation", BREAK, GuardLevel.PAUSED, evidence=found.agreement))
        elif found.clean:
            for code in (BREAK, RESTART):
                self._door.ask(GuardAsked("reconciliation", code, GuardLevel.PAUSED, active=False))

    async def _went_on(self) -> bool:
        """Wait until what was under way must have arrived; False where nothing came in for too long."""
        run = self._run
        assert run is not None
        inputs = run.environment.inputs + INPUTS_BETWEEN
        for _ in range(LOOKS_MAX):
            await asyncio.sleep(AGAIN_S)
            if run is not self._run:
                return False
            if run.environment.inputs >= inputs:
                return True
        return False

    async def _compared(self) -> Reconciled | None:
        """Compare once; a venue outside of the process is asked beside the loop."""
        run = self._run
        if run is None or self.failed or run.controls is None:
            return None
        controls = run.controls
        outside = bool(run.ready.document.venue.connection)
        view = await asyncio.to_thread(lambda: controls.view) if outside else controls.view
        return reconcile(run.desk, view) if run is self._run else None

    def pause(self) -> None:
        """Pause openings in the name of the end, and play no further row."""
        if self._run is not None:
            self._door.ask(GuardAsked("shutdown", SHUTDOWN, GuardLevel.PAUSED, evidence="the process ends"))
            self._run.environment.request_stop(SHUTDOWN)

    def withdraw(self, reason: str) -> None:
        """Take the working orders off the market and let the venue answer."""
        if self._run is not None and not self.failed:
            self._run.wind_down(reason, give_up=True)

    def working(self) -> int | None:
        """Return how many orders work that protect no position."""
        desk = self.desk
        if desk is None:
            return 0
        if self.failed:
            return self._left_by_a_failed_desk()
        return len(unprotecting(desk.execution.orders.all_live(), {seat.instance: seat for seat in desk.seats}))

    def left(self) -> tuple[str, ...]:
        """Return the names of orders that work or may work: by the venue's own view where the desk failed."""
        run, desk = self._run, self.desk
        if run is None or desk is None:
            return ()
        if self.failed and not run.ready.document.venue.connection:
            return ()  # the venue died with its desk
        view = run.controls.view if self.failed and run.controls is not None else None
        if view is not None:
            return tuple(sorted(one.client_order_id for one in view.open_orders if not one.protective))
        seats = {seat.instance: seat for seat in desk.seats}
        return tuple(sorted(one.client_order_id for one in unprotecting(desk.execution.orders.all_live(), seats)))

    def seal(self, reason: str) -> None:
        """End the run and seal its journal; a second time does nothing."""
        run, self._run = self._run, None
        if run is None:
            return
        self._door.disconnect()
        if self.failed:
            run.close()
            return
        with run:
            run.end(reason)
        self._sealed = run

    def report(self) -> RunResult | None:
        """Write the reports of the sealed run, once the process has ended; None where none was traded to its end."""
        return None if self._sealed is None else self._sealed.result()

    def _left_by_a_failed_desk(self) -> int | None:
        """Return what the venue itself shows: the word of a desk that failed counts for nothing."""
        run = self._run
        if run is None or run.controls is None:
            return None
        if not run.ready.document.venue.connection:
            return 0  # the venue died with its desk
        view = run.controls.view
        return None if view is None else len([one for one in view.open_orders if not one.protective])

    def _open(self) -> None:
        self._session = self._sessions(self._go_on_at)
        run = self._session.open(self._company, give_way_ns=self._give_way_ns)
        self._run = run
        self.attempts += 1
        self._on_open(run)
        compared = self.attempts > 1 or bool(run.ready.document.venue.connection)
        if compared:
            pause = GuardAsked("reconciliation", RESTART, GuardLevel.PAUSED, evidence="desk and venue are compared")
            self._door.ask(pause)
        self._door.connect(run)
        if compared:
            self._reconcile(run)

    def _reopen(self) -> None:
        """Give up the run of a failed attempt, whose journal stays as it is, and go on after its last row."""
        self._door.disconnect()
        if self._run is not None:
            self._go_on_at = self._run.environment.now + 1
            self._run.close()
            self._run = None
        self._open()

    def _reconcile(self, run: OpenRun) -> None:
        """Compare desk and venue, and end the pause where nothing differs; a break stays for a person to repair."""
        found = reconcile(run.desk, None if run.controls is None else run.controls.view)
        self.breaks = 0 if found.clean else 1
        run.offer(found, source="reconciliation", key=str(self.attempts))
        if found.clean:
            self._door.ask(GuardAsked("reconciliation", RESTART, GuardLevel.PAUSED, active=False))
