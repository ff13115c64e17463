"""Faults on purpose, for tests and drills: `--fault COMPONENT:KIND[@SECONDS[xTIMES]]`; refused in live."""

import asyncio
import os
from dataclasses import dataclass
from itertools import count

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.kernel.words import Word

LOOP, DESK = "loop", "desk"
"""Components that are no workload: the event loop itself, and the desk's memory."""
BLOCK_S = 30.0
LEAK_BYTES, LEAK_EVERY_S = 4 << 20, 0.1
LEAKED: list[bytearray | int] = []
"""What leaked: it outlives the loop that lost it, as a leak does."""


class FaultKind(Word):
    """What goes wrong. `block` keeps the event loop for 30 s; `leak` keeps 40 MiB and 10 descriptors each second."""

    CRASH = "crash"
    HANG = "hang"
    BLOCK = "block"
    SWALLOW_CANCEL = "swallow-cancel"
    RAISE_TIMEOUT = "raise-timeout"
    LEAK = "leak"


class InjectedFault(Exception):
    """A workload failed because somebody asked for it."""


@dataclass(frozen=True)
class Fault:
    """One fault of a component, `at_s` seconds into each of its first `times` attempts; None = into each one."""

    component: str
    kind: FaultKind
    at_s: float = 0.0
    times: int | None = None


def parsed_fault(text: str) -> Fault:
    """Return the fault that a word names; raises `UsageError` for another form."""
    component, colon, rest = text.partition(":")
    kind, at, moment = rest.partition("@")
    seconds, counted, times = moment.partition("x")
    try:
        found = Fault(component, FaultKind(kind), float(seconds) if at else 0.0, int(times) if counted else None)
    except ValueError:
        found = None
    if (
        not colon or not component or found is None or not 0 <= found.at_s < float("inf")
        or (found.times is not None and found.times < 1)
    ):  # fmt: skip
        kinds = "|".join(one.value for one in FaultKind)
        raise UsageError(f"--fault takes COMPONENT:{kinds}[@SECONDS[xTIMES]], was {text!r}")
    return found


def with_fault(factory: Factory, fault: Fault, clock: Clock) -> Factory:
    """Return a factory whose attempts fail as `fault` says, and work as before until then."""

    attempts = count(1)

    async def failing(pulse: Pulse) -> object:
        if fault.times is not None and next(attempts) > fault.times:
            return await factory(pulse)
        if fault.kind in (FaultKind.BLOCK, FaultKind.LEAK):
            handle = asyncio.get_running_loop().call_later(fault.at_s, misbehave_beside, fault, clock)
            try:
                return await factory(pulse)
            finally:
                handle.cancel()
        try:
            async with asyncio.timeout(fault.at_s):
                return await factory(pulse)
        except TimeoutError:
            return await _misbehave(fault)

    return failing


def misbehave_beside(fault: Fault, clock: Clock) -> None:
    """Do what harms the whole process: keep its loop, or its memory."""
    if fault.kind is FaultKind.LEAK:
        _leak()
    else:
        clock.sleep(round(BLOCK_S * NANOS_PER_SECOND))


async def _misbehave(fault: Fault) -> object:
    match fault.kind:
        case FaultKind.CRASH:
            raise InjectedFault(f"{fault.component} crashed on purpose")
        case FaultKind.RAISE_TIMEOUT:
            raise TimeoutError(f"{fault.component} ran out of time on purpose")
        case FaultKind.SWALLOW_CANCEL:
            while True:
                try:
                    await asyncio.sleep(3_600)
                except asyncio.CancelledError:
                    continue
        case _:
            return await asyncio.get_running_loop().create_future()


def _leak() -> None:
    block = bytearray(LEAK_BYTES)
    block[::4096] = b"x" * len(block[::4096])  # touched, so that it is resident
    LEAKED.extend((block, os.open(os.devnull, os.O_RDONLY)))
    asyncio.get_running_loop().call_later(LEAK_EVERY_S, _leak)
