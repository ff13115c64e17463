"""A small desk with a watchdog: FOLDER VENUE_PORT POLICY FAULT; says what happens on its standard output."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from random import Random

import msgspec

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.watched import Vitals, WatchdogLink


def say(*words):
    print(*words, flush=True)


class Desk:
    """Answer escalations and holds by saying so."""

    def escalate(self, escalated, cause):
        say("escalated", escalated.task)

    def hold(self, code, evidence):
        say("hold", code)

    def release(self, code):
        say("release", code)


def block_the_loop():
    time.sleep(30)


async def main(folder, port, policy, fault):
    clock, desk = SystemClock(), Desk()
    supervisor = TaskSupervisor(clock, Random(1), desk)
    command = [sys.executable, str(Path(__file__).with_name("watchdog_entry.py")), port, str(folder / "guard.bin")]
    link = WatchdogLink(
        supervisor, clock, command=[*command, str(folder / "pages.txt")], folder=folder / "watchdog", run_id="run-1",
        vitals=lambda: Vitals("head-7", "running"), hold=desk, policy=policy,
    )  # fmt: skip
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    link.launch()
    supervisor.create(link.beats, owner="watchdog", name="watchdog_beats")
    while not link.watching:
        await asyncio.sleep(0.02)
    say("watched", link.child.pid, link.token)
    if fault == "block":
        say("blocking")
        block_the_loop()
    await ended.wait()
    await supervisor.cancel_all(1)
    link.farewell()
    say("ended", link.token)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.argv[3], type=WatchdogPolicy)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], given, sys.argv[4]))
