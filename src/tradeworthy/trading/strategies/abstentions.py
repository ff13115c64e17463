"""The reasons not to act (ST-05), made once."""

from tradeworthy.trading.model import Abstain

WARMING = Abstain("warming")
REGIME = Abstain("regime")
BELOW_THRESHOLD = Abstain("below_threshold")
INPUT_QUARANTINED = Abstain("input_quarantined")
BUDGET_ZERO = Abstain("budget_zero")
GUARD = Abstain("guard")
MARKET_UNUSABLE = Abstain("market_unusable")
UNCHANGED = Abstain("unchanged")


def withdrawing(abstain: Abstain) -> Abstain:
    """Return the same code, with working quotes taken off the market."""
    return Abstain(abstain.code, withdraw=True)
