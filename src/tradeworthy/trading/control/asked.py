"""What stands beside the desk asks of the guard: supervision, watchdog, clock, bus. An input, so replays have it."""

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import GuardLevel, GuardReason


@fact("guard.asked")
class GuardAsked(Fact, frozen=True):
    """Set (or clear, `active` False) the reason `owner.code`, as `GuardReason` states it; only its owner may ask."""

    owner: str
    code: str
    level: GuardLevel
    scope: str = "desk"
    active: bool = True
    expires_at: int | None = None
    evidence: str = ""

    def guard_reason(self) -> GuardReason:
        """Return what is asked."""
        return GuardReason(
            self.owner, self.code, self.level, self.scope, self.active, self.expires_at, self.evidence
        )
