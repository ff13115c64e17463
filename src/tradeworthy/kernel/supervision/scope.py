"""A scope: children that start in order, stop in reverse and restart by one strategy (SUP-06)."""

import asyncio
from collections.abc import Iterable, Sequence

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision.backoff import RestartBudget, delay_s
from tradeworthy.kernel.supervision.node import Keeper, Node, Parent, Then
from tradeworthy.kernel.supervision.policy import Criticality, ScopePolicy, Strategy, nanos

_RANKS = list(Criticality)


class Scope:
    """Keep nodes in the order of their start; a root (no parent) escalates to the supervisor's port."""

    kind = "scope"

    def __init__(self, keep: Keeper, name: str, owner: str, policy: ScopePolicy, parent: Parent | None) -> None:
        self._keep, self._parent, self._policy = keep, parent, policy
        self.name, self.owner = name, owner
        self.restarts = 0
        self._children: dict[Node, None] = {}
        self._budget = RestartBudget(policy.budget_restarts, policy.budget_window_s)
        self._streak = 0
        self._restarted_at = keep.clock.monotonic()
        self._timer: asyncio.Handle | None = None
        self._regrouping: Sequence[Node] | None = None
        self._waiting: list[tuple[Node, int, Event]] = []
        self._generation = 0
        self._halting = False
        self.over = False

    @property
    def criticality(self) -> Criticality:
        """The worst of the children's; a scope without children is optional."""
        ranks = (_RANKS.index(child.criticality) for child in self._children)
        return _RANKS[max(ranks, default=0)]

    @property
    def alive(self) -> bool:
        """Whether any child runs or will run."""
        return self._regrouping is not None or any(child.alive for child in self._children)

    @property
    def children(self) -> tuple[Node, ...]:
        """The children in the order of their start."""
        return tuple(self._children)

    def leaves(self) -> list[Node]:
        """Return the tasks of this scope and of those below, in the order of their start."""
        found: list[Node] = []
        for child in self._children:
            found += child.leaves() if isinstance(child, Scope) else [child]
        return found

    def adopt(self, child: Node) -> None:
        """Add a child after the others."""
        self._children[child] = None

    def drop(self, child: Node) -> None:
        """Forget a child that is over for good."""
        self._children.pop(child, None)

    def begin(self, cause: Event | None = None, delay_ns: int = 0) -> None:
        """Start every child in order."""
        self._halting = False
        for child in tuple(self._children):
            child.begin(cause, delay_ns)

    def begin_after(self, delay_ns: int, cause: Event) -> None:
        """Start every child in order when the back-off is over."""
        self._timer = self._keep.loop.call_later(delay_ns / NANOS_PER_SECOND, self.begin, cause, delay_ns)

    def revive(self) -> None:
        """Give the scope and its children new windows, as the scope above starts again."""
        self._streak = 0
        self._budget.clear()
        for child in self._children:
            child.revive()

    def conclude(self) -> None:
        """End every child for good, in reverse, and leave the scope above."""
        self.over = True
        for child in reversed(tuple(self._children)):
            child.conclude()
        if self._parent is not None:
            self._parent.drop(self)

    def halt(self, then: Then) -> None:
        """Stop the children one after another in reverse, then call `then`."""
        self.freeze()
        self._halting = True
        self._halt_in_turn([child for child in reversed(tuple(self._children)) if child.alive], then, self._generation)

    def freeze(self) -> None:
        """Drop every restart that is under way or waits."""
        self._generation += 1
        self._regrouping = None
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def restart(self, child: Node, delay_ns: int, cause: Event) -> None:
        """Start a failed child again after its back-off, with the siblings that the strategy names."""
        if self._halting:
            child.halt(_nothing)  # it failed before its turn to be stopped: it starts with the scope, or not at all
        elif self._policy.strategy is Strategy.ONE_FOR_ONE:
            child.begin_after(delay_ns, cause)
        elif self._regrouping is not None:
            self._waiting.append((child, delay_ns, cause))
        else:
            self._regroup(self._group_of(child), delay_ns, cause)

    def gave_up(self, child: Node, reason: str, cause: Event) -> None:
        """Answer a child that may not restart: start the whole scope again, or ask the scope above."""
        if self._parent is None:
            self._keep.escalate(child, reason, cause)
            child.conclude()
            return
        if self._halting:
            return
        now = self._keep.clock.monotonic()
        halted = self._regrouping or ()
        self.freeze()
        members = [one for one in self._children if one.alive or one is child or one in halted]
        if self._budget.grant(now):
            healthy = now - self._restarted_at >= nanos(self._policy.healthy_run_s)
            self._streak = 1 if healthy else self._streak + 1
            self._restarted_at = now
            self.restarts += 1
            wait = delay_s(
                self._streak, base_s=self._policy.backoff_base_s, cap_s=self._policy.backoff_cap_s,
                random=self._keep.random,
            )  # fmt: skip
            child.revive()
            self._regroup(members, nanos(wait), cause)
            return
        parent, self._halting = self._parent, True
        above = f"{reason}; scope {self.name}: {self._policy.budget_restarts} restarts used up"
        others = [one for one in reversed(members) if one is not child]
        self._halt_in_turn(others, lambda: parent.gave_up(self, above, cause), self._generation)

    def _group_of(self, child: Node) -> list[Node]:
        children = list(self._children)
        first = children.index(child) if self._policy.strategy is Strategy.REST_FOR_ONE else 0
        return [one for one in children[first:] if one.alive or one is child]

    def _regroup(self, group: Sequence[Node], delay_ns: int, cause: Event) -> None:
        self._regrouping = group
        generation = self._generation

        def start_later() -> None:
            self._timer = self._keep.loop.call_later(
                delay_ns / NANOS_PER_SECOND, self._start_group, delay_ns, cause, generation
            )

        self._halt_in_turn(list(reversed(group)), start_later, generation)

    def _start_group(self, delay_ns: int, cause: Event, generation: int) -> None:
        group = self._regrouping
        if generation != self._generation or group is None:
            return
        self._regrouping = None
        for child in group:
            if child in self._children:
                child.begin(cause, delay_ns)
        waiting, self._waiting = self._waiting, []
        for child, delay, why in waiting:
            if child not in group:
                self.restart(child, delay, why)

    def _halt_in_turn(self, nodes: Iterable[Node], then: Then, generation: int) -> None:
        left = iter(nodes)

        def step() -> None:
            if generation != self._generation:
                return
            child = next(left, None)
            if child is None:
                then()
            else:
                child.halt(step)

        step()


def _nothing() -> None:
    """Wait for nothing."""
