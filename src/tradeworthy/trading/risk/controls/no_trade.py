"""RK-42: declared windows, auctions and last minutes in which nothing is opened."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class NoTrade(Control):
    """Refuse openings in a declared window of the UTC day."""

    __slots__ = ("_windows",)
    code = "risk.no_trade"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        names = [one.instrument_id for one in instruments]
        every = {name: [w for w in policy.no_trade if not w.instruments or name in w.instruments] for name in names}
        self._windows = {name: tuple(windows) for name, windows in every.items() if windows}

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look for a window that holds now."""
        windows = self._windows.get(intent.instrument)
        if windows is None or not ctx.opening:
            return None
        for window in windows:
            if window.holds(ctx.now):
                limit = f"outside {window.start} to {window.end} s of the day"
                return Violation(self.code, f"{ctx.now} in {window.name}", limit)
        return None
