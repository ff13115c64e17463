"""CO-01: the restricted list, by instrument and issuer alias."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class RestrictedSymbol(Control):
    """Refuse openings in a restricted name, and every order in a `no_trade` name; an expired list is unknown."""

    __slots__ = ("_expires_at", "_no_trade", "_version")
    code = "compliance.restricted_symbol"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        restricted = policy.restricted
        self._version = restricted.version
        self._expires_at = restricted.expires_at
        self._no_trade: dict[str, bool] = {}
        for instrument in instruments:
            names = {n.casefold() for n in (instrument.instrument_id, instrument.symbol, instrument.base)}
            for entry in restricted.entries:
                if names & {n.casefold() for n in (entry.name, *entry.aliases)}:
                    worse = entry.no_trade or self._no_trade.get(instrument.instrument_id, False)
                    self._no_trade[instrument.instrument_id] = worse

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look the instrument up; the list's version is part of the refusal."""
        if self._expires_at is not None and ctx.now >= self._expires_at and ctx.opening:
            return self.unknown(f"list {self._version} expired at {self._expires_at}")
        no_trade = self._no_trade.get(intent.instrument)
        if no_trade is None or not (no_trade or ctx.opening):
            return None
        return Violation(self.code, intent.instrument, f"{'no_trade' if no_trade else 'reduce_only'}, {self._version}")
