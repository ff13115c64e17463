"""RK-16: an opening rests on prices of the kind that the policy asks for, never on quarantined ones."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy

GRADES = {"simulated": 0, "attested": 1, "measured": 2}


class Provenance(Control):
    """Refuse openings whose input is quarantined, below the wanted grade, or of unknown origin where one is wanted."""

    __slots__ = ("_least", "_name")
    code = "risk.provenance"

    def __init__(self, policy: RiskPolicy) -> None:
        self._name = policy.min_provenance
        self._least = -1 if policy.min_provenance is None else GRADES[policy.min_provenance]

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the grade of the instrument's prices with the floor."""
        book = ctx.book
        if not ctx.opening or (self._least < 0 and not book.quarantined):
            return None
        if book.quarantined:
            return Violation(self.code, "input_quarantined", "an input in use")
        if book.provenance is None:
            return self.unknown("no provenance was told")
        if GRADES[book.provenance] >= self._least:
            return None
        return Violation(self.code, book.provenance, f"{self._name} or better")
