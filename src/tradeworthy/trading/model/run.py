"""The first and the last fact of a run: what it was made of, and what came out."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.facts import Fact, fact


class TapeManifest(msgspec.Struct, frozen=True):
    """One input tape: name, label (`real`, `derived`, `synthetic`) and the SHA-256 of its bytes or recipe."""

    name: str
    instrument: str
    label: str
    provenance: str
    sha256: str


@fact("run.started")
class RunStarted(Fact, frozen=True):
    """Everything a replay needs besides the code.

    document  the whole configuration as canonical JSON;  guard  the reasons in force at the start, as JSON
    """

    run_id: str
    environment: str
    document: str
    config_hash: str
    code_hash: str
    tapes: tuple[TapeManifest, ...]
    guard: str = "[]"


@fact("run.stopping")
class RunStopping(Fact, frozen=True):
    """The run is told to end before its tape does; what is being worked is given up."""

    reason: str


@fact("desk.failed")
class DeskFailed(Fact, frozen=True):
    """The desk could not fold an event (RK-54): which part raised, and what it said."""

    component: str
    text: str


@fact("desk.day_began")
class DeskDayBegan(Fact, frozen=True):
    """A desk day began with this equity (AC-01), in base currency."""

    equity: Decimal | None


@fact("run.ended")
class RunEnded(Fact, frozen=True):
    """How the run ended, with the digest over all its outcomes (RP-02)."""

    reason: str
    outcome_digest: str
    inputs: int
    outcomes: int
