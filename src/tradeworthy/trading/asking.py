"""Who is asked on which event, and what becomes of the answer: targets, an abstention code, or a failure (ST-05)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.execution.orders import WorkingOrders
from tradeworthy.trading.execution.planner import withdraw
from tradeworthy.trading.faulting import Faulting
from tradeworthy.trading.model import Abstain, Abstained, CancelOrder, Decision, Targets
from tradeworthy.trading.strategies.abstentions import GUARD, INPUT_QUARANTINED, withdrawing
from tradeworthy.trading.timing import DECIDE, INDICATORS
from tradeworthy.trading.view import Seat

Listener = tuple[Seat, Callable[[Seat], None] | None, Callable[[Seat], Decision] | None]
"""A seat with what of its strategy is called on a kind of event."""
Measured = Callable[[str, Callable[[Seat], Any]], Callable[[Seat], Any]]
"""Wraps what a stage calls, so that an edge may measure it; the desk itself reads no clock."""
_UNWINDING = withdrawing(GUARD)
"""What is answered for a strategy whose position the desk closes."""
_QUARANTINED = withdrawing(INPUT_QUARANTINED)
_resting: Callable[[Seat], Decision] = lambda seat: _UNWINDING  # noqa: E731
_quarantined: Callable[[Seat], Decision] = lambda seat: _QUARANTINED  # noqa: E731


class Asking:
    """Keep the listeners of every event and ask them.

    unwinding  tells whether an instance is being closed;  withheld  tells whether an instrument's data is withheld
    observed   brings a strategy's own reasons to the guard after it observed
    follow     carries targets out;  cancel  takes orders off;  facts  where the step collects what it found
    """

    __slots__ = ("_cancel", "_facts", "_faulting", "_follow", "_measured", "_observed", "_orders", "_seats",
                 "_unwinding", "_withheld", "listeners")  # fmt: skip

    def __init__(
        self, seats: Sequence[Seat], *, orders: WorkingOrders, unwinding: Callable[[str], bool],
        withheld: Callable[[str], bool], observed: Callable[[Seat], None], faulting: Faulting, facts: list[Fact],
        follow: Callable[[Seat, Targets, Event], None], cancel: Callable[[Iterable[CancelOrder]], None],
        measured: Measured,
    ) -> None:  # fmt: skip
        self._seats, self._orders, self._unwinding, self._withheld = seats, orders, unwinding, withheld
        self._observed, self._faulting, self._facts = observed, faulting, facts
        self._follow, self._cancel, self._measured = follow, cancel, measured
        self.listeners: dict[tuple[str | type[Fact], str], list[Listener]] = {}

    def seat_all(self) -> None:
        """Note what of each strategy is called on which event; one whose position is being closed is not asked."""
        self.listeners.clear()
        for seat in self._seats:
            self._register(seat)

    def withhold(self) -> None:
        """Data was withheld or given free: whom it concerns abstains at once, not at the next event (MD-08)."""
        self.seat_all()
        for seat in self._seats:
            if self._withheld(seat.instrument_id) and seat.code != _QUARANTINED.code:
                self._answered(seat, _QUARANTINED)

    def tell(self, listeners: Iterable[Listener], event: Event, fact: Fact, now: int) -> None:
        """Let each listener observe and decide, and carry its answer out before the next is asked."""
        faulting = self._faulting
        for seat, observe, decide in listeners:
            if faulting.suspended(seat.instance):
                continue
            seat.now = now
            seat.fact = fact
            try:
                if observe is not None:
                    observe(seat)
                if decide is None:
                    continue
                seat.decisions += 1
                answer = decide(seat)
                if answer is None:
                    raise TypeError(f"{seat.instance} said nothing: expected targets or an abstention code (ST-05)")
                faulting.answered(seat.instance)
            except Exception as problem:  # that strategy abstains, the desk goes on (APP-15)
                answer = faulting.failed(seat, problem)
            if isinstance(answer, Abstain):
                self._answered(seat, answer)
            else:
                seat.code = None
                self._follow(seat, answer, event)

    def show_fill(self, seat: Seat, booked: Fact, now: int) -> None:
        """Let a strategy observe a fill of its own; one that raises abstains, as it does for any other event."""
        if self._faulting.suspended(seat.instance):
            return
        seat.now, seat.fact = now, booked
        try:
            seat.strategy.observe(seat)
        except Exception as problem:  # that strategy abstains, the desk goes on (APP-15)
            self._answered(seat, self._faulting.failed(seat, problem))

    def _register(self, seat: Seat) -> None:
        strategy = seat.strategy
        observe = self._watched if hasattr(strategy, "guard") else strategy.observe
        decide: Callable[[Seat], Decision] = strategy.decide
        if self._withheld(seat.instrument_id):
            decide = _quarantined
        elif self._unwinding(seat.instance):
            decide = _resting
        look = self._measured(f"{INDICATORS}:{seat.instance}", observe)
        ask = self._measured(f"{DECIDE}:{seat.instance}", decide)
        for what in dict.fromkeys((*strategy.observes, *strategy.decides_on)):
            self.listeners.setdefault((what, seat.instrument_id), []).append((
                seat, look if what in strategy.observes else None, ask if what in strategy.decides_on else None,
            ))  # fmt: skip

    def _watched(self, seat: Seat) -> None:
        """Let a strategy that guards itself observe, and take its reasons to the guard before it decides."""
        seat.strategy.observe(seat)
        self._observed(seat)

    def _answered(self, seat: Seat, answer: Abstain) -> None:
        if seat.abstained(answer):
            self._facts.append(Abstained(seat.instance, answer.code))
        if answer.withdraw:
            self._cancel(withdraw(seat.instance, self._orders, f"strategy.{answer.code}"))
