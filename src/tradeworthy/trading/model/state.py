"""What rooms read of each other: small read-only ports and shared values."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Protocol

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model.instrument import Instrument
from tradeworthy.trading.model.market import Bar, Side
from tradeworthy.trading.model.order import Command, Decision


class Unknown(msgspec.Struct, frozen=True):
    """A value nobody knows, and why (MO-06); arithmetic with it stays unknown."""

    reason: str

    def _same(self, _other: object = None) -> "Unknown":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same
    __neg__ = __abs__ = _same

    def __bool__(self) -> bool:
        raise TypeError(f"unknown is neither true nor false: {self.reason}")


class GuardLevel(IntEnum):
    """The trading state, a lattice: `running < paused < reducing < stopped`."""

    RUNNING = 0
    PAUSED = 1
    REDUCING = 2
    STOPPED = 3


@fact("guard.changed")
class GuardChanged(Fact, frozen=True):
    """A reason was set or cleared; `level` is the desk's level afterwards."""

    reason: str
    scope: str
    set: bool
    reason_level: GuardLevel
    level: GuardLevel
    evidence: str = ""
    expires_at: int | None = None


class Top(Protocol):
    """The market of one instrument as the desk knows it; None where nothing is known.

    bid, ask in ticks; sizes in lots; `mid2` is bid + ask (twice the mid, exact); ages from `ts`.
    """

    @property
    def bid(self) -> int | None: ...
    @property
    def ask(self) -> int | None: ...
    @property
    def bid_lots(self) -> int | None: ...
    @property
    def ask_lots(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...
    @property
    def mark(self) -> int | None: ...
    @property
    def ts(self) -> int: ...
    @property
    def usable(self) -> bool: ...

    @property
    def mid2(self) -> int | None: ...


class WorkingOrder(Protocol):
    """An order that is not terminal, as strategies and risk may see it."""

    @property
    def client_order_id(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    @property
    def side(self) -> Side: ...
    @property
    def level(self) -> int: ...
    @property
    def price(self) -> int | None: ...
    @property
    def lots(self) -> int: ...
    @property
    def cum_lots(self) -> int: ...
    @property
    def created_at(self) -> int: ...


class View(Protocol):
    """What one strategy may know at one event; nothing in it is later than `now`."""

    @property
    def now(self) -> int: ...
    @property
    def fact(self) -> Any: ...
    @property
    def instance(self) -> str: ...
    @property
    def instrument(self) -> Instrument: ...
    @property
    def top(self) -> Top: ...
    @property
    def guard(self) -> GuardLevel: ...

    @property
    def position(self) -> int: ...
    @property
    def average(self) -> float | None: ...
    @property
    def equity(self) -> float | None: ...
    @property
    def budget(self) -> float | None: ...
    @property
    def traded_today(self) -> float: ...
    @property
    def fills(self) -> int: ...
    def working(self) -> Iterable[WorkingOrder]: ...
    def bars(self) -> Iterable[Bar]: ...


class Strategy(Protocol):
    """A pure fold and decision. `observe` feeds its running values, `decide` answers; both see only the view.

    observes, decides_on   fact types (`Bar`, `Quote`) or timer names (`evaluate`, `sample`)
    """

    instance: str
    instrument_id: str
    observes: tuple[type[Fact] | str, ...]
    decides_on: tuple[type[Fact] | str, ...]

    def observe(self, view: View) -> None: ...
    def decide(self, view: View) -> Decision: ...


@fact("strategy.abstained")
class Abstained(Fact, frozen=True):
    """A strategy's abstention code changed; each evaluation counts, a repeated code is journaled once."""

    instance: str
    code: str


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one event led to: facts in order, the commands among them repeated for the edge."""

    facts: tuple[Fact, ...]
    commands: tuple[Command, ...]


NOTHING = Outcome((), ())
