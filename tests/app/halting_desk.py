"""A small desk under its watchdog, at a venue of another process: ROOT URL POLICY; takes commands on standard input.

It keeps sending orders whatever anybody says, so that what stops is stopped from outside. Commands, one a line:
`block SECONDS` blocks the loop, `journal` and `bus` let those fail, `mend` ends both, `end` ends in order.
"""

import asyncio
import json
import os
import queue
import sys
import time
from collections import deque
from pathlib import Path
from random import Random

import msgspec

from tradeworthy.adapters.venue_line import VenueClient
from tradeworthy.app.halting.guard_memory import GUARD_FILE
from tradeworthy.app.halting.watchdog_process import prepare
from tradeworthy.app.venues import HALT_FILE, halt_flag
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.watched import Vitals, WatchdogLink
from tradeworthy.trading.model import CancelOrder, OrderType, Quote, Side, SubmitOrder, TimeInForce
from tradeworthy.trading.venue_edge import VenueEdge

INSTRUMENT = "EURUSD.DEMO"
PACE_S, WORKING_MAX = 0.01, 6


def say(*words):
    print(*words, flush=True)


class Answering:
    """Answer escalations and holds by saying so."""

    def escalate(self, escalated, cause):
        say("escalated", escalated.task)

    def hold(self, code, evidence):
        say("hold", code)

    def release(self, code):
        say("release", code)


class Desk:
    """Quote, send, cancel the oldest, for ever; an order is journaled and published before it leaves, or not."""

    def __init__(self, venue, clock, journal):
        self.venue, self.clock, self.journal = venue, clock, journal
        self.bus = queue.Queue(1)
        self.full = self.dead = False
        self.number = 0
        self.working = deque()

    def keep(self, command, ts):
        if self.full:
            self.bus = queue.Queue(1)
            self.bus.put_nowait(command)
        try:
            self.bus.put_nowait(command)
        except queue.Full:
            say("bus full") if self.number % 500 == 0 else None
        else:
            self.bus.get_nowait()
        if not self.dead:
            self.journal.accept(event_of(command, source="desk", key=f"{ts}:{self.number}", ts_event=ts, ts_init=ts))

    def step(self):
        self.number += 1
        ts = self.clock.now()
        self.venue.on_market(Quote(INSTRUMENT, 108_000, 108_010, 10_000, 10_000), ts)
        name = f"o{ts}"
        price = 107_000 + self.number % 50
        order = SubmitOrder(
            name, name, "touch", INSTRUMENT, Side.BUY, 1_000, OrderType.LIMIT, TimeInForce.GTC, price
        )
        self.keep(order, ts)
        self.venue.send(order, ts)
        self.working.append(name)
        if len(self.working) > WORKING_MAX:
            cancel = CancelOrder(self.working.popleft(), INSTRUMENT, "test")
            self.venue.send(cancel, ts)
        self.venue.advance(ts)

    async def trade(self, pulse):
        while True:
            self.step()
            pulse.beat(self.number)
            await asyncio.sleep(PACE_S)


async def main(root, url, given):
    options = json.loads(given)
    policy = msgspec.convert(options["policy"], WatchdogPolicy)
    clock, answering, state = SystemClock(), Answering(), root / "state" / "small"
    flag = halt_flag(state, clock)
    line = VenueClient(url, clock, name="small", cancel_on_disconnect=options.get("cancel_on_disconnect", False))
    desk = Desk(VenueEdge(line, flag, on_clear=line.reopen), clock, Journal.open(root / "journal", clock=clock))
    prepared = prepare(
        state, desk="small", environment="paper", sentinel=state / GUARD_FILE, flag=state / HALT_FILE, venue=url,
        http=options.get("http", ""), page_command=tuple(options.get("page_command", ())),
    )  # fmt: skip
    supervisor = TaskSupervisor(clock, Random(1), answering)
    link = WatchdogLink(
        supervisor, clock, command=prepared.command, folder=prepared.folder, run_id="run-1",
        vitals=lambda: Vitals(f"head-{desk.number}", "running"), hold=answering, policy=policy,
    )  # fmt: skip
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear():
        for line in os.read(sys.stdin.fileno(), 4_096).decode().splitlines() or [""]:
            act(line.split())

    def act(words):
        match words:
            case ["block", seconds]:
                say("blocking")
                block_the_loop(float(seconds))
                say("unblocked")
            case ["journal"]:
                desk.dead = True
            case ["bus"]:
                desk.full = True
            case ["mend"]:
                desk.dead = desk.full = False
            case _:
                ended.set()

    loop.add_reader(sys.stdin, hear)
    link.launch()
    supervisor.create(link.beats, owner="watchdog", name="watchdog_beats")
    while not link.watching:
        await asyncio.sleep(0.02)
    supervisor.create(desk.trade, owner="trading", name="trade")
    say("watched", link.child.pid, link.token)
    await ended.wait()
    await supervisor.cancel_all(1)
    link.farewell()
    say("ended", link.token)


def block_the_loop(seconds):
    time.sleep(seconds)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
