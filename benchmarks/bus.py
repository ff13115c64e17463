"""What the telemetry bus and its spool cost an event (TEL-01, TEL-03), beside plain `asyncio.Queue`s and a bare file.

The first peer fans the same messages out to one `asyncio.Queue` a subscriber, each read by one task: it neither drops
the oldest, nor bounds a handler's time, nor knows a repeat. The second writes and syncs the same lines to one file.

Run: `PYTHONPATH=src python benchmarks/bus.py [--json FILE] [--size small]`.
"""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

from measure import CLOCK, Report, arguments, folder

from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.kernel.telemetry import Bus, Message, Spool, message_of
from tradeworthy.kernel.telemetry.message import line_of

EVENTS = {"full": 50_000, "small": 1_000}
SPOOLED = {"full": 1_000, "small": 50}
SUBSCRIBERS, BURST = 3, 500
TOPIC = "telemetry.desk.minute"
ROW = {"instrument": "BTC-PERP", "mid": "64012.5", "equity": "100000.00", "fills": 3, "drawdown": 0.0012}
PUBLISH_NANOS = 20_000


class Nobody:
    """Nothing fails here, so nobody is asked."""

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Refuse: a benchmark whose tasks fail measures something else."""
        raise AssertionError(f"expected no escalation, found {escalated.task}")

    def hold(self, code: str, evidence: str) -> None:
        """Refuse: a benchmark whose handlers fail measures something else."""
        raise AssertionError(f"expected no hold, found {code}: {evidence}")

    def release(self, code: str) -> None:
        """Refuse: nothing was held."""
        raise AssertionError(f"expected nothing to release, found {code}")


class Counter:
    """A handler that counts."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, message: Message) -> None:
        """Count one message."""
        self.count += 1


def _messages(count: int) -> tuple[list[Message], int]:
    begin = CLOCK.monotonic()
    made = [message_of(TOPIC, ROW, event_id=f"bench:{n}", source="bench", ts=begin) for n in range(count)]
    return made, CLOCK.monotonic() - begin


async def _ours(messages: list[Message]) -> tuple[int, int]:
    nobody = Nobody()
    bus = Bus(TaskSupervisor(CLOCK, Random(1), nobody), CLOCK, nobody)
    handlers = [Counter() for _ in range(SUBSCRIBERS)]
    for number, handler in enumerate(handlers):
        bus.subscribe(f"counts_{number}", handler, topics=["telemetry.desk."])
    bus.start()
    await asyncio.sleep(0)
    published = 0
    begin = CLOCK.monotonic()
    for start in range(0, len(messages), BURST):
        put = CLOCK.monotonic()
        for message in messages[start : start + BURST]:
            bus.publish(message)
        published += CLOCK.monotonic() - put
        await bus.drained(60)
    took = CLOCK.monotonic() - begin
    await bus.stop()
    _require(handlers, len(messages))
    return published, took


async def _bare(messages: list[Message]) -> tuple[int, int]:
    handlers = [Counter() for _ in range(SUBSCRIBERS)]
    queues: list[asyncio.Queue[Message]] = [asyncio.Queue(1_000) for _ in handlers]

    async def serve(queue: asyncio.Queue[Message], handler: Counter) -> None:
        while True:
            await handler(await queue.get())
            queue.task_done()

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(serve(queue, handler)) for queue, handler in zip(queues, handlers, strict=True)]
    await asyncio.sleep(0)
    published = 0
    begin = CLOCK.monotonic()
    for start in range(0, len(messages), BURST):
        put = CLOCK.monotonic()
        for message in messages[start : start + BURST]:
            for queue in queues:
                queue.put_nowait(message)
        published += CLOCK.monotonic() - put
        for queue in queues:
            await queue.join()
    took = CLOCK.monotonic() - begin
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    _require(handlers, len(messages))
    return published, took


def _spool(messages: list[Message], place: Path) -> tuple[int, int]:
    spool = Spool(place, CLOCK)
    begin = CLOCK.monotonic()
    for message in messages:
        spool.append(message)
    appended = CLOCK.monotonic() - begin
    begin, read = CLOCK.monotonic(), 0
    while (batch := spool.peek(100)).lines:
        spool.acknowledge(batch)
        read += len(batch.messages)
    took = CLOCK.monotonic() - begin
    spool.close()
    if read != len(messages):
        raise AssertionError(f"expected {len(messages)} events back, found {read}")
    return appended, took


def _file(messages: list[Message], path: Path) -> int:
    begin = CLOCK.monotonic()
    with path.open("ab", buffering=0) as file:
        for message in messages:
            file.write(line_of(message))
            os.fdatasync(file.fileno())
    return CLOCK.monotonic() - begin


def _require(handlers: list[Counter], count: int) -> None:
    if [handler.count for handler in handlers] != [count] * SUBSCRIBERS:
        raise AssertionError(f"expected {count} events each, found {[handler.count for handler in handlers]}")


def main() -> int:
    """Print nanoseconds an event for wrapping, publishing, delivering, spooling and replaying, peers in turns."""
    words = arguments(__doc__ or "", rounds=7)
    report = Report("bus", words)
    count, spooled = EVENTS[words.size], SPOOLED[words.size]
    report.note(f"{count:,} events to {SUBSCRIBERS} subscribers, {spooled:,} spooled; {words.rounds} rounds in turns")
    wrapped, ours, bare, spools, files = [], [], [], [], []
    with folder(words.folder) as place:
        for turn in range(words.rounds):
            messages, took = _messages(count)
            wrapped.append(took / count)
            ours.append(asyncio.run(_ours(messages)))
            bare.append(asyncio.run(_bare(messages)))
            spools.append(_spool(messages[:spooled], place / f"spool-{turn}"))
            files.append(_file(messages[:spooled], place / f"bare-{turn}.jsonl") / spooled)
    report.nanos("wrap one event", wrapped)
    for which, (name, aim) in enumerate((("publish one event", PUBLISH_NANOS), ("publish and handle one event", None))):
        mine, theirs = [run[which] / count for run in ours], [run[which] / count for run in bare]
        report.nanos(name, mine, aim=aim)
        report.nanos(name, theirs, peer="bare asyncio.Queue")
        report.ratio(name, "bare asyncio.Queue", mine, theirs)
    appended = [run[0] / spooled for run in spools]
    report.nanos("spool one event durably", appended)
    report.nanos("spool one event durably", files, peer="bare file")
    report.ratio("spool one event durably", "bare file", appended, files)
    report.nanos("read one event from the spool", [run[1] / spooled for run in spools])
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
