"""Reflection beside a desk: reads its journals each hour, suggests to people, and remembers what it suggested (APP-13).

Nothing of it reaches the desk. Off unless `RIM_RUNTIME_ENABLED` or `runtime.reflection.enabled` says otherwise.
"""

import asyncio
import logging
import re
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import msgspec

from tradeworthy.adapters.run_lock import RunLock
from tradeworthy.adapters.workload_state_sqlite import StateRow, WorkloadStateFile
from tradeworthy.app.runs.folder import ID_LENGTH
from tradeworthy.app.runtime.state_writes import DOWN, StateWrites
from tradeworthy.app.runtime.time_integrity import with_variables
from tradeworthy.kernel.clock import NANOS_PER_DAY, Clock
from tradeworthy.kernel.errors import DeskError, UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.research.reflection.entries import Entry, entries_of
from tradeworthy.research.reflection.model import ReflectionModel
from tradeworthy.research.reflection.policy import ReflectionPolicy
from tradeworthy.research.reflection.reflect import Origins, Reflection, reflect
from tradeworthy.research.reflection.suggestion import ReflectionSkipped, Suggestion, encode
from tradeworthy.trading.model import GuardLevel

if TYPE_CHECKING:
    from tradeworthy.app.runtime.desk_process import DeskProcess

LOG = logging.getLogger("tradeworthy.reflection")
PREFIX = "RIM_RUNTIME_"
KEYS: Mapping[str, str] = {
    "ENABLED": "enabled", "INTERVAL_SECONDS": "interval_seconds", "RUN_ON_START": "run_on_start",
    "CONFIG_PATH": "config_path", "MODEL_PATH": "model_path", "DEBUG_LOGS": "debug_logs",
}  # fmt: skip
REFLECTION, LOCK, STATE = "reflection", "reflection.lock", "workloads.sqlite"
"""The workload's name; its lock and the store of all periodic workloads, below a desk's state."""
TOPIC, JOURNAL = "telemetry.governance.reflection", "journal"
TOLD_MAX = 4_096
"""Suggestions that are remembered as told; the oldest give way."""
Gathered = list[Entry]


def policy_in_force(policy: ReflectionPolicy, environ: Mapping[str, str]) -> ReflectionPolicy:
    """Return the policy with the environment's variables and the file of limits on top; raises `UsageError`."""
    found = with_variables(policy, environ, PREFIX, KEYS)
    if not found.enabled or not found.config_path:
        return found
    try:
        limits = tomllib.loads(Path(found.config_path).read_text())
        return msgspec.convert({**msgspec.to_builtins(found), **limits}, ReflectionPolicy)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise UsageError(f"{PREFIX}CONFIG_PATH {found.config_path}: {problem}") from None


def model_of(path: str) -> ReflectionModel:
    """Return the model of a JSON file, the initial one for an empty path; raises `UsageError` for no model."""
    if not path:
        return ReflectionModel()
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=ReflectionModel)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"{PREFIX}MODEL_PATH {path}: expected a model of reflection, found {problem}") from None


def journals_of_desk(root: Path, name: str, most: int) -> tuple[Path, ...]:
    """Return the folders of a desk's newest runs, oldest first."""
    own = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{ID_LENGTH}}}(-\d+)?")
    runs = [one for one in root.glob(f"{name}-*") if own.fullmatch(one.name) and (one / JOURNAL).is_dir()]
    return tuple(sorted(runs, key=lambda one: (one.stat().st_mtime_ns, one.name))[-most:])


class Reflecting:
    """One runner; `work` is the factory of its supervised task.

    gather  reads the desk's entries, oldest first, in a thread of its own
    now     the desk's own time in nanoseconds UTC, None where no desk is open;  stopped  whether its guard is stopped
    tell    journals a fact of the life;  publish  shows the newest run
    """

    def __init__(
        self, *, policy: ReflectionPolicy, model: ReflectionModel, origins: Origins, lock: RunLock, clock: Clock,
        gather: Callable[[], Gathered], now: Callable[[], int | None], stopped: Callable[[], bool],
        tell: Callable[[Fact, Event | None], Event], publish: Callable[[str, object], None], writes: StateWrites,
        remembered: Callable[[], tuple[StateRow, ...]] = tuple,
    ) -> None:  # fmt: skip
        self._policy, self._model, self._origins, self._lock, self._clock = policy, model, origins, lock, clock
        self._gather, self._now, self._stopped = gather, now, stopped
        self._tell, self._publish, self._writes, self._remembered = tell, publish, writes, remembered
        self._told: dict[str, None] = {}
        self._spent: deque[tuple[int, int]] = deque()
        self.last: Reflection | ReflectionSkipped | None = None

    async def work(self, pulse: Pulse) -> None:
        """Reflect each interval for ever, at once if the policy says so."""
        self._recall()
        if not self._policy.run_on_start:
            pulse.beat()
            await asyncio.sleep(self._policy.interval_seconds)
        while True:
            await self.once()
            pulse.beat()
            await asyncio.sleep(self._policy.interval_seconds)

    async def once(self) -> Reflection | ReflectionSkipped:
        """Run once under the lock; what it does not do is journaled with its code."""
        held = self._lock.take()
        if held is not None:
            text = f"process {held.pid} of {held.host} runs since {held.started_at}"
            return self._skip(ReflectionSkipped("lock_active", text))
        try:
            return await self._run()
        finally:
            self._lock.release()

    async def _run(self) -> Reflection | ReflectionSkipped:
        now = self._now()
        if now is None:
            return self._skip(ReflectionSkipped("no_diaries", "no desk is open"))
        if self._stopped():
            return self._skip(ReflectionSkipped("kill_switch", "the guard is stopped"))
        try:
            entries = await asyncio.to_thread(self._gather)
        except (DeskError, OSError) as problem:
            return self._skip(ReflectionSkipped("malformed", str(problem)))
        self._lock.beat()
        found = reflect(
            entries, now=now, policy=self._policy, model=self._model, origins=self._origins, budget=self._budget()
        )
        if isinstance(found, ReflectionSkipped):
            return self._skip(found)
        self.last = found
        new = [one for one in found.suggestions if one.suggestion_id not in self._told]
        cause = self._tell(found.ran, None)
        for one in new:
            self._tell(one, cause)
            self._remember(one.suggestion_id)
            if self._policy.debug_logs:
                LOG.info("reflection_features", extra={"run": one.run_id, "features": one.evidence.features})
        self._spend(len(new))
        self._publish(TOPIC, msgspec.to_builtins(found.ran))
        at = self._clock.now()
        for one in new:
            await self._writes.write(StateRow(REFLECTION, one.suggestion_id, at, encode(one).decode()))
        return found

    def _skip(self, why: ReflectionSkipped) -> ReflectionSkipped:
        self.last = why
        self._tell(why, None)
        self._publish(TOPIC, msgspec.to_builtins(why))
        return why

    def _budget(self) -> int:
        """Return how many suggestions the rolling day still allows."""
        since = self._clock.now() - NANOS_PER_DAY
        while self._spent and self._spent[0][0] <= since:
            self._spent.popleft()
        return max(0, self._policy.suggestions_day_max - sum(count for _, count in self._spent))

    def _spend(self, count: int) -> None:
        if count:
            self._spent.append((self._clock.now(), count))

    def _remember(self, suggestion: str) -> None:
        self._told[suggestion] = None
        if len(self._told) > TOLD_MAX:
            self._told.pop(next(iter(self._told)))

    def _recall(self) -> None:
        """Take up what earlier lives told; a store that is down is logged, and nothing is taken up."""
        try:
            rows = self._remembered()
        except DOWN as problem:
            LOG.warning("state_read_failed", extra={"workload": REFLECTION, "problem": str(problem)})
            return
        for row in rows:
            self._remember(row.key)
            if row.at > self._clock.now() - NANOS_PER_DAY:
                self._spent.append((row.at, 1))


def reflecting_of(process: "DeskProcess", policy: ReflectionPolicy) -> Reflecting:
    """Wire the runner of a desk's process."""
    document, state, trading = process.document, process.state, process.trading
    store = WorkloadStateFile(state / STATE)
    budget = document.desk.capital * process.risk.per_trade

    def gather() -> Gathered:
        return list(_unique(process.root, document.desk.name, policy.runs_read_max, budget))

    def now() -> int | None:
        run = None if trading is None else trading.run
        return None if run is None else run.environment.now

    def stopped() -> bool:
        desk = None if trading is None else trading.desk
        return desk is not None and desk.guard.level is GuardLevel.STOPPED

    return Reflecting(
        policy=policy, model=model_of(policy.model_path), origins=Origins(document.hash(), process.code),
        lock=RunLock(state / LOCK, process.clock, ttl_s=policy.lock_ttl_seconds, owner=process.life.run_id),
        clock=process.clock, gather=gather, now=now, stopped=stopped, tell=process.life.tell,
        publish=process.bulletin.tell, remembered=lambda: store.rows(REFLECTION),
        writes=StateWrites(store.put, Random(document.desk.seed), process.life.tell),
    )  # fmt: skip


def _unique(root: Path, name: str, most: int, budget: Decimal) -> Iterator[Entry]:
    """Yield the entries of a desk's newest runs; what two runs both say counts once."""
    seen: set[str] = set()
    for folder in journals_of_desk(root, name, most):
        for one in entries_of(read(folder / JOURNAL), risk_budget=budget):
            if one.digest not in seen:
                seen.add(one.digest)
                yield one


def suggestions_of(state: Path) -> tuple[Suggestion, ...]:
    """Return what was suggested to a desk's people, oldest first; raises `sqlite3.Error` for a store that is down."""
    rows = WorkloadStateFile(state / STATE).rows(REFLECTION)
    return tuple(msgspec.json.decode(row.body, type=Suggestion) for row in rows)
