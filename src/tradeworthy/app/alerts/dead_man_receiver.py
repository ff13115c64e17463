"""A process of its own, best on another machine, that hears a desk's heartbeats and pages when they stop (AR-15)."""

import asyncio
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tradeworthy.adapters.notify.heartbeat_server import HeartbeatServer
from tradeworthy.adapters.notify.local import Command, LinesFile
from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.channel import Refused, Transport
from tradeworthy.operations.incidents.dead_man import DeadMan
from tradeworthy.operations.incidents.model import Notice

LOOK_NS = 100 * NANOS_PER_MILLI
PAGE_TIMEOUT_S = 10.0


class Watching(NamedTuple):
    """What a receiver is told.

    host, port  where it listens;  pages  file of its pages, one JSON line each;  command  is run with each page as well
    key         of the desk's signature;  timeout_s  silence that pages;  repeat_s  until it pages again
    """

    desk: str
    host: str
    port: int
    pages: Path
    command: str = ""
    key: Callable[[], Secret] | None = None
    timeout_s: float = 120.0
    repeat_s: float = 3_600.0


def receive(
    asked: Watching, clock: Clock, *, stopped: Callable[[], bool], listening: Callable[[int], None]
) -> bool:
    """Hear heartbeats and page on silence until `stopped`; returns whether the desk was heard at the end.

    listening  hears of the port. A page that no way takes is tried again at the next look. Raises `OSError` where the
    address is taken.
    """
    man = DeadMan(asked.desk, clock.monotonic(), timeout_s=asked.timeout_s, repeat_s=asked.repeat_s)
    ways: list[Transport] = [LinesFile(asked.pages)]
    if asked.command:
        ways.append(Command(shlex.split(asked.command)))
    server = HeartbeatServer(asked.host, asked.port, asked.key, lambda: man.beat(clock.monotonic()))
    try:
        listening(server.port)
        while not stopped():
            notice = man.look(clock.monotonic(), clock.now())
            if notice is not None and not _told(notice, ways):
                man.again()
            clock.sleep(LOOK_NS)
    finally:
        server.close()
    return not man.silent


def _told(notice: Notice, ways: list[Transport]) -> bool:
    """Offer a page to every way; returns whether each took it."""

    async def one(way: Transport) -> bool:
        try:
            async with asyncio.timeout(PAGE_TIMEOUT_S):
                await way.send(notice, timeout_s=PAGE_TIMEOUT_S)
        except (OSError, Refused, TimeoutError):
            return False
        return True

    async def all_() -> bool:
        return all(await asyncio.gather(*(one(way) for way in ways)))

    return asyncio.run(all_())
