"""Control over HTTP, wired to the desk's own ways in: the halt flag, and the folder of people's acts."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tradeworthy.app.configuration.change_control import CHANGES, act_of, approve_signed, proposal_of
from tradeworthy.app.gates.verdicts import GateVerdicts
from tradeworthy.app.halting.kill import flag_holds, kill_desk
from tradeworthy.app.halting.watchdog_process import watchdog_lives
from tradeworthy.app.people.desk_people import DeskPeople, Outcome
from tradeworthy.app.people.operator_acts import CONTROL, PersonAct
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.report import address
from tradeworthy.trading.control.approvals import Act, read_pack
from tradeworthy.trading.control.kill import scope_of
from tradeworthy.web.ports import ControlAnswer

STOPPED = "stopped; its orders are gone when the certificate of flatness says so"
UNWATCHED = "stopped; no watchdog lives, so nobody verifies that no order is open"
HANDED = "handed to the desk"
GATE_RUNS = "gate-runs"
"""Reports of gates that approvals rest on, below the desk's state, by digest."""


class DeskControl:
    """Act on one desk in threads of its own, so that a slow disk holds up neither the loop nor a kill.

    root  where run folders are;  name  the desk's
    verdicts  of the gate that more risk asks; None = those kept beside the runs
    """

    def __init__(self, root: Path, name: str, clock: Clock, verdicts: GateVerdicts | None = None) -> None:
        self._root, self._name, self._clock, self._verdicts = root, name, clock, verdicts
        self._state = root / "state" / name
        self._kills = ThreadPoolExecutor(max_workers=2, thread_name_prefix="web-kill")
        self._acts = ThreadPoolExecutor(max_workers=1, thread_name_prefix="web-act")

    async def kill(self, reason: str, scope: str, flatten: bool, principal: str) -> ControlAnswer:
        """Trip the flag, then the sentinel. It is never `done`: what was sent is not what was seen (KS-04).

        Where this process can write no sentinel, a flag that is up is a kill all the same; the watchdog writes it.
        """

        def act() -> ControlAnswer:
            faults: tuple[str, ...] = ()
            try:
                kill_desk(self._state, reason=f"{principal}: {reason}", scope=scope, flatten=flatten, clock=self._clock)
            except OSError as problem:
                if not flag_holds(self._state, scope, self._clock):
                    raise
                why = f"{type(problem).__name__}: {problem.strerror}"
                faults = (f"the flag is up, the sentinel was not written here: {why}",)
            text = STOPPED if watchdog_lives(self._state) else UNWATCHED
            return ControlAnswer(outcome="accepted", text=f"{scope_of(scope)}: {text}", faults=faults)

        return await self._run(self._kills, act)

    async def pause(self, reason: str, scope: str, expires_at: int | None, principal: str) -> ControlAnswer:
        """Hand the desk a pause; it is in force when the guard shows it."""

        def act() -> ControlAnswer:
            asked = PersonAct("pause", principal, scope_of(scope), str(redact(reason)), expires_at)
            folder = self._state / CONTROL
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(folder / f"pause-{self._clock.now()}.json", msgspec.json.encode(asked))
            return ControlAnswer(outcome="accepted", text=HANDED)

        return await self._run(self._acts, act)

    async def resume(self, scope: str, pack: bytes | None, principal: str) -> ControlAnswer:
        """End the operator's own pauses of a scope, or leave its stop by a signed pack."""

        def act() -> ControlAnswer:
            people = DeskPeople(self._root, self._name, clock=self._clock, verdicts=self._verdicts)
            if pack is None:
                return _told(people.end_pause(scope, principal))
            held = read_pack(pack)
            if held.pack.subject != scope:
                fault = f"the pack is for {held.pack.subject}, the request for {scope}"
                return ControlAnswer(outcome="refused", text="refused", faults=(fault,))
            return _told(people.rearm(held))

        return await self._run(self._acts, act)

    async def approve(self, config_hash: str, pack: bytes, gate_run: bytes, principal: str) -> ControlAnswer:
        """Approve a proposed document by a signed pack; the gate's report is kept beside the changes by its digest."""

        def act() -> ControlAnswer:
            held, directory = read_pack(pack), self._state / CHANGES
            people = DeskPeople(self._root, self._name, clock=self._clock)
            wanted = act_of(proposal_of(directory, config_hash)) or Act.CONFIGURATION
            report = self._state / GATE_RUNS / f"{address(gate_run)}.json"
            report.parent.mkdir(parents=True, exist_ok=True)
            write_durably(report, gate_run)
            used = people.book.require(held, wanted, subject=config_hash)
            found = approve_signed(
                directory, used, gate_run=report, clock=self._clock, verdicts=self._verdicts
            )
            return ControlAnswer(outcome="done", text=f"approved by {' and '.join(found.people)}")

        return await self._run(self._acts, act)

    def close(self) -> None:
        """Take no more acts; one that is under way is finished."""
        self._kills.shutdown(wait=False)
        self._acts.shutdown(wait=False)

    async def _run(self, threads: ThreadPoolExecutor, act: Callable[[], ControlAnswer]) -> ControlAnswer:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, act)
        except DeskError as problem:
            return ControlAnswer(outcome="refused", text="refused", faults=(str(problem),))
        except OSError as problem:
            why = f"{type(problem).__name__}: {problem.strerror}"
            return ControlAnswer(outcome="unknown", text="it may stand or not: look at the guard", faults=(why,))


def _told(found: Outcome) -> ControlAnswer:
    if found.ok:
        return ControlAnswer(outcome="done", text="done")
    if found.handed:
        return ControlAnswer(outcome="accepted", text=HANDED, faults=found.faults)
    return ControlAnswer(outcome="refused", text="refused", faults=found.faults)
