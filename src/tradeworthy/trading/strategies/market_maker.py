"""Market maker (section 11 of the desk page): the formulas of `market_maker_formulas`, wired to events."""

from collections.abc import Iterable

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.model import (
    NANOS,
    Abstain,
    Bar,
    Decision,
    FillBooked,
    Funding,
    GuardLevel,
    Instrument,
    InstrumentKind,
    PositionTarget,
    QuoteTarget,
    Refresh,
    Side,
    Targets,
    Timer,
    Trade,
    View,
)
from tradeworthy.trading.sensing.indicators import Atr, Ema, Ewma, GapWatch
from tradeworthy.trading.sensing.regime import DriftWindow, Regime, RegimeHold, raw_regime
from tradeworthy.trading.strategies.abstentions import (
    BELOW_THRESHOLD,
    BUDGET_ZERO,
    GUARD,
    INPUT_QUARANTINED,
    MARKET_UNUSABLE,
    REGIME,
    WARMING,
    withdrawing,
)
from tradeworthy.trading.strategies.market_maker_formulas.assessment import Assessment, Known, assess
from tradeworthy.trading.strategies.market_maker_formulas.edge import funding_cost
from tradeworthy.trading.strategies.market_maker_formulas.edge_gate import EdgeGate, Gate
from tradeworthy.trading.strategies.market_maker_formulas.evidence import FillStatistics, Markouts, OwnFill
from tradeworthy.trading.strategies.market_maker_formulas.exits import Exits
from tradeworthy.trading.strategies.market_maker_formulas.guard_inputs import MakerGuard
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy
from tradeworthy.trading.strategies.market_maker_formulas.shadow import ShadowFills, TradeThroughShadow
from tradeworthy.trading.strategies.market_maker_formulas.sizing import least_notional, lots_for, size_orders

DAY_S = 86_400.0
FUNDINGS_A_DAY = 3
_WARMING, _REGIME, _QUARANTINED = withdrawing(WARMING), withdrawing(REGIME), withdrawing(INPUT_QUARANTINED)
_BUDGET, _GUARD, _UNUSABLE = withdrawing(BUDGET_ZERO), withdrawing(GUARD), withdrawing(MARKET_UNUSABLE)
_THRESHOLD = withdrawing(BELOW_THRESHOLD)
_EDGE = Abstain("edge", withdraw=True)
_OBSERVING = Abstain("observe", withdraw=True)
_DISABLED = Abstain("disabled", withdraw=True)
_MINIMUM = Abstain("mm.min_notional_above_cap", withdraw=True)


class MarketMaker:
    """Quote both sides around the mid. `assessment` and `guard` are the last evaluation, for the minute row.

    shadow   port of the shadow fills: the simulated venue's `VenueShadow`; by default a quote fills only when the
             market goes through it
    """

    __slots__ = (
        "_abstain", "_atr", "_budget", "_close", "_drift", "_drift_ewma", "_edge_ewma", "_ema", "_exits",
        "_funding_rate",
        "_funding_s", "_gap", "_hold", "_instrument", "_markouts", "_mid", "_on_bars", "_policy", "_shadow",
        "_shadow_markouts", "_spot", "_statistics", "assessment", "decides_on", "gate", "guard", "instance",
        "instrument_id", "observes",
    )

    def __init__(
        self, instance: str, instrument: Instrument, policy: MarketMakerPolicy, shadow: ShadowFills | None = None,
    ) -> None:
        rows = (policy.neutral, policy.up, policy.down, policy.shock)
        if instrument.perpetual and not policy.one_sided_on_perp and any(row.sides != "both" for row in rows):
            raise ConfigurationRefused(f"{instance}: one-sided perpetual quotes need one_sided_on_perp, was false")
        self.instance = instance
        self.instrument_id = instrument.instrument_id
        self._on_bars = policy.clock == "bars"
        self.observes: tuple[type[Fact] | str, ...] = (Bar, Trade, Funding, FillBooked)
        self.decides_on: tuple[type[Fact] | str, ...] = (Bar,)
        if not self._on_bars:
            self.observes += ("evaluate", "sample")
            self.decides_on = ("evaluate",)
        self._instrument, self._policy = instrument, policy
        self._spot = instrument.kind in (InstrumentKind.SPOT, InstrumentKind.EQUITY)
        self._ema, self._atr, self._gap = Ema(policy.ema), Atr(policy.atr), GapWatch()
        self._hold = RegimeHold(policy.regime.samples)
        self._drift = DriftWindow(policy.drift_age_min_ns, policy.drift_age_max_ns)
        self._drift_ewma = Ewma(policy.drift_ewma)
        self._edge_ewma = Ema(policy.edge_ewma_period)
        self._funding_rate: float | None = None
        self._funding_s = DAY_S / (len(instrument.funding_hours) or FUNDINGS_A_DAY)
        self._close = 0
        self._mid: float | None = None
        self._budget = 0.0
        self._statistics = FillStatistics(policy)
        self._markouts, self._shadow_markouts = Markouts(policy.markout_ns), Markouts(policy.markout_ns)
        self._shadow = TradeThroughShadow() if shadow is None else shadow
        self._exits = None if policy.exits is None else Exits(self.instrument_id, policy.exits)
        self._abstain: Abstain | None = _WARMING
        self.gate = EdgeGate(policy.edge_gate)
        self.guard = MakerGuard(policy, spot=self._spot)
        self.assessment: Assessment | None = None

    @property
    def regime(self) -> Regime:
        """The held regime."""
        return self._hold.regime

    def use_shadow(self, shadow: ShadowFills) -> None:
        """Rest shadow quotes there; to be called before the first event."""
        self._shadow = shadow

    def warm_up(self, bars: Iterable[Bar]) -> None:
        """Fold recorded bars, oldest first, so that a restart need not wait for them (MM-03); nothing is decided."""
        for bar in bars:
            if bar.interval_ns == self._policy.bar_interval_ns:
                self._fold(bar)

    @property
    def edge_ewma(self) -> float | None:
        """The smoothed model edge; None before the first evaluation."""
        return None if self.assessment is None else self._edge_ewma.value

    def observe(self, view: View) -> None:
        """Fold one event; an `evaluate` event (or a bar on the bar clock) also makes the assessment."""
        if self._policy.mode == "disabled":
            return
        fact = view.fact
        if isinstance(fact, Timer):
            if fact.name == "sample":
                self._sample(view)
            elif fact.name == "evaluate":
                self._evaluate(view)
        elif isinstance(fact, Trade):
            self._shadow_filled(view.now, self._shadow.on_print(fact, view.now))
        elif isinstance(fact, Bar):
            self._bar(view, fact)
        elif isinstance(fact, FillBooked):
            self._filled(view, fact)
        elif isinstance(fact, Funding):
            self._funding_rate = None if fact.rate is None else float(fact.rate)

    def decide(self, view: View) -> Decision:
        """Return the whole wish: quotes with their refresh and exits; or why there is none."""
        policy = self._policy
        if policy.mode == "disabled":
            return _DISABLED
        if policy.mode == "observe":
            return _OBSERVING
        positions, exit_quotes = self._exit_targets(view)
        wish = self._wish(view)
        if isinstance(wish, Abstain):
            if positions or exit_quotes:
                return Targets(positions=positions, quotes=exit_quotes)
            return wish
        known = self.assessment.known if self.assessment is not None else None
        refresh = policy.quoting(known.regime if known else self.regime).refresh_s * NANOS
        return Targets(positions=positions, quotes=wish + exit_quotes, refresh=Refresh(interval_ns=refresh))

    def _bar(self, view: View, bar: Bar) -> None:
        if bar.interval_ns != self._policy.bar_interval_ns:
            return
        self._shadow_filled(view.now, self._shadow.on_print(bar, view.now))
        self._fold(bar)
        if self._on_bars and not bar.filled:
            self._sample(view)
            self._evaluate(view)

    def _fold(self, bar: Bar) -> None:
        """Feed the indicators: real bars only; too many filled ones in a row begin the warm-up again."""
        if bar.filled:
            if self._gap.filled():
                self._ema.interrupt()
                self._atr.interrupt()
            return
        self._gap.real()
        self._close = bar.close
        self._ema.update(bar.close)
        self._atr.update(bar.high, bar.low, bar.close)

    def _read_mid(self, view: View) -> float | None:
        mid2 = view.top.mid2
        return mid2 / 2.0 if view.top.usable and mid2 is not None else None

    def _raw(self, now: int, mid: float | None) -> tuple[Regime, float | None, float | None]:
        band = self._atr.value / self._close if self._atr.ready else None
        drift = None if mid is None else self._drift.drift(now, mid)
        ema = self._ema.value if self._ema.ready else None
        return raw_regime(mid, ema, band, drift, self._policy.regime), band, drift

    def _sample(self, view: View) -> None:
        mid = self._read_mid(view)
        self._hold.sample(self._raw(view.now, mid)[0])
        if mid is not None:
            self._drift.sample(view.now, mid)

    def _evaluate(self, view: View) -> None:
        now = view.now
        mid = self._mid = self._read_mid(view)
        if self._exits is not None:
            self._exits.observe(now, view.position)
        if mid is None:
            self.guard.warming()
            self._abstain = _UNUSABLE
            return
        self._judge_fills(view, mid)
        raw, band, drift = self._raw(now, mid)
        regime = self._hold.alarm(raw)
        if regime is Regime.UNKNOWN or band is None or drift is None:
            self.guard.warming()
            self._abstain = _WARMING
            return
        equity, budget = view.equity, view.budget
        if equity is None or budget is None:
            self.guard.warming()
            self._abstain = _QUARANTINED
            return
        if equity <= 0.0 or budget <= 0.0:
            self._abstain = _BUDGET
            return
        self._budget = budget
        known = self._known(view, mid, regime, band, drift, equity)
        self.assessment = assess(known, self._policy)
        self._drift_ewma.update(abs(drift))
        self._edge_ewma.update(self.assessment.edge)
        self.guard.update(
            now, regime, band, known.market_spread, known.share,
            edge=self.gate.mean if self.gate.state is Gate.CLOSED else None,
        )
        self._abstain = self._reason()

    def _reason(self) -> Abstain | None:
        if self.guard.holds("strategy.high_vol"):
            return _REGIME
        return _THRESHOLD if self.guard.holds("strategy.market_spread") else None

    def _known(self, view: View, mid: float, regime: Regime, band: float, drift: float, equity: float) -> Known:
        policy, instrument, top = self._policy, self._instrument, view.top
        row = policy.quoting(regime)
        position = view.position
        value = instrument.notional_nanos(round(mid), position) / NANOS
        share = (value if position >= 0 else -value) / equity
        spread = 0.0 if top.bid is None or top.ask is None else (top.ask - top.bid) / mid
        funding = 0.0
        if instrument.perpetual and position:
            rate, net = self._funding_rate, share
            if rate is None:
                rate, net = policy.funding_assumed, abs(share)
            funding = funding_cost(net, rate, row.refresh_s, self._funding_s, policy)
        mean_drift = self._drift_ewma.value
        return Known(
            mid=mid, market_spread=spread, regime=regime, band=band, drift=drift,
            drift_ewma=abs(drift) if mean_drift is None else mean_drift, turnover=view.traded_today / equity,
            share=share, target=row.target if self._spot else 0.0, maker_fee=float(instrument.fees.maker),
            adverse=self._statistics.adverse, funding=funding, fill_factor=self._statistics.fill_factor,
            min_edge=self._statistics.min_edge,
        )

    def _wish(self, view: View) -> tuple[QuoteTarget, ...] | Abstain:
        assessment = self.assessment
        if self._abstain is not None:
            return self._abstain
        if assessment is None:
            return _WARMING
        closed = self.gate.state is Gate.CLOSED  # shadow quotes go on, or the gate could never open again
        if not closed and view.guard not in (GuardLevel.RUNNING, GuardLevel.REDUCING):
            return _GUARD
        reducing = view.guard is GuardLevel.REDUCING or self.guard.holds("strategy.inventory")
        quotes = self._quotes(view, assessment, reducing=reducing)
        if isinstance(quotes, Abstain):
            return quotes
        if closed:
            self._shadow.quote(quotes, view.now)
            return _EDGE
        self._shadow.quote((), view.now)
        return quotes

    def _quotes(self, view: View, assessment: Assessment, *, reducing: bool) -> tuple[QuoteTarget, ...] | Abstain:
        policy, instrument, known = self._policy, self._instrument, assessment.known
        equity = view.equity
        if equity is None:
            return _QUARANTINED
        row = policy.quoting(known.regime)
        levels = assessment.levels
        minimum = least_notional(instrument, assessment.asks[-1])
        wanted = max(minimum, equity * (row.size_min + row.size_max) / 2.0)
        if self.gate.state is Gate.PROBE:
            levels, wanted = 1, minimum
        sized = size_orders(wanted, levels, minimum, self._budget, policy)
        if sized is None:
            return _MINIMUM
        reason = "sized.capped" if sized.capped else "quote"
        inside = self._inside_floor(view, assessment)
        quotes = []
        for side, prices in ((Side.BUY, assessment.bids), (Side.SELL, assessment.asks)):
            if row.sides == ("sell_only" if side is Side.BUY else "buy_only"):
                continue
            if reducing and (known.target - known.share) * side <= 0.0:
                continue
            room = self._room(view, side, reducing=reducing)
            for level in range(sized.levels):
                lots = lots_for(instrument, prices[level], sized.notional)
                if room is not None:
                    room -= lots
                    if room < 0:
                        break
                if (side, level) not in inside:
                    quotes.append(QuoteTarget(self.instrument_id, side, level, prices[level], lots, reason))
        return tuple(quotes)

    def _room(self, view: View, side: Side, *, reducing: bool) -> int | None:
        """Return the lots this side may hold; None = no bound. Spot never sells more than it has."""
        if side is Side.SELL and self._spot:
            return max(0, view.position)
        return abs(view.position) if reducing and not self._spot else None

    def _inside_floor(self, view: View, assessment: Assessment) -> set[tuple[Side, int]]:
        """Return slots whose working quote the mid has come too close to: left out once, so withdrawn now (MM-08)."""
        mid, least = assessment.known.mid, assessment.side_floor
        low, high = mid * (1.0 - least), mid * (1.0 + least)
        return {
            (order.side, order.level) for order in view.working()
            if order.level >= 0 and order.price is not None
            and (order.price > low if order.side is Side.BUY else order.price < high)
        }

    def _exit_targets(self, view: View) -> tuple[tuple[PositionTarget, ...], tuple[QuoteTarget, ...]]:
        average, top = view.average, view.top
        if self._exits is None or average is None or top.bid is None or top.ask is None:
            return (), ()
        barrier, quote = self._exits.targets(view.now, view.position, average, top.bid, top.ask)
        return (() if barrier is None else (barrier,)), (() if quote is None else (quote,))

    def _filled(self, view: View, fill: FillBooked) -> None:
        if fill.instance != self.instance or fill.instrument != self.instrument_id:
            return
        mid = self._read_mid(view) or self._mid
        if mid is None:
            return
        fees = self._instrument.fees
        fee = float(fees.maker if fill.liquidity.value == "maker" else fees.taker)
        if fill.fee is not None and fill.fee_currency == self._instrument.quote:
            fee = float(fill.fee / self._instrument.notional(fill.price, fill.lots))
        spread = 0.0 if self.assessment is None else self.assessment.spread
        self._markouts.add(OwnFill(view.now, int(fill.side), float(fill.price), mid, fee, spread))

    def _shadow_filled(self, now: int, hits: list[QuoteTarget]) -> None:
        if self._mid is None:
            return
        fee = float(self._instrument.fees.maker)
        for hit in hits:
            self._shadow_markouts.add(OwnFill(now, int(hit.side), float(hit.price), self._mid, fee, 0.0))

    def _judge_fills(self, view: View, mid: float) -> None:
        now, top = view.now, view.top
        if top.bid is not None and top.ask is not None:
            hits = self._shadow.on_touch(top.bid, top.ask, top.bid_lots, top.ask_lots, now)
            self._shadow_filled(now, hits)
        for measured in self._markouts.due(now, mid):
            self._statistics.add(measured)
            self.gate.add(now, measured.net, shadow=False)
        for measured in self._shadow_markouts.due(now, mid):
            self.gate.add(now, measured.net, shadow=True)
        self.gate.judge(now)
