"""The museum: recorded failures with and without the control that answers them, and past incidents (IN-10, IN-05).

Each exhibit drives the real control; what the market does meanwhile is a small recorded course. Losses are shares of
capital, times are seconds of that course.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from tradeworthy.app.gates.check_mutations import registered
from tradeworthy.app.runtime.policy import TimeIntegrityPolicy
from tradeworthy.app.runtime.time_integrity import TimeIntegrity
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal
from tradeworthy.kernel.journal.verify import CannotJudge, verify
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.lifecycle import Incident, IncidentMoved, IncidentNoted, Phase
from tradeworthy.trading.market_data.age import StreamAge
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Intent, Side
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.controls.max_order_quantity import MaxOrderQuantity
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.runaway import Runaway

HALT_S_MAX, LOSS_MAX, CATASTROPHE_MIN = 5.0, 0.001, 0.05
"""With controls a halt by then and a loss up to that; without them a loss from this on."""
MUSEUM = "museum:"
"""How a closed incident names an exhibit as its check."""
START = 1_700_000_000 * NANOS_PER_SECOND


class Course(NamedTuple):
    """How an exhibit ended: when it was halted, None where never; what it lost; what the control saw."""

    halt_s: float | None
    loss: float
    seen: str


class Exhibit(NamedTuple):
    """A recorded failure. `play` takes whether controls act, and an empty folder of its own."""

    name: str
    what: str
    play: Callable[[bool, Path], Course]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An exhibit with and without controls."""

    name: str
    what: str
    halt_s: float | None
    loss: float
    loss_without: float
    seen: str

    @property
    def passed(self) -> bool:
        """Whether the control halts it in time and cheaply, and its absence is a catastrophe."""
        held = self.halt_s is not None and self.halt_s <= HALT_S_MAX and self.loss <= LOSS_MAX
        return held and self.loss_without >= CATASTROPHE_MIN


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """A past incident against today's checks: `problem` is empty where its check still catches it.

    by  what it was held against: its own journal, the mutation of its check, or an exhibit
    """

    incident: str
    check: str
    problem: str = ""
    by: str = ""


def dead_flag_deploy(controls: bool, folder: Path) -> Course:
    """A flag that was thought dead wakes old code: 60 orders a second for 45 minutes, each a small loss."""
    runaway = Runaway(RiskPolicy())
    runaway.set_usual("old", 10)
    each, step = 0.000_007, NANOS_PER_SECOND // 60
    loss = 0.0
    for number in range(45 * 60 * 60):
        loss += each
        reasons = runaway.on_order("old", START + number * step)
        if controls and reasons:
            return Course(number * step / NANOS_PER_SECOND, loss, reasons[0].evidence)
    return Course(None, loss, "")


def fat_finger(controls: bool, folder: Path) -> Course:
    """Somebody types a quantity ten thousand times too large; the market moves away by a twentieth as it fills."""
    instrument, wanted = "EURUSD.DEMO", 610_000_000
    intent = Intent("i", "person", "desk", "typed", "d", instrument, Side.BUY, wanted, START)
    found = MaxOrderQuantity([shipped()[instrument]]).review(intent, cast(RiskContext, None))  # it asks for no context
    if controls and found is not None:
        return Course(0.0, 0.0, f"{found.code}: {found.observed}, limit {found.limit}")
    capital = 1_000_000
    return Course(None, wanted * 0.05 / capital, "")


def frozen_feed(controls: bool, folder: Path) -> Course:
    """A feed repeats nothing and says nothing; a maker goes on quoting while the market falls for ten minutes."""
    age = StreamAge("venue:BTC", START)
    age.on_frame(START)
    fill, fall, seconds = 0.002, 0.001, 600
    quoted, halt = seconds, None
    for second in range(1, seconds + 1):
        if controls and not age.quoting_allowed(START + second * NANOS_PER_SECOND):
            quoted, halt = second, float(second)
            break
    loss = sum(fill * fall * (quoted - second) for second in range(quoted))
    return Course(halt, loss, "" if halt is None else f"no frame for {halt:g} s")


def empty_backups(controls: bool, folder: Path) -> Course:
    """Backups were written each night and are empty; then the disk dies, and nobody knows the positions."""
    main, copy = folder / "main", folder / "copy"
    journal = Journal.open(main, clock=EventClock(START))
    told = IncidentNoted(incident="x", person="desk", at=START, text="a day's work")
    for number in range(20):
        journal.accept(event_of(told, source="museum", key=str(number), ts_event=START, ts_init=START))
    journal.close()
    copy.mkdir()
    for segment in main.glob("journal-*.jsonl"):
        (copy / segment.name).write_bytes(b"")
    if controls:
        seen = _fault_of(copy)
        if seen and not _fault_of(main):
            return Course(0.0, 0.0, f"the copy does not verify: {seen}")
    return Course(None, 0.5 * 0.2, "")


def clock_jump(controls: bool, folder: Path) -> Course:
    """The wall clock steps an hour ahead; orders expire and days end at once, for ten minutes."""
    clock, held = _Stepping(), _Holds()
    watch = TimeIntegrity(clock, held, TimeIntegrityPolicy(interval_seconds=2.0), offset=lambda: None)
    each, step_at = 0.000_2, 31
    for second in range(step_at + 600):
        clock.move(NANOS_PER_SECOND, 3_600 * NANOS_PER_SECOND if second == step_at else 0)
        if controls and second % 2 == 0:
            watch.check()
            if held.said:
                late = second - step_at
                return Course(float(late), late * each, held.said)
    return Course(None, 600 * each, "")


def split_brain(controls: bool, folder: Path) -> Course:
    """A second desk starts on the account while the first lives: the position is there twice when the market falls."""
    first = Journal.open(folder / "journal", clock=EventClock(START))
    try:
        if controls:
            try:
                Journal.open(folder / "journal", clock=EventClock(START)).close()
            except HaltTrading as problem:
                return Course(0.0, 0.0, str(problem))
        return Course(None, 1.0 * 0.05, "")
    finally:
        first.close()


EXHIBITS = tuple(Exhibit(play.__name__, str(play.__doc__).strip(), play) for play in (
    dead_flag_deploy, fat_finger, frozen_feed, empty_backups, clock_jump, split_brain,
))  # fmt: skip


def show(exhibit: Exhibit, folder: Path) -> Shown:
    """Play an exhibit with and without controls, each in a folder of its own."""
    courses = []
    for controls in (True, False):
        own = folder / f"{exhibit.name}-{'with' if controls else 'without'}"
        own.mkdir(parents=True)
        courses.append(exhibit.play(controls, own))
    guarded, bare = courses
    return Shown(
        name=exhibit.name, what=exhibit.what, halt_s=guarded.halt_s, loss=guarded.loss, loss_without=bare.loss,
        seen=guarded.seen,
    )  # fmt: skip


def rerun(
    incidents: Iterable[Incident], shown: Iterable[Shown], *,
    on_journal: Callable[[Incident, str], str | None] = lambda incident, check: None,
) -> tuple[Caught, ...]:  # fmt: skip
    """Hold every closed incident against today's checks: its own passes on the world and fails on the changed one.

    on_journal  tells why a check does not catch an incident on its own journal, None where it has none
    """
    halls = {one.name: one for one in shown}
    mutations = registered()
    found = []
    for one in incidents:
        if one.phase is not Phase.CLOSED or one.opened.drill:
            continue
        moves = [step for step in one.timeline if isinstance(step, IncidentMoved)]
        check = next((step.check for step in reversed(moves) if step.check), "")
        hall = halls.get(check.removeprefix(MUSEUM)) if check.startswith(MUSEUM) else None
        if hall is not None:
            problem, by = "" if hall.passed else "the exhibit is not held by its control any more", "exhibit"
        elif check in mutations:
            before, after = mutations[check].before().status, mutations[check].after().status
            problem = "" if before is Severity.OK and after is not Severity.OK else f"it says {before}, then {after}"
            by, on_own = "mutation", on_journal(one, check)
            if not problem and on_own is not None:
                problem, by = on_own, "journal"
        else:
            problem, by = "no such check is registered today", ""
        found.append(Caught(incident=one.id, check=check, problem=problem, by=by))
    return tuple(found)


class _Stepping:
    """A wall clock that can step, beside a monotonic one."""

    def __init__(self) -> None:
        self._wall, self._mono = START, 0

    def now(self) -> int:
        return self._wall

    def monotonic(self) -> int:
        return self._mono

    def sleep(self, nanos: int) -> None:
        self.move(nanos, 0)

    def move(self, nanos: int, step: int) -> None:
        self._mono += nanos
        self._wall += nanos + step


class _Holds:
    def __init__(self) -> None:
        self.said = ""

    def hold(self, code: str, evidence: str) -> None:
        self.said = evidence

    def release(self, code: str) -> None:
        self.said = ""


def _fault_of(folder: Path) -> str:
    try:
        found = verify(folder)
    except CannotJudge as problem:
        return str(problem)
    return "" if found.ok and found.events else f"{found.events} events"
