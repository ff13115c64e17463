"""A halt as the halt flag holds it: what must not leave, by whose order, since when (KS-01, KS-02)."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from tradeworthy.trading.control.kill import scope_of


class Halt(msgspec.Struct, frozen=True):
    """One trip. `at` is nanoseconds UTC, `monotonic` the machine's monotonic clock, which its processes share.

    flatten  positions of the scope are to be closed after the cancels: a person's wish
    """

    owner: str
    code: str
    scope: str
    at: int
    monotonic: int
    evidence: str = ""
    flatten: bool = False

    @property
    def name(self) -> str:
        """Name the trip: its owner, code, scope and moment."""
        return f"{self.owner}.{self.code}.{self.scope}.{self.at}"


class HaltPort(Protocol):
    """A flag outside every process, that costs next to nothing to read and needs nothing that may be dead."""

    def halted(self) -> bool:
        """Tell whether anything is halted: asked before each send."""
        ...

    def halts(self) -> tuple[Halt, ...]:
        """Return what is halted; a flag that is up but cannot be read is a halt of the desk."""
        ...

    def trip(self, halt: Halt) -> None:
        """Put a halt in force; it stands when this returns."""
        ...

    def release(self, owner: str, code: str, scope: str) -> None:
        """Take away what a re-arm ended."""
        ...

    def released(self) -> int:
        """Return a number that grows with each release."""
        ...


def concerns(scope: str, *, instance: str, instrument: str, venue: str) -> bool:
    """Tell whether a halt of `scope` covers an order; a scope that names nothing known here covers all."""
    kind, _, name = scope_of(scope).partition(":")
    known = {"strategy": instance, "instrument": instrument, "venue": venue}.get(kind)
    return known is None or known == name


def covering(halts: Iterable[Halt], *, instance: str, instrument: str, venue: str) -> tuple[Halt, ...]:
    """Return the halts that cover an order."""
    return tuple(
        one for one in halts if concerns(one.scope, instance=instance, instrument=instrument, venue=venue)
    )


def venue_of(instrument: str) -> str:
    """Return the venue in an instrument id, which ends with it."""
    return instrument.rpartition(".")[2]
