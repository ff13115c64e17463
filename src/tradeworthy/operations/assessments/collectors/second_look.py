"""Look a second time at every opening order that left, by the journal alone: was there a limit that it broke? (AS-68)

Nothing of the review is asked: what it knew is worked out anew from what was journaled, so that a control that is
missing or was bent shows. Where the desk knew better, e.g. equity between two samples, the look is lenient; it never
says that an order broke a limit which it kept.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.assessments.collectors.desk_knowledge import DESK, KEPT, KNOWN_NS, DeskKnowledge, keep
from tradeworthy.operations.assessments.collectors.exposure import Exposure, Key
from tradeworthy.trading.model import NANOS, GuardLevel, Instrument, InstrumentKind, OrderType, SubmitOrder
from tradeworthy.trading.model.order import Intent
from tradeworthy.trading.risk.groups import CapitalGroup
from tradeworthy.trading.risk.policy import RiskPolicy

LENIENCE = 1.05
"""By so much an amount may be above its limit: prices and equity were those of a moment before."""
MINUTE_NS = 60 * NANOS_PER_SECOND
GRADES = ("simulated", "attested", "measured")
PLAIN = (OrderType.MARKET, OrderType.LIMIT)


class _Order(NamedTuple):
    """What is judged: an opening, as it was approved and left at `ts`."""

    intent: Intent
    instrument: Instrument
    opening: int
    ts: int
    sent: str


class SecondLook:
    """Take a desk's events in order; `take` answers with the codes of the limits that an order broke as it left.

    instruments, policy, capital  of the run's document;  provenances  of each instrument's prices
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], policy: RiskPolicy, capital: Decimal,
        provenances: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._known = DeskKnowledge(instruments, policy, capital)
        self._provenances = dict(provenances or {})

    def take(self, event: Event) -> tuple[str, ...]:
        """Fold one event; the codes of the limits that it broke, where it sends an opening order."""
        payload = event.payload
        if isinstance(payload, SubmitOrder):
            return self._submit(payload, event.ts_init)
        self._known.take(event)
        return ()

    def _submit(self, order: SubmitOrder, ts: int) -> tuple[str, ...]:
        known = self._known
        approved = known.approved.pop(order.intent_id, None)
        instrument = known.instruments.get(order.instrument)
        found: tuple[str, ...] = ()
        if approved is not None and instrument is not None and approved.opening_lots > 0:
            judged = _Order(approved.intent, instrument, approved.opening_lots, ts, order.client_order_id)
            masked = set(known.glass.values())
            found = tuple(dict.fromkeys(one for one in self._broken(judged) if one not in masked))
            self._remember(judged)
        known.sent_order(order, ts, -1 if approved is None else approved.intent.level)
        return found

    def _remember(self, one: _Order) -> None:
        known, intent = self._known, one.intent
        keep(known.recent, (intent.instance, intent.instrument, intent.side, intent.lots, intent.price), one.ts)
        most = max(known.policy.throttle_quoting, known.policy.throttle_directional)
        known.openings.setdefault(self._throttled(one), deque(maxlen=min(KEPT, most))).append((one.ts, one.sent))
        mid2 = known.mid2.get(intent.instrument)
        if intent.stop is not None and mid2 is not None:
            entry2 = mid2[0] if intent.price is None else 2 * intent.price
            key = intent.instance, intent.instrument
            known.stop2[key] = max(known.stop2.get(key, 0), abs(entry2 - 2 * intent.stop))

    def _broken(self, one: _Order) -> Iterator[str]:
        yield from self._permission(one)
        yield from self._form(one)
        yield from self._frequency(one)
        mid = self._known.mid2.get(one.intent.instrument)
        if mid is not None and not one.instrument.inverse:
            yield from self._money(one, mid[0])

    def _permission(self, one: _Order) -> Iterator[str]:
        intent, policy, ts = one.intent, self._known.policy, one.ts
        name = intent.instrument
        if name in self._known.closed or not one.instrument.valid_at(ts):
            yield "risk.not_tradable"
        groups = [group.scope for group in policy.capital_groups if group.covers(intent.instance)]
        scopes = {DESK, f"strategy:{intent.instance}", f"instrument:{name}", f"venue:{one.instrument.venue}", *groups}
        if any(level > GuardLevel.RUNNING for (_, scope), level in self._known.held.items() if scope in scopes):
            yield "risk.guard"
        if intent.expires_at <= ts:
            yield "risk.approval"
        grade = self._provenances.get(name)
        least = policy.min_provenance
        if least is not None and grade is not None and GRADES.index(grade) < GRADES.index(least):
            yield "risk.provenance"
        if any(at - policy.event_before <= ts <= at + policy.event_after for at in policy.events):
            yield "risk.event_window"
        if any(each.holds(ts) for each in policy.no_trade if not each.instruments or name in each.instruments):
            yield "risk.no_trade"
        names = {each.casefold() for each in (name, one.instrument.symbol, one.instrument.base)}
        listed = ({each.casefold() for each in (entry.name, *entry.aliases)} for entry in policy.restricted.entries)
        if any(names & each for each in listed):
            yield "compliance.restricted_symbol"

    def _form(self, one: _Order) -> Iterator[str]:
        intent, instrument, policy = one.intent, one.instrument, self._known.policy
        if intent.price is not None and intent.price <= 0:
            yield "risk.malformed"
        if instrument.max_order_lots is not None and intent.lots > instrument.max_order_lots:
            yield "risk.max_order_quantity"
        if intent.lots < instrument.min_lots:
            yield "risk.min_order"
        seen = self._known.seen.get(intent.instrument)
        if seen is None or one.ts - seen >= policy.reference_age:
            yield "risk.reference_stale"
        mid = self._known.mid2.get(intent.instrument)
        if mid is None:
            return
        mid2 = mid[0]
        collar = float(policy.collars.of(instrument.kind)) * LENIENCE
        if intent.price is not None and intent.type in PLAIN and abs(2 * intent.price - mid2) > mid2 * collar:
            yield "risk.price_collar"
        if intent.instance in policy.quoting or policy.research:
            return
        entry2 = mid2 if intent.price is None else 2 * intent.price
        away2 = None if intent.stop is None else (entry2 - 2 * intent.stop) * intent.side
        near, far = float(policy.stop_distance_min) / LENIENCE, float(policy.stop_distance_max) * LENIENCE
        if away2 is None or not entry2 * near <= away2 <= entry2 * far:
            yield "risk.stop_required"

    def _frequency(self, one: _Order) -> Iterator[str]:
        intent, policy, ts = one.intent, self._known.policy, one.ts
        key = intent.instance, intent.instrument
        stamps: deque[int] = self._known.messages.get(key, deque())
        limits = (policy.messages_per_second, NANOS_PER_SECOND), (policy.messages_per_minute, MINUTE_NS)
        if any(len(stamps) >= most and ts - stamps[-most] < window for most, window in limits):
            yield "risk.max_messages"
        mine = sum(each.key == key for each in self._known.live.values())
        if mine >= policy.working_orders_instance or len(self._known.live) >= policy.working_orders_desk:
            yield "risk.max_working_orders"
        last = self._known.recent.get((intent.instance, intent.instrument, intent.side, intent.lots, intent.price))
        if last is not None and ts - last < policy.duplicate_window:
            yield "risk.duplicate_order"
        often = policy.throttle_quoting if intent.instance in policy.quoting else policy.throttle_directional
        opened = self._known.openings.get(self._throttled(one), deque())
        if len(opened) >= often and ts - opened[-often][0] < policy.throttle_window:
            yield "risk.throttle"
        for group in policy.capital_groups:
            orders = sum(group.covers(each.key[0]) for each in self._known.live.values())
            if group.orders_max is not None and group.covers(intent.instance) and orders >= group.orders_max:
                yield "risk.client_limit"

    def _money(self, one: _Order, mid2: int) -> Iterator[str]:
        intent, policy = one.intent, self._known.policy
        value2 = intent.lots * mid2 * one.instrument.value_nanos
        if intent.price is None and value2 > 2 * LENIENCE * float(policy.max_order_value * NANOS):
            yield "risk.max_order_value"
        now = Exposure(self._known.mid2, self._known.instruments, self._known.lots, self._known.live.values(), intent)
        gross, held = now.gross(), {key for key in now.keys if now.projected(key)}
        key = intent.instance, intent.instrument
        if key in held and not now.before(key):
            if len({each for each in held if each[0] == intent.instance}) > policy.positions_instance:
                yield "risk.max_positions"
            if len(held) > policy.positions_desk:
                yield "risk.max_positions"
        limits = [(policy.capital_limit, gross)]
        for group in policy.capital_groups:
            if group.covers(intent.instance):
                limits.append((group.capital_limit, now.gross(partial(_member, group))))
        if any(limit is not None and value > LENIENCE * float(limit * NANOS) for limit, value in limits):
            yield "risk.capital_gate"
        leverage = float(policy.gross_leverage)
        nanos, told = self._known.budgets.get(intent.instance, (0, 0))
        if told and one.ts - told < KNOWN_NS and now.gross(lambda each: each[0] == intent.instance) > (
            LENIENCE * leverage * nanos
        ):
            yield "risk.capital_gate"
        equity, at = self._known.equity or (0, 0)
        if one.ts - at >= KNOWN_NS:
            return
        allowed = LENIENCE * equity
        yield from self._of_equity(one, now, allowed, mid2)
        if gross > allowed * leverage:
            yield "risk.gross_leverage"

    def _of_equity(self, one: _Order, now: "Exposure", allowed: float, mid2: int) -> Iterator[str]:
        intent, policy, name = one.intent, self._known.policy, one.intent.instrument
        issuer = policy.issuers.get(name)
        names = {name} | {each for each, of in policy.issuers.items() if issuer is not None and of == issuer}
        if sum(now.side(each) for each in names) > allowed * float(policy.max_position):
            yield "risk.max_position"
        sector = policy.sectors.get(name) or ("" if one.instrument.kind is InstrumentKind.EQUITY else None)
        if sector is not None:
            share = policy.sector_budgets.get(sector, policy.sector_gross) if sector else policy.sector_unmapped
            if now.gross(lambda each: self._sector(each[1]) == sector) > allowed * float(share):
                yield "risk.sector"
        if now.net(self._known.instruments) > allowed * float(policy.net_exposure):
            yield "risk.net_exposure"
        if one.instrument.kind is InstrumentKind.FX:
            pairs = {each: of for each, of in self._known.instruments.items() if of.kind is InstrumentKind.FX}
            for currency, sign in ((one.instrument.base, 1), (one.instrument.quote, -1)):
                legs = {each: 1 if of.base == currency else -1 for each, of in pairs.items()
                        if currency in (of.base, of.quote)}  # fmt: skip
                if now.net(legs, legs, sign * intent.side) > allowed * float(policy.currency_net):
                    yield "risk.currency_factor"
        quotes = intent.instance in policy.quoting
        if quotes:
            mates = [each for each, of in self._known.instruments.items() if of.base == one.instrument.base]
            least = 2 * LENIENCE * float(one.instrument.min_notional * NANOS)
            most = max(allowed * float(policy.asset_net), least)
            if policy.asset_net_value is not None:
                most = min(most, LENIENCE * float(policy.asset_net_value * NANOS))
            if now.net(mates) > most:
                yield "risk.net_exposure"
            return
        if intent.stop is None:
            return
        entry2 = mid2 if intent.price is None else 2 * intent.price
        lost = abs(entry2 - 2 * intent.stop)
        unit = one.instrument.value_nanos
        if intent.lots * lost * unit > 2 * allowed * float(policy.per_trade):
            yield "risk.per_trade"
        mine = intent.instance, name
        widest = {**self._known.stop2, mine: max(lost, self._known.stop2.get(mine, 0))}
        open2 = sum(
            now.projected(each) * widest.get(each, 0) * self._known.instruments[each[1]].value_nanos
            for each in now.keys if each[0] not in policy.quoting and not self._known.instruments[each[1]].inverse
        )  # fmt: skip
        if open2 > 2 * allowed * float(policy.open_risk):
            yield "risk.open_risk"

    def _sector(self, name: str) -> str | None:
        mapped = self._known.policy.sectors.get(name)
        return mapped or ("" if self._known.instruments[name].kind is InstrumentKind.EQUITY else None)

    def _throttled(self, one: _Order) -> tuple[Any, ...]:
        intent = one.intent
        of = {"strategy": intent.instance, "instrument": intent.instrument, "venue": one.instrument.venue,
              "side": int(intent.side)}  # fmt: skip
        return tuple(of[name] for name in self._known.policy.throttle_scope)


def _member(group: CapitalGroup, key: Key) -> bool:
    return group.covers(key[0])
