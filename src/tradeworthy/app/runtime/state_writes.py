"""State of periodic workloads, written with retries: a store that is down costs a log line, never the desk (APP-13)."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from random import Random

import msgspec

from tradeworthy.adapters.workload_state_sqlite import StateRow
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.backoff import delay_s

LOG = logging.getLogger("tradeworthy.runtime.state")
DOWN = (sqlite3.Error, OSError)
"""What a store raises while it takes nothing."""


@fact("runtime.state_deferred")
class StateDeferred(Fact, frozen=True):
    """The state store took nothing after so many tries; `pending` rows wait for the next write."""

    workload: str
    attempts: int
    pending: int
    problem: str


class StateWritePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often and how far apart a write is tried, and how many rows wait while the store is down."""

    attempts: int = 5
    backoff_base_s: float = 0.1
    backoff_cap_s: float = 2.0
    pending_max: int = 256


class StateWrites:
    """Write rows in order, the oldest that wait first; nothing that a store raises leaves `write`.

    put   takes the rows in one transaction, in a thread of its own;  tell  journals what had to be put off
    """

    def __init__(
        self, put: Callable[[tuple[StateRow, ...]], None], random: Random,
        tell: Callable[[Fact], object] = lambda told: None, *, policy: StateWritePolicy | None = None,
    ) -> None:  # fmt: skip
        self._put, self._random, self._tell = put, random, tell
        self._policy = policy or StateWritePolicy()
        self._pending: deque[StateRow] = deque(maxlen=self._policy.pending_max)

    @property
    def pending(self) -> int:
        """Return how many rows wait; beyond the bound the oldest give way."""
        return len(self._pending)

    async def write(self, row: StateRow) -> bool:
        """Write a row and what waits; True when the store has them, False when they wait for the next write."""
        self._pending.append(row)
        policy = self._policy
        for attempt in range(1, policy.attempts + 1):
            rows = tuple(self._pending)
            try:
                await asyncio.to_thread(self._put, rows)
            except DOWN as error:
                problem = f"{type(error).__name__}: {redact(str(error))}"
                LOG.warning("state_write_failed", extra={
                    "workload": row.workload, "attempt": attempt, "pending": len(rows), "problem": problem,
                })  # fmt: skip
                if attempt == policy.attempts:
                    self._tell(StateDeferred(row.workload, attempt, len(rows), problem))
                    return False
                await asyncio.sleep(delay_s(
                    attempt, base_s=policy.backoff_base_s, cap_s=policy.backoff_cap_s, random=self._random
                ))  # fmt: skip
            else:
                written = set(map(id, rows))
                while self._pending and id(self._pending[0]) in written:
                    self._pending.popleft()
                return True
        return False
