"""Fold a desk's journal into facts, event by event: streams, review, orders, books, strategies, profit; bounded."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from statistics import mean, pstdev
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.operations.assessments.collectors.freshness import Sessions, interval_of, sessions_of, silence_ns
from tradeworthy.operations.assessments.collectors.second_look import SecondLook
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.windows import MINUTE_NS, MinuteCounts
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.trading.ledger.day import DayLine, EquitySampled
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot, judge_snapshot
from tradeworthy.trading.minute import DeskMinute
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.model.instrument import NANOS
from tradeworthy.trading.model.order import (
    TERMINAL,
    ApprovedIntent,
    CancelOrder,
    FillBooked,
    OrderChanged,
    OrderState,
    Refused,
    SubmitOrder,
)
from tradeworthy.trading.model.run import DeskFailed
from tradeworthy.trading.model.state import GuardChanged
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.timing import STEP, DeskTiming

DECISIONS_KEPT = 100
ORDERS_KEPT = 20_000
LATENCIES_KEPT = 10_000
BAND_HOURS, BAND_HOURS_MIN, BAND_REVIEWS_MIN, BAND_SIGMAS = 24, 3, 20, 3.0
DAYS_KEPT = 366
STREAM_MINUTES = 20
HOUR_NS = 3_600 * NANOS_PER_SECOND
DESK, LEDGER = "desk", "ledger"
GOVERNORS = frozenset({"operator", "risk", "compliance"})
"""Owners of the guard's reasons by which the policy, or a person, steps in."""
NEVER_FOR_REDUCING = frozenset({
    "risk.max_position", "risk.max_positions", "risk.net_exposure", "risk.gross_leverage", "risk.sector",
    "risk.currency_factor", "risk.capital_gate", "risk.client_limit", "risk.max_order_value",
    "risk.max_order_quantity", "risk.min_order", "risk.open_risk", "risk.per_trade",
})  # fmt: skip
"""Codes of exposure, drawdown and size: an order that reduces is never refused by them (contract 4)."""
INFLIGHT = frozenset({OrderState.SUBMITTED, OrderState.UNKNOWN})


class DeskFold:
    """Take a desk's events in order; each call of a `..._facts` tells what they came to, whatever their number.

    instruments, policy, capital  of the run's document
    sessions  in which instruments trade; without them every market is always open
    provenances  of each instrument's prices
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], policy: RiskPolicy, capital: Decimal, *, environment: str,
        sessions: Sessions | None = None, provenances: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._instruments, self._policy, self._capital = dict(instruments), policy, capital
        self._second = SecondLook(instruments, policy, capital, provenances)
        self._environment, self._sessions = environment, sessions or sessions_of({})
        self.first_seq = self.last_seq = self.now = 0
        self._streams: dict[str, tuple[str, int, int, MinuteCounts]] = {}
        self._counts = MinuteCounts()
        self._reviewed = self._breached = self._reducing = self._codeless = self._orders = 0
        self._failed = False
        self._hours: deque[tuple[int, list[int]]] = deque(maxlen=BAND_HOURS + 1)
        self._decisions: dict[str, OrderedDict[str, str]] = {}
        self._submitted: OrderedDict[str, tuple[int, str, str]] = OrderedDict()
        self._inflight: dict[str, int] = {}
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self._latencies: deque[tuple[int, int]] = deque(maxlen=LATENCIES_KEPT)
        self._books: dict[str, AccountingSnapshot] = {}
        self._known_books: dict[str, AccountingSnapshot] = {}
        self._residuals: dict[str, Decimal] = {}
        self._snapshots: dict[str, int] = {}
        self._minutes: dict[str, DeskMinute] = {}
        self._days: dict[str, DayLine] = {}
        self._equity: tuple[int, int, int] | None = None
        self._closes: OrderedDict[int, int] = OrderedDict()
        self._notional, self._fills = Decimal(0), 0
        self._timing: DeskTiming | None = None
        self._ledger_reasons: dict[tuple[str, str], None] = {}
        self._takes: dict[type[Fact], Callable[[Any, Event], None]] = {
            ApprovedIntent: self._approved, Refused: self._refused, SubmitOrder: self._submit,
            CancelOrder: self._cancel, OrderChanged: self._changed, FillBooked: self._fill,
            AccountingSnapshot: self._snapshot, EquitySampled: self._sampled, GuardChanged: self._guard,
        }  # fmt: skip

    def fold(self, events: Iterable[Event]) -> "DeskFold":
        """Take all of them and return itself."""
        for event in events:
            self.on_event(event, event.seq)
        return self

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event, which the journal has at `seq`; the cost does not depend on how many came before."""
        self.first_seq = self.first_seq or seq
        self.last_seq = seq
        self.now = max(self.now, event.ts_init)
        payload = event.payload
        if self._second.take(event):
            self._breach(event.ts_init)
        if (take := self._takes.get(payload.__class__)) is not None:
            take(payload, event)
        elif event.kind.startswith("market."):
            self._market(event)
        elif isinstance(payload, DeskMinute):
            self._minutes[payload.instance] = payload
        elif isinstance(payload, DayLine):
            self._days[payload.instance] = payload
        elif isinstance(payload, DeskTiming):
            self._timing = payload
        elif isinstance(payload, DeskFailed):
            self._failed = True

    def teller(self, at: int | None = None, provenance: Provenance = Provenance.MEASURED) -> Teller:
        """Return what tells this journal's facts, stamped with its last arrival."""
        return Teller(
            "journal", self.now if at is None else at, environment=self._environment, provenance=provenance,
            evidence=(f"seq:{self.first_seq}-{self.last_seq}",),
        )  # fmt: skip

    def market_data_facts(self) -> list[Observation]:
        """Return the facts of `market_data_freshness`, by source; what is not silent for long counts as one event."""
        tell, found = self.teller(), []
        for name, (instrument, last, interval, counts) in self._streams.items():
            silent = silence_ns(self._sessions, instrument, self.now, last=last, interval_ns=interval)
            spoke = silent is not None and silent < STREAM_MINUTES * MINUTE_NS
            heard = min(self.now, last + interval) if silent is None else self.now - silent
            found += [
                tell("last_event", heard, name),
                tell("recent_events", counts.total("event", self.now) or int(spoke), name),
                tell("in_session", silent is not None, name),
            ]  # fmt: skip
        return found

    def risk_policy_facts(self) -> list[Observation]:
        """Return the facts of `risk_policy`; the band is the mean of past hours with three deviations to each side."""
        tell = self.teller()
        *past, newest = self._hours or [(0, [0, 0])]
        rates = [approved / count for _, (approved, count) in past if count >= BAND_REVIEWS_MIN]
        band = None
        if len(rates) >= BAND_HOURS_MIN:
            away = BAND_SIGMAS * pstdev(rates)
            band = (mean(rates) - away, mean(rates) + away)
        why = f"{len(rates)} hours with {BAND_REVIEWS_MIN} reviews or more, {BAND_HOURS_MIN} are needed"
        approved, count = newest[1]
        return [
            tell("reviewed", self._reviewed or None, why="nothing was reviewed yet"),
            tell("accepted_in_breach", self._breached),
            tell("reducing_refused", self._reducing), tell("refused_without_code", self._codeless),
            tell("source_alive", not self._failed), tell("recent_reviews", count),
            tell("recent_rate", approved / count if count else None, why="nothing was reviewed"),
            tell("band_low", None if band is None else band[0], why=why),
            tell("band_high", None if band is None else band[1], why=why),
        ]  # fmt: skip

    def enforcement_facts(self) -> list[Observation]:
        """Return the facts of `enforcement_slos` of the last hour."""
        tell, now = self.teller(), self.now
        return [
            tell("reviewed", self._reviewed),
            *(tell(name, self._counts.total(what, now)) for name, what in (
                ("breaches", "breached"), ("warnings", "refused"), ("interventions", "stepped_in"),
            )),
        ]  # fmt: skip

    def risk_posture_facts(self) -> list[Observation]:
        """Return the facts of `risk_posture`: every limit whose use the journal tells."""
        tell, policy, found = self.teller(), self._policy, []

        def limit(name: str, observed: Any, bound: Any, direction: str) -> None:
            found.append(tell("observed", None if observed is None else float(observed), name, why="not known"))
            found.append(tell("bound", float(bound), name))
            found.append(tell("direction", direction, name))

        for instance, row in sorted(self._minutes.items()):
            limit(f"daily_loss:{instance}", row.loss, policy.instance_loss_stop, "budget")
            limit(f"drawdown:{instance}", row.drawdown, policy.drawdown_instance, "budget")
            limit(f"working_orders:{instance}", row.orders_active, policy.working_orders_instance, "cap")
        if self._minutes:
            active = sum(row.orders_active for row in self._minutes.values())
            limit("working_orders:desk", active, policy.working_orders_desk, "cap")
        if (day := self._days.get(DESK)) is not None:
            limit("daily_loss:desk", day.loss, policy.daily_loss_stop, "budget")
            limit("drawdown:desk", day.drawdown_30d, policy.drawdown_stop, "budget")
        return found

    def execution_facts(self, provenance: Provenance) -> list[Observation]:
        """Return the facts of `execution_readiness`, rates over the last hour; without a line nobody knows it is up."""
        tell, now = self.teller(provenance=provenance), self.now
        recent = [took for ts, took in self._latencies if now - ts < HOUR_NS]
        peak = max(recent) / NANOS_PER_MILLI if recent else None
        average = sum(recent) / len(recent) / NANOS_PER_MILLI if recent else None
        told = {name: self._counts.total(name, now) for name in ("ended", "filled", "submitted", "rejected")}
        return [
            tell("orders", self._orders), *(tell(name, count) for name, count in told.items()),
            tell("pending", len(self._inflight)),
            tell("latency_average", average, why="no acknowledgement within the hour"),
            tell("latency_peak", peak, why="no acknowledgement within the hour"),
            tell("connected", True if recent else None, why="no answer of the venue within the hour"),
        ]  # fmt: skip

    def accounting_facts(self) -> list[Observation]:
        """Return the facts of `accounting_integrity` by instance, each instrument's books apart."""
        tell, found = self.teller(), []
        for name, row in sorted(self._books.items()):
            lacking = judge_snapshot({field: getattr(row, field) for field in row.__struct_fields__})
            rebate = self._instruments[row.instrument].fees.maker < 0
            found += [
                tell("fields_missing", sum(one.code.endswith("field_missing") for one in lacking), name),
                tell("books_accepted", None if self._failed else not self._ledger_reasons, name, why="the desk failed"),
                tell("residual", str(self._residuals[name]) if name in self._residuals else None, name,
                     why="fewer than two books of one day with a price"),
                tell("equity", None if row.equity is None else float(row.equity), name, why="no price"),
                tell("fees_negative_without_rebate", row.fees_today < 0 and not rebate, name),
                tell("last_snapshot", row.ts, name), tell("snapshots", self._snapshots[name], name),
            ]  # fmt: skip
        return found

    def strategy_facts(self, provenance: Provenance) -> list[Observation]:
        """Return the facts of `strategy_performance`: the last 100 decisions of each strategy."""
        tell, found = self.teller(provenance=provenance), []
        for name, decisions in sorted(self._decisions.items()):
            states = list(decisions.values())
            found += [
                tell("decisions", len(states), name), tell("executed", states.count("executed"), name),
                tell("failed", states.count("failed"), name),
            ]  # fmt: skip
        return found

    def roi_facts(self, provenance: Provenance) -> list[Observation]:
        """Return the facts of `roi`: profit since the first equity that was told."""
        tell = self.teller(provenance=provenance)
        why = "no equity of the desk was told"
        profit = days = deviation = None
        if self._equity is not None:
            ts, first, last = self._equity
            profit, days = (last - first) / NANOS, (self.now - ts) / NANOS_PER_DAY
            closes = list(self._closes.values())
            changes = [after / before - 1 for before, after in pairwise(closes) if before]
            deviation = pstdev(changes) if len(changes) >= 2 else None
        return [
            tell("gross_profit", profit, why=why), tell("capital", float(self._capital)),
            tell("notional", float(self._notional)), tell("trades", self._fills), tell("days", days, why=why),
            tell("daily_sd", deviation, why="fewer than three days"),
        ]  # fmt: skip

    def latency_facts(self, machine: str, baseline: tuple[str, float, float] | None) -> list[Observation]:
        """Return the facts of `decision_latency`: the last period's steps, and a baseline (machine, p50, p99 in ms)."""
        tell = self.teller()
        stage = None if self._timing is None else next((s for s in self._timing.stages if s.stage == STEP), None)
        why = "no step was timed"
        name, p50, p99 = baseline or (None, None, None)

        def millis(nanos: int | None) -> float | None:
            return None if nanos is None else nanos / NANOS_PER_MILLI

        return [
            tell("samples", None if stage is None else stage.samples, why=why), tell("machine", machine),
            tell("p50", None if stage is None else millis(stage.p50_ns), why=why),
            tell("p99", None if stage is None else millis(stage.p99_ns or stage.max_ns), why=why),
            tell("max", None if stage is None else millis(stage.max_ns), why=why),
            tell("baseline_machine", name, why="no baseline was approved"),
            tell("baseline_p50", p50, why="no baseline was approved"),
            tell("baseline_p99", p99, why="no baseline was approved"),
        ]  # fmt: skip

    def _market(self, event: Event) -> None:
        instrument = getattr(event.payload, "instrument", "")
        known = self._streams.get(event.source)
        counts = MinuteCounts(STREAM_MINUTES) if known is None else known[3]
        counts.add("event", event.ts_init)
        self._streams[event.source] = instrument, event.ts_init, interval_of(event.payload), counts

    def _approved(self, approved: ApprovedIntent, event: Event) -> None:
        intent = approved.intent
        self._review(True, event.ts_init)
        instrument = self._instruments.get(intent.instrument)
        if instrument is not None and intent.price is not None and not instrument.inverse and not intent.reduce_only:
            value = instrument.notional(intent.price, approved.opening_lots)
            if value > self._policy.max_order_value:
                self._breach(event.ts_init)
        self._decide(intent.instance, intent.intent_id, "open")

    def _refused(self, refused: Refused, event: Event) -> None:
        self._review(False, event.ts_init)
        codes = [one.code for one in refused.violations]
        self._codeless += not codes or not all(codes)
        self._counts.add("refused", event.ts_init)
        self._reducing += refused.intent.reduce_only and bool(NEVER_FOR_REDUCING.intersection(codes))
        self._decide(refused.intent.instance, refused.intent.intent_id, "failed")

    def _breach(self, ts: int) -> None:
        self._breached += 1
        self._counts.add("breached", ts)

    def _review(self, approved: bool, ts: int) -> None:
        self._reviewed += 1
        hour = ts // HOUR_NS
        if not self._hours or hour > self._hours[-1][0]:
            self._hours.append((hour, [0, 0]))
        self._hours[-1][1][0] += approved
        self._hours[-1][1][1] += 1

    def _decide(self, instance: str, intent: str, state: str) -> None:
        kept = self._decisions.setdefault(instance, OrderedDict())
        kept[intent] = state
        if len(kept) > DECISIONS_KEPT:
            kept.popitem(last=False)

    def _submit(self, order: SubmitOrder, event: Event) -> None:
        self._orders += 1
        self._counts.add("submitted", event.ts_init)
        self._submitted[order.client_order_id] = event.ts_init, order.instance, order.intent_id
        if len(self._submitted) > ORDERS_KEPT:
            self._submitted.popitem(last=False)

    def _cancel(self, cancel: CancelOrder, event: Event) -> None:
        del event
        self._cancelled[cancel.client_order_id] = None
        if len(self._cancelled) > ORDERS_KEPT:
            self._cancelled.popitem(last=False)

    def _changed(self, changed: OrderChanged, event: Event) -> None:
        name, after, ts = changed.client_order_id, changed.after, event.ts_init
        if after in INFLIGHT:
            self._inflight[name] = ts
        elif name in self._inflight:
            self._latencies.append((ts, ts - self._inflight.pop(name)))
        sent = self._submitted.get(name)
        if sent is not None and after not in INFLIGHT and after is not OrderState.CREATED:
            kept = self._decisions.get(sent[1])
            if kept is not None and sent[2] in kept and kept[sent[2]] == "open":
                kept[sent[2]] = "failed" if after is OrderState.REJECTED else "executed"
        if after in TERMINAL:
            wished = name in self._cancelled and after is not OrderState.FILLED
            self._cancelled.pop(name, None)
            self._submitted.pop(name, None)
            self._counts.add("rejected", ts, by=after is OrderState.REJECTED)
            if not wished:  # what the desk itself takes off says nothing of the venue
                self._counts.add("ended", ts)
                self._counts.add("filled", ts, by=after is OrderState.FILLED or changed.cum_lots > 0)

    def _fill(self, fill: FillBooked, event: Event) -> None:
        del event
        self._fills += 1
        instrument = self._instruments.get(fill.instrument)
        if instrument is not None:
            self._notional += abs(instrument.notional(fill.price, fill.lots))

    def _snapshot(self, row: AccountingSnapshot, event: Event) -> None:
        del event
        name = f"{row.instance}:{row.instrument}"
        self._books[name] = row
        self._snapshots[name] = self._snapshots.get(name, 0) + 1
        if row.equity is None or row.unrealized is None:
            return
        before = self._known_books.get(name)
        self._known_books[name] = row
        if before is not None and before.ts // NANOS_PER_DAY == row.ts // NANOS_PER_DAY:
            assert before.equity is not None
            assert before.unrealized is not None
            sources = row.realized - before.realized + row.unrealized - before.unrealized
            sources += row.funding_today - before.funding_today - (row.fees_today - before.fees_today)
            residual = abs(row.equity - before.equity - sources)
            self._residuals[name] = max(residual, self._residuals.get(name, residual))
        else:
            self._residuals.pop(name, None)

    def _guard(self, changed: GuardChanged, event: Event) -> None:
        """Keep the reasons of owner `ledger`, held while its books cannot be trusted; count who stepped in."""
        owner = changed.reason.partition(".")[0]
        self._counts.add("stepped_in", event.ts_init, by=changed.set and owner in GOVERNORS)
        if owner == LEDGER:
            key = changed.reason, changed.scope
            if changed.set:
                self._ledger_reasons[key] = None
            else:
                self._ledger_reasons.pop(key, None)

    def _sampled(self, sample: EquitySampled, event: Event) -> None:
        if sample.instance != DESK or sample.equity is None:
            return
        ts, first, _ = self._equity or (event.ts_init, sample.equity, 0)
        self._equity = ts, first, sample.equity
        self._closes[event.ts_init // NANOS_PER_DAY] = sample.equity
        if len(self._closes) > DAYS_KEPT:
            self._closes.popitem(last=False)
