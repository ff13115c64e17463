"""The pre-trade review: the only place that makes an `Approved` intent."""

from typing import NamedTuple, Protocol

from msgspec.structs import replace

from tradeworthy.trading.model import Approved, ApprovedIntent, Instrument, Intent, OrderType, Refused, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.controls.price_collar import PriceCollar
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.screen import Screen

MARKET = OrderType.MARKET


class Leg(NamedTuple):
    """One verdict: what execution may send (None when refused) and the fact for the journal."""

    approved: Approved[Intent] | None
    fact: ApprovedIntent | Refused


class Mask(Protocol):
    """What two people may put before a control for a while; the owner of the rule is `control/break_glass.py`."""

    def covers(self, code: str, instrument: str, now: int) -> bool: ...
    def use(self, intent: Intent, violations: tuple[Violation, ...], now: int) -> None: ...


class Reviewer:
    """Judge intents by every control. The caller reserves what was approved before it proposes the next intent.

    Raises `ConfigurationRefused` when a limit is missing.
    """

    __slots__ = ("_age", "_checks", "_collar", "_hash", "_mask", "_policy", "_screen", "context", "controls")

    def __init__(
        self, policy: RiskPolicy, instruments: tuple[Instrument, ...], context: RiskContext,
        controls: tuple[Control, ...] | None = None,
    ) -> None:
        policy.require_tradable(instruments)
        self._policy = policy
        self._hash = policy.policy_hash
        self.context = context
        self.controls = all_controls(policy, instruments) if controls is None else controls
        self._screen = Screen(policy, instruments) if controls is None else None
        self._checks = tuple(control.review for control in self.controls)
        self._collar = PriceCollar(policy, instruments)
        self._age = policy.reference_age
        self._mask: Mask | None = None

    def mask_with(self, mask: Mask) -> None:
        """Ask `mask` before an order is refused."""
        self._mask = mask

    def review(self, intent: Intent) -> Approved[Intent] | Refused:
        """Return the verdict; of an order that is split, scaled or sliced the verdict of its first leg."""
        ctx = self.context
        if ctx.propose(intent):
            if self._screen is not None and self._screen.passes(intent, ctx):
                return Approved(intent, self._hash, ctx.opening, self._worst_price(intent))
            for check in self._checks:
                if check(intent, ctx) is not None:
                    break
            else:
                opening = ctx.opening
                if opening == 0 or (opening == intent.lots and not intent.reduce_only):
                    return Approved(intent, self._hash, opening, self._worst_price(intent))
        approved, fact = self.review_all(intent)[0]
        if approved is not None:
            return approved
        assert isinstance(fact, Refused)
        return fact

    def review_all(self, intent: Intent) -> list[Leg]:
        """Return every leg: a flip is split (reducing first), openings are scaled, large reductions sliced."""
        ctx = self.context
        if not ctx.propose(intent):
            return [self._refuse(intent, (Violation("risk.malformed", intent.instrument, "a known instrument"),))]
        if self._screen is not None and self._screen.passes(intent, ctx):
            return [self._approve(intent, intent.lots, ctx.opening, None)]
        violations = self._violations(intent)
        opening = ctx.opening
        if violations and violations[0].code == "risk.malformed":
            return [self._refuse(intent, violations)]
        if intent.reduce_only and opening:
            return self._reduce_only(intent, opening)
        if not violations and (opening == 0 or opening == intent.lots):
            return [self._approve(intent, intent.lots, opening, None)]
        if opening == intent.lots:
            return [self._open(intent, violations)]
        try:
            if opening == 0:
                return self._slice(intent)
            legs = self._slice(_leg(intent, "r", intent.lots - opening, 0))
            if legs[-1].approved is not None:
                piece = _leg(intent, "o", opening, 1)
                ctx.propose(piece)
                legs.append(self._open(piece, self._violations(piece)))
            return legs
        finally:
            ctx.ahead = ctx.ahead_orders = 0

    def _violations(self, intent: Intent) -> tuple[Violation, ...]:
        """Return every violated control in table order; a malformed order is judged no further."""
        ctx = self.context
        found: list[Violation] = []
        for check in self._checks:
            violation = check(intent, ctx)
            if violation is not None:
                found.append(violation)
                if violation.code == "risk.malformed":
                    break
        if found and self._mask is not None:
            mask, instrument, now = self._mask, intent.instrument, ctx.now
            left = tuple(one for one in found if not mask.covers(one.code, instrument, now))
            if not left:
                mask.use(intent, tuple(found), now)
            return left
        return tuple(found)

    def _open(self, intent: Intent, violations: tuple[Violation, ...]) -> Leg:
        """Approve a pure opening, scaled down where only scalable controls stand against it (RK-61)."""
        if not violations:
            return self._approve(intent, intent.lots, intent.lots, None)
        codes = {violation.code for violation in violations}
        scaling = [control for control in self.controls if control.code in codes and control.scales]
        if self._policy.scale and len(scaling) == len(codes):
            caps = ((control.cap_lots(intent, self.context), control.code) for control in scaling)
            lots, binding = min(((cap, code) for cap, code in caps if cap is not None), default=(0, ""))
            if lots > 0:
                scaled = replace(intent, lots=lots)
                self.context.propose(scaled)
                left = self._violations(scaled)
                if not left:
                    return self._approve(scaled, intent.lots, lots, binding)
                violations += tuple(violation for violation in left if violation.code not in codes)
        return self._refuse(intent, violations)

    def _slice(self, intent: Intent) -> list[Leg]:
        """Cut a pure reduction into pieces that the order-size caps allow; at most `slices_max` of them."""
        ctx = self.context
        ctx.propose(intent)
        caps = (control.cap_lots(intent, ctx) for control in self.controls if control.slices)
        most = max(1, min((cap for cap in caps if cap is not None), default=intent.lots))
        legs: list[Leg] = []
        rest = intent.lots
        while rest and len(legs) < self._policy.slices_max:
            lots = min(most, rest)
            piece = intent if lots == intent.lots else _leg(intent, "s", lots, len(legs))
            ctx.propose(piece)
            against = tuple(v for v in self._violations(piece) if lots > 1 or v.code not in self._slicing())
            if against:
                legs.append(self._refuse(piece, against))
                return legs
            legs.append(self._approve(piece, intent.lots, 0, None))
            ctx.ahead += lots
            ctx.ahead_orders += 1
            rest -= lots
        return legs

    def _reduce_only(self, intent: Intent, opening: int) -> list[Leg]:
        """Trim a reduce-only order to what is held; refuse it where nothing is left to reduce."""
        if opening == intent.lots:
            held = f"{intent.side.name} {intent.lots} on {self.context.holding.lots} lots"
            return [self._refuse(intent, (Violation("risk.malformed", held, "reduce-only reduces a position"),))]
        return self.review_all(replace(intent, lots=intent.lots - opening))

    def review_parent(self, intent: Intent) -> Leg:
        """Judge a parent that leaves in children: the caps on one order are theirs to meet (EA-01)."""
        if not self.context.propose(intent):
            return self._refuse(intent, (Violation("risk.malformed", intent.instrument, "a known instrument"),))
        against = tuple(one for one in self._violations(intent) if one.code not in self._slicing())
        if against:
            return self._refuse(intent, against)
        return self._approve(intent, intent.lots, self.context.opening, None)

    def _slicing(self) -> frozenset[str]:
        return frozenset(control.code for control in self.controls if control.slices)

    def _approve(self, intent: Intent, requested: int, opening: int, binding: str | None) -> Leg:
        worst = self._worst_price(intent)
        book = self.context.book
        sound = opening or (book.usable and self.context.now - book.reference_ts < self._age)
        flags = () if sound else ("risk.reference_stale",)
        approved = Approved(intent, self._hash, opening, worst)
        return Leg(approved, ApprovedIntent(intent, self._hash, requested, binding, worst, opening, flags))

    def _worst_price(self, intent: Intent) -> int | None:
        return None if intent.type is not MARKET else self._collar.worst_price(intent, self.context)

    def _refuse(self, intent: Intent, violations: tuple[Violation, ...]) -> Leg:
        return Leg(None, Refused(intent, violations, self._hash))


def _leg(intent: Intent, mark: str, lots: int, slice_no: int) -> Intent:
    """Return a part of `intent` under an id of its own, derived from the whole's."""
    leg_id = f"{intent.intent_id}/{mark}{slice_no}"
    return replace(intent, intent_id=leg_id, lots=lots, parent=intent.intent_id, slice_no=slice_no)
