"""EMA trend (ST-02): enter on the cross of two EMAs of closed bars, leave on the opposite cross, stop or age."""

from typing import Literal

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.model import (
    NANOS,
    Abstain,
    Bar,
    Decision,
    Instrument,
    PositionTarget,
    Quote,
    Targets,
    View,
)
from tradeworthy.trading.sensing.indicators import Atr, Ema, GapWatch
from tradeworthy.trading.strategies.abstentions import BELOW_THRESHOLD, GUARD, REGIME, UNCHANGED, WARMING
from tradeworthy.trading.strategies.directional import Bracket, BracketPolicy


class EmaTrendPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the trend is followed.

    fast, slow, atr     periods in bars of `bar_interval_ns`
    exit                `bracket`: stop, age and opposite cross;  `flip`: always in, fixed lots, no stop
    lots                size of the flip mode
    shorts              whether a cross down opens a short or only closes the long
    shock_band          ATR over close without entries: 0.0080 of a minute times the root of 60, for hours
    """

    fast: int = 20
    slow: int = 50
    atr: int = 14
    bar_interval_ns: int = 3600 * NANOS
    exit: Literal["bracket", "flip"] = "bracket"
    lots: int = 1
    shorts: bool = True
    shock_band: float = 0.0620
    bracket: BracketPolicy = BracketPolicy()


class EmaTrend:
    """Follow the cross. Stop and age are judged on every quote and bar, the cross on closed bars only."""

    __slots__ = (
        "_atr", "_bracket", "_cross", "_down", "_ema_fast", "_ema_slow", "_flip", "_gap",
        "_interval", "_policy", "_side", "_sign", "_up", "decides_on", "instance", "instrument_id", "observes",
    )

    def __init__(self, instance: str, instrument: Instrument, policy: EmaTrendPolicy) -> None:
        if not 0 < policy.fast < policy.slow:
            raise ValueError(f"fast must be above zero and below slow, was {policy.fast} and {policy.slow}")
        self.instance = instance
        self.instrument_id = instrument.instrument_id
        self._policy = policy
        self._flip = policy.exit == "flip"
        self.observes: tuple[type[Fact] | str, ...] = (Bar,)
        self.decides_on: tuple[type[Fact] | str, ...] = (Bar,) if self._flip else (Bar, Quote)
        self._interval = policy.bar_interval_ns
        self._ema_fast, self._ema_slow, self._atr = Ema(policy.fast), Ema(policy.slow), Atr(policy.atr)
        self._gap = GapWatch()
        self._bracket = Bracket(instrument, policy.bracket)
        self._sign = 0  # of fast - slow at the last real bar
        self._cross = 0  # set by the bar that crossed
        self._side = 0  # wanted side of the flip mode
        self._up = Targets(positions=(PositionTarget(self.instrument_id, policy.lots, "cross_up"),))
        down = -policy.lots if policy.shorts else 0
        self._down = Targets(positions=(PositionTarget(self.instrument_id, down, "cross_down"),))

    def observe(self, view: View) -> None:
        """Fold one closed bar; filled bars move nothing."""
        bar = view.fact
        self._cross = 0
        if bar.interval_ns != self._interval:
            return
        if bar.filled:
            if self._gap.filled():
                self._ema_fast.interrupt()
                self._ema_slow.interrupt()
                self._atr.interrupt()
                self._sign = 0
            return
        self._gap.real()
        close = bar.close
        fast, slow = self._ema_fast, self._ema_slow
        fast.update(close)
        slow.update(close)
        if not self._flip:
            self._atr.update(bar.high, bar.low, close)
        if slow.ready:
            gap = fast.value - slow.value
            if gap != 0.0:
                sign = 1 if gap > 0.0 else -1
                if sign != self._sign:
                    self._cross = sign if self._sign else 0
                    self._sign = sign

    def decide(self, view: View) -> Decision:
        """Return the target after a cross, a stop or the age; else why there is none."""
        if self._flip:
            sign = self._sign
            if sign == self._side:
                return UNCHANGED if sign else WARMING
            if sign == 0:
                return WARMING
            if view.guard != 0:
                return GUARD
            self._side = sign
            return self._up if sign > 0 else self._down
        return self._decide_bracket(view)

    def _decide_bracket(self, view: View) -> Decision:
        on_bar = type(view.fact) is Bar
        cross = self._cross if on_bar else 0
        position = view.position
        distance = self._atr.value * self._policy.bracket.stop_atr
        if position and cross * position >= 0:
            return self._bracket.exit(view, position, distance) or UNCHANGED
        if not (self._ema_slow.ready and self._atr.ready):
            return self._bracket.flat("cross") if position and cross else WARMING
        if cross == 0:
            return BELOW_THRESHOLD
        opening = self._open(view, cross, distance)
        if position and isinstance(opening, Abstain):
            return self._bracket.flat("cross")  # the old side is left even when the new one is not taken
        return opening

    def _open(self, view: View, cross: int, distance: float) -> Decision:
        if cross < 0 and not self._policy.shorts:
            return BELOW_THRESHOLD
        if self._atr.value >= self._policy.shock_band * view.fact.close:
            return REGIME
        return self._bracket.open(view, cross, distance, "cross_up" if cross > 0 else "cross_down")
