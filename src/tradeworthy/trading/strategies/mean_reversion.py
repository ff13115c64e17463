"""Mean reversion (ST-04): fade an RSI extreme outside the Bollinger band, in a neutral regime only."""

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.model import NANOS, Bar, Decision, Instrument, Quote, View
from tradeworthy.trading.sensing.indicators import Atr, Bollinger, Ema, GapWatch, Rsi
from tradeworthy.trading.sensing.regime import Regime, RegimeHold, RegimePolicy, raw_regime
from tradeworthy.trading.strategies.abstentions import BELOW_THRESHOLD, REGIME, UNCHANGED, WARMING
from tradeworthy.trading.strategies.directional import Bracket, BracketPolicy


class MeanReversionPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an extreme is faded.

    rsi_buy, _sell, _exit   RSI levels;  bollinger_width  in standard deviations
    regime                  hour-bar widths: the minute's 0.0010 and 0.0080 times the root of 60; the drift is
                            that of one bar, so a shock needs a move of the drift bounds within the bar
    """

    bar_interval_ns: int = 3600 * NANOS
    rsi: int = 14
    rsi_buy: float = 30.0
    rsi_sell: float = 70.0
    rsi_exit: float = 50.0
    bollinger: int = 20
    bollinger_width: float = 2.0
    atr: int = 14
    ema: int = 50
    shorts: bool = True
    regime: RegimePolicy = RegimePolicy(trend_width=0.0077, shock_band=0.0620, drift_min=0.0400, drift_max=0.1000)
    bracket: BracketPolicy = BracketPolicy()


class MeanReversion:
    """One position at a time, no pyramiding; the regime is the one held before the extreme."""

    __slots__ = (
        "_atr", "_bollinger", "_bracket", "_close", "_ema", "_fresh", "_gap", "_hold", "_policy", "_rsi",
        "decides_on", "instance", "instrument_id", "observes",
    )

    def __init__(self, instance: str, instrument: Instrument, policy: MeanReversionPolicy) -> None:
        self.instance = instance
        self.instrument_id = instrument.instrument_id
        self.observes: tuple[type[Fact] | str, ...] = (Bar,)
        self.decides_on: tuple[type[Fact] | str, ...] = (Bar, Quote)
        self._policy = policy
        self._rsi, self._atr, self._ema = Rsi(policy.rsi), Atr(policy.atr), Ema(policy.ema)
        self._bollinger = Bollinger(policy.bollinger, policy.bollinger_width)
        self._hold = RegimeHold(policy.regime.samples)
        self._gap = GapWatch()
        self._bracket = Bracket(instrument, policy.bracket)
        self._close = 0
        self._fresh = False

    @property
    def regime(self) -> Regime:
        """The held regime."""
        return self._hold.regime

    def observe(self, view: View) -> None:
        """Fold one closed bar; filled bars move nothing."""
        bar = view.fact
        self._fresh = False
        if bar.interval_ns != self._policy.bar_interval_ns:
            return
        if bar.filled:
            if self._gap.filled():
                for indicator in (self._rsi, self._atr, self._ema, self._bollinger):
                    indicator.interrupt()
            return
        self._fresh = True
        self._gap.real()
        close, before = bar.close, self._close
        self._close = close
        self._rsi.update(close)
        self._atr.update(bar.high, bar.low, close)
        self._ema.update(close)
        self._bollinger.update(close)
        drift = (close - before) / before if before else None
        ema = self._ema.value if self._ema.ready else None
        band = self._atr.value / close if self._atr.ready else None
        self._hold.sample(raw_regime(close, ema, band, drift, self._policy.regime))

    def decide(self, view: View) -> Decision:
        """Return the way in, the way out, or why neither."""
        position = view.position
        on_bar = self._fresh and type(view.fact) is Bar
        distance = self._atr.value * self._policy.bracket.stop_atr
        if position:
            rsi = self._rsi.value
            if on_bar and self._rsi.ready and (rsi - self._policy.rsi_exit) * position >= 0:
                return self._bracket.flat("rsi_exit")
            return self._bracket.exit(view, position, distance) or UNCHANGED
        if not (self._rsi.ready and self._atr.ready and self._bollinger.ready and self._ema.ready):
            return WARMING
        side = self._extreme() if on_bar else 0
        if side == 0:
            return BELOW_THRESHOLD
        if self._hold.regime is not Regime.NEUTRAL:
            return REGIME
        return self._bracket.open(view, side, distance, "oversold" if side > 0 else "overbought")

    def _extreme(self) -> int:
        rsi = self._rsi.value
        if rsi < self._policy.rsi_buy and self._close < self._bollinger.lower:
            return 1
        if self._policy.shorts and rsi > self._policy.rsi_sell and self._close > self._bollinger.upper:
            return -1
        return 0
