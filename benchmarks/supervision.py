"""What supervision costs a task: creating it and showing ten thousand (SUP-21), beside bare `asyncio` tasks.

The peer creates the same coroutines by `loop.create_task` and lists them by `asyncio.all_tasks`; it neither
restarts them nor knows who owns them. Processor time is told beside the time that passed: on a machine that others use
too, the second one is theirs as well.

Run: `PYTHONPATH=src python benchmarks/supervision.py [--json FILE] [--size small]`.
"""

import asyncio
import sys
import time
from random import Random
from typing import NamedTuple

from measure import CLOCK, Report, arguments

from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision import Escalated, Pulse, TaskPolicy, TaskSupervisor

TASKS = {"full": 10_000, "small": 200}
CREATE_NANOS, SNAPSHOT_NANOS = 50_000, 50_000_000


class Nobody:
    """Nothing fails here, so nobody is asked."""

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Refuse: a benchmark whose tasks fail measures something else."""
        raise AssertionError(f"expected no escalation, found {escalated.task}")


async def _waits(_pulse: Pulse | None = None) -> None:
    await asyncio.sleep(3_600)


class Took(NamedTuple):
    """Nanoseconds to create all tasks and to show them, as they passed and of the processor."""

    created: int
    shown: int
    created_cpu: int = 0
    shown_cpu: int = 0


async def _ours(count: int) -> Took:
    supervisor = TaskSupervisor(CLOCK, Random(1), Nobody(), sink=lambda event: None)
    policy = TaskPolicy(hang_timeout_s=600.0)
    cpu, begin = time.process_time_ns(), CLOCK.monotonic()
    for _ in range(count):
        supervisor.create(_waits, owner="benchmark", policy=policy, metadata={"interval_s": 3_600})
    created, created_cpu = CLOCK.monotonic() - begin, time.process_time_ns() - cpu
    await asyncio.sleep(0)
    cpu, begin = time.process_time_ns(), CLOCK.monotonic()
    found = len(supervisor.snapshot())
    shown, shown_cpu = CLOCK.monotonic() - begin, time.process_time_ns() - cpu
    report = await supervisor.cancel_all()
    if (found, report.cancelled) != (count, count):
        raise AssertionError(f"expected {count} tasks, found {found} and cancelled {report.cancelled}")
    return Took(created, shown, created_cpu, shown_cpu)


async def _bare(count: int) -> Took:
    loop = asyncio.get_running_loop()
    begin = CLOCK.monotonic()
    tasks = [loop.create_task(_waits()) for _ in range(count)]
    created = CLOCK.monotonic() - begin
    await asyncio.sleep(0)
    begin = CLOCK.monotonic()
    found = len(asyncio.all_tasks())
    shown = CLOCK.monotonic() - begin
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    if found != count + 1:
        raise AssertionError(f"expected {count + 1} tasks, found {found}")
    return Took(created, shown)


def main() -> int:
    """Print nanoseconds a created task and a snapshot of all, ours and bare in turns."""
    words = arguments(__doc__ or "", rounds=7)
    report = Report("supervision", words)
    count = TASKS[words.size]
    report.note(f"{count:,} tasks, {words.rounds} rounds in turns")
    ours, bare = [], []
    for _ in range(words.rounds):
        ours.append(asyncio.run(_ours(count)))
        bare.append(asyncio.run(_bare(count)))
    created = [one.created / count for one in ours]
    report.nanos("create one task", created, aim=CREATE_NANOS)
    report.nanos("create one task, processor", [one.created_cpu / count for one in ours], aim=CREATE_NANOS)
    report.nanos(f"snapshot of {count:,}", [one.shown for one in ours], aim=SNAPSHOT_NANOS)
    report.nanos(f"snapshot of {count:,}, processor", [one.shown_cpu for one in ours], aim=SNAPSHOT_NANOS)
    report.nanos("create one task", [one.created / count for one in bare], peer="bare asyncio")
    report.nanos(f"list of {count:,}", [one.shown for one in bare], peer="bare asyncio")
    report.ratio("create one task", "bare asyncio", created, [one.created / count for one in bare])
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
