"""A strategy that raises abstains; one that raises three times in a row is suspended until a person enables it.

What raises in risk, compliance, execution or the ledger is none of this: it stops the desk (APP-15, RK-54).
"""

from collections.abc import Callable, Iterable

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import Abstain, GuardLevel, GuardReason
from tradeworthy.trading.view import Seat

FAILED = Abstain("failed", withdraw=True)
FAILURES_MAX = 3
"""Evaluations in a row that raised; with the third the strategy is suspended."""
OWNER, CODE = "strategy", "failing"


@fact("strategy.failed")
class StrategyFailed(Fact, frozen=True):
    """A strategy raised while it was asked: which, what it said, and how often in a row."""

    instance: str
    error: str
    text: str
    in_a_row: int


class Faulting:
    """Count what strategies raise.

    facts  where the step collects what it found;  apply  brings reasons to the guard
    """

    __slots__ = ("_apply", "_facts", "_in_a_row")

    def __init__(self, facts: list[Fact], apply: Callable[[Iterable[GuardReason]], None]) -> None:
        self._facts, self._apply = facts, apply
        self._in_a_row: dict[str, int] = {}

    def failed(self, seat: Seat, problem: Exception) -> Abstain:
        """Tell a failure, suspend at the third in a row, and return the abstention that stands for the answer."""
        count = self._in_a_row.get(seat.instance, 0) + 1
        self._in_a_row[seat.instance] = count
        self._facts.append(StrategyFailed(seat.instance, type(problem).__name__, str(problem), count))
        if count >= FAILURES_MAX:
            evidence = f"{count} failures in a row, the last {type(problem).__name__}: {problem}"
            scope = f"strategy:{seat.instance}"
            self._apply((GuardReason(OWNER, CODE, GuardLevel.PAUSED, scope, evidence=evidence),))
        return FAILED

    def suspended(self, instance: str) -> bool:
        """Tell whether a strategy is asked no more in this run."""
        return self._in_a_row.get(instance, 0) >= FAILURES_MAX

    def answered(self, instance: str) -> None:
        """Begin to count anew: the strategy answered."""
        if self._in_a_row:
            self._in_a_row.pop(instance, None)
