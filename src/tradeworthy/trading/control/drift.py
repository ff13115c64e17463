"""What the check of the configuration against the approved one tells the desk (CA-04)."""

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import GuardLevel, GuardReason

REASONS = ("config.drift", "catalogue.unapproved", "catalogue.evidence")


@fact("config.drift")
class ConfigDrift(Fact, frozen=True):
    """One instance's configuration is (`active`) or is no longer what was not approved.

    reason  one of `REASONS`;  expected, observed  hashes or names
    """

    instance: str
    reason: str
    expected: str
    observed: str
    active: bool

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise InvalidInput(f"reason must be one of {REASONS}, was {self.reason!r}")

    def guard_reason(self) -> GuardReason:
        """Return the pause that it sets or clears."""
        owner, _, code = self.reason.partition(".")
        evidence = f"expected {self.expected}, found {self.observed}"
        return GuardReason(
            owner, code, GuardLevel.PAUSED, f"strategy:{self.instance}", active=self.active, evidence=evidence
        )
