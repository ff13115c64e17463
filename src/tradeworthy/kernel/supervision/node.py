"""What tasks and scopes share: the ports between a node, the scope that it belongs to and the supervisor."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.supervision.policy import Criticality, SupervisorPolicy

Then = Callable[[], None]


class Failure(msgspec.Struct, frozen=True):
    """The last exception of a task: its type, its message without secrets, and when (nanoseconds UTC)."""

    type: str
    message: str
    at: int


class Node(Protocol):
    """A task or a scope, as the scope above it sees it."""

    name: str
    owner: str

    @property
    def criticality(self) -> Criticality: ...
    @property
    def alive(self) -> bool: ...
    @property
    def restarts(self) -> int: ...
    def begin(self, cause: Event | None = None, delay_ns: int = 0) -> None: ...
    def begin_after(self, delay_ns: int, cause: Event) -> None: ...
    def halt(self, then: Then) -> None: ...
    def revive(self) -> None: ...
    def conclude(self) -> None: ...


class Parent(Protocol):
    """What a node asks of the scope above it."""

    def restart(self, child: Node, delay_ns: int, cause: Event) -> None: ...
    def gave_up(self, child: Node, reason: str, cause: Event) -> None: ...
    def drop(self, child: Node) -> None: ...


class Keeper(Protocol):
    """What a node asks of the supervisor."""

    clock: Clock
    random: Random
    policy: SupervisorPolicy

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def record(self, payload: Fact, cause: Event | None) -> Event: ...
    def escalate(self, node: Node, reason: str, cause: Event) -> None: ...
