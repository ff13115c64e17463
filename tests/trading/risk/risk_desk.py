"""Builders for the risk tests: one instrument worth 100 a lot at the reference, equity of 1 000 000."""

from decimal import Decimal
from itertools import count

from tradeworthy.trading.model import FeeRates, Instrument, InstrumentKind, Intent, Side
from tradeworthy.trading.risk import Reviewer, RiskContext, RiskPolicy

NOW = 10**18
SECOND = 10**9
USD = 10**9
ID = "BTCUSDT.SIM"
ids = count()


def instrument(**odd):
    """Tick 0.1, lot 1: one lot at 1 000 ticks is worth 100."""
    usual = {
        "symbol": "BTCUSDT",
        "venue": "SIM",
        "kind": InstrumentKind.SPOT,
        "tick": Decimal("0.1"),
        "lot": Decimal(1),
        "base": "BTC",
        "quote": "USDT",
        "fees": FeeRates(Decimal(0), Decimal(0)),
        "max_order_lots": 10_000,
    }
    return Instrument(**(usual | odd))


def wide(**odd):
    """A policy with every limit far away, but for `odd`."""
    usual = {
        "max_order_value": Decimal(10**12),
        "max_position": Decimal(1),
        "gross_leverage": Decimal(5),
        "net_exposure": Decimal(1),
        "throttle_directional": 10**6,
        "throttle_quoting": 10**6,
        "duplicate_window": 1,
        "working_orders_instance": 10**6,
        "working_orders_desk": 10**6,
        "positions_instance": 10**6,
        "positions_desk": 10**6,
        "per_trade": Decimal("0.02"),
        "open_risk": Decimal("0.25"),
        "currency_net": Decimal(10**6),
        "asset_net": Decimal(1),
        "asset_net_value": None,
        "quoting": ("quoter",),
        "scale": False,
    }
    return RiskPolicy(**(usual | odd))


def desk(policy=None, *, equity=1_000_000, instruments=None, controls=None, held=0, instance="ema"):
    """A reviewer whose context has a fresh reference at 1 000 ticks, equity, a budget and `held` lots."""
    policy = policy or wide()
    instruments = instruments or (instrument(),)
    context = RiskContext(instruments, policy)
    context.now = NOW
    if equity is not None:
        context.set_equity(equity * USD)
    for name in ("ema", "quoter", "other"):
        context.set_allocated(name, 10**7 * USD, NOW + 10**15)
    for one in instruments:
        context.mark(one.instrument_id, 2_000, True, NOW)
    if held:
        side = Side.BUY if held > 0 else Side.SELL
        context.book_fill(instance, instruments[0].instrument_id, side, abs(held), 1_000, NOW)
    return Reviewer(policy, instruments, context, controls)


def order(side=Side.BUY, lots=1, **odd):
    """A market order of `ema` with a stop 2 % away and an id of its own."""
    number = next(ids)
    usual = {
        "intent_id": f"i{number}",
        "owner": "strategy",
        "instance": "ema",
        "reason": "test",
        "decision_id": f"d{number}",
        "instrument": ID,
        "side": side,
        "lots": lots,
        "expires_at": NOW + 60 * SECOND,
        "stop": 980 if side is Side.BUY else 1_020,
    }
    return Intent(**(usual | odd))


def codes(reviewer, intent):
    """Return the codes against an intent, in order; empty where it is approved."""
    verdict = reviewer.review_all(intent)[0].fact
    return [violation.code for violation in getattr(verdict, "violations", ())]
