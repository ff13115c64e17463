"""One trace for the life of an order, over all the steps that touch it (TRC-02)."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.telemetry.tracing import Tracing

ORDERS_MAX = 4_096
"""Orders whose place in a trace is remembered; of an older one, later reports begin a trace of their own."""


class Outcome(Protocol):
    """What a step led to."""

    @property
    def facts(self) -> Sequence[Fact]: ...


O = TypeVar("O", bound=Outcome)  # noqa: E741


class OrderSpans:
    """Trace a desk's steps. A report on an order continues the trace of the step that sent it.

    Facts that name an order or an intent become spans in their step: `order.submit`, `order.changed`.
    """

    def __init__(self, tracing: Tracing, *, orders_max: int = ORDERS_MAX) -> None:
        self._tracing, self._orders_max = tracing, orders_max
        self._places: dict[str, Any] = {}

    def traced(self, step: Callable[[Event], O]) -> Callable[[Event], O]:
        """Return a desk's step with its spans, itself while tracing is off."""
        if not self._tracing.on:
            return step
        tracing, places, tell = self._tracing, self._places, self._tell

        def within(event: Event) -> O:
            known = places.get(getattr(event.payload, "client_order_id", ""))
            with tracing.desk_step(event.kind, event.seq, event.correlation_id, parent=known):
                outcome = step(event)
                for fact in outcome.facts:
                    tell(fact)
                return outcome

        return within

    def _tell(self, fact: Fact) -> None:
        order, intent = getattr(fact, "client_order_id", None), getattr(fact, "intent_id", None)
        if not order and not intent:
            return
        with self._tracing.order(fact.kind.rpartition(".")[2], order or "", intent_id=intent, kind=fact.kind):
            if order and order not in self._places:
                if len(self._places) >= self._orders_max:
                    del self._places[next(iter(self._places))]
                self._places[order] = self._tracing.current()
