"""A recovery run: start services, wait until each answers, ask the strict gate, and name what does not (GT-11)."""

import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

import msgspec

from tradeworthy.app.gates.cycle import Asked, strict_cycle
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.producers import CyclePolicy, Material
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.gates.named import gate_named

ANSWER_S = 5.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service: its name, the URL that answers 2xx once it is up, and what starts it, empty = somebody else does."""

    name: str
    url: str
    command: str = ""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each service, empty = it answers; `asked` is the strict cycle, None while something is broken."""

    services: dict[str, str]
    asked: Asked | None

    @property
    def broken(self) -> tuple[str, ...]:
        """Services that did not come up."""
        return tuple(name for name, told in self.services.items() if told)


def recover(
    services: Sequence[Service], gates: Gates, gate: str, given: Material, clock: Clock, *,
    policy: CyclePolicy | None = None, answers: Callable[[str], str] | None = None,
    start: Callable[[str], object] | None = None,
) -> Recovery:  # fmt: skip
    """Start what has a command, wait for all, then ask; nothing is asked while one does not answer.

    answers  returns what is wrong with a URL, empty where it answers;  start  starts a command and leaves it running
    """
    p, look, begin = policy or CyclePolicy(), answers or answer_of, start or started
    told: dict[str, str] = {}
    for one in services:
        if one.command:
            try:
                begin(one.command)
            except (OSError, ValueError) as problem:
                told[one.name] = f"it cannot be started: {problem}"
    end = clock.monotonic() + p.wait_s * NANOS_PER_SECOND
    waiting = {one.name: one.url for one in services if one.name not in told}
    said: dict[str, str] = {}
    while waiting:
        said |= {name: look(url) for name, url in waiting.items()}
        waiting = {name: url for name, url in waiting.items() if said[name]}
        if not waiting or clock.monotonic() >= end:
            break
        clock.sleep(p.poll_s * NANOS_PER_SECOND)
    found = {one.name: told.get(one.name) or said.get(one.name, "") for one in services}
    if any(found.values()) or not services:
        return Recovery(services=found or {"services": "none was named"}, asked=None)
    return Recovery(services=found, asked=strict_cycle(gates, gate_named(gate), given, clock, policy=policy))


def answer_of(url: str) -> str:
    """Return what is wrong with a URL, empty where it answers 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return "" if 200 <= answer.status < 300 else f"{url}: status {answer.status}"
    except (urllib.error.URLError, OSError, ValueError) as problem:
        return f"{url}: {problem}"


def started(command: str) -> object:
    """Start a command and leave it running."""
    return subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL)
