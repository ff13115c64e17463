"""Play the L2 tapes through hftbacktest's partial-fill exchange; run by `.oracles/hftbacktest/bin/python`.

Rows are `[cid, t, side, qty, value, fee, liquidity, booked_qty]`. The oracle's account books the last execution of an
order only (a sweep over several levels reports its last level), so `value` and `fee` belong to `booked_qty`.
"""

import sys
from decimal import Decimal

import hftbacktest as hb
import numpy as np
import raw
from hftbacktest.order import FILLED, PARTIALLY_FILLED
from hftbacktest.types import event_dtype

ORACLE = f"hftbacktest {hb.__version__}"
MAKER, TAKER = Decimal("0.0002"), Decimal("0.0005")
TICK, LOT = Decimal("0.1"), Decimal("0.001")
BOTH = hb.EXCH_EVENT | hb.LOCAL_EVENT
STEP_NS = 1_000_000_000


def events() -> np.ndarray:
    """Return the canonical L2 stream, exchange and local time equal: feed latency is none."""
    rows = []
    for ts, what, body in raw.depth():
        if what == "trade":
            price, qty, side = body
            flag = hb.BUY_EVENT if side == "buy" else hb.SELL_EVENT
            rows.append((hb.TRADE_EVENT | flag | BOTH, ts, ts, float(price), float(qty), 0, 0, 0.0))
            continue
        for flag, levels in zip((hb.BUY_EVENT, hb.SELL_EVENT), body, strict=True):
            for price, qty in levels:
                rows.append((hb.DEPTH_EVENT | flag | BOTH, ts, ts, float(price), float(qty), 0, 0, 0.0))
    return np.array(rows, dtype=event_dtype)


def play(name: str, rung: str, feed: np.ndarray, *, latency_ns: int = 0) -> None:
    """Run one tape and write its golden file."""
    asset = (
        hb.BacktestAsset().data(feed).linear_asset(1.0).constant_order_latency(latency_ns, latency_ns)
        .risk_adverse_queue_model().partial_fill_exchange().trading_value_fee_model(float(MAKER), float(TAKER))
        .tick_size(float(TICK)).lot_size(float(LOT)).last_trades_capacity(0)
    )
    engine = hb.HashMapMarketDepthBacktest([asset])
    tape = raw.read_tape(rung)
    names = {number: line["cid"] for number, line in enumerate(tape) if line["action"] == "submit"}
    numbers = {cid: number for number, cid in names.items()}
    sides = {line["cid"]: line["side"] for line in tape if line["action"] == "submit"}
    sizes = {line["cid"]: Decimal(line["qty"]) for line in tape if line["action"] == "submit"}
    left = dict(sizes)
    live: list[int] = []
    fills: list[list[str | int]] = []
    before = (0.0, 0.0, 0.0)

    def collect() -> None:
        nonlocal before
        orders = engine.orders(0)
        state = engine.state_values(0)
        paid, fee, held = state.balance, state.fee, state.position
        for number in list(live):
            order = orders.get(number)
            leaves = Decimal(round(order.leaves_qty / float(LOT))) * LOT
            cid = names[number]
            done = left[cid] - leaves
            if order.status in (FILLED, PARTIALLY_FILLED) and done:
                value = abs(Decimal(repr(round(paid - before[0], 6))))
                cost = Decimal(repr(round(fee - before[1], 9)))
                price = Decimal(round(order.exec_price / float(TICK))) * TICK
                booked = abs(Decimal(round((held - before[2]) / float(LOT)))) * LOT
                rate = min((MAKER, TAKER), key=lambda one: abs(cost - value * one))
                liquidity = "maker" if rate == MAKER else "taker"
                booked, exact = (booked, value) if liquidity == "taker" else (done, price * done)
                fills.append([
                    cid, int(order.exch_timestamp), sides[cid], raw.plain(done), raw.plain(exact),
                    raw.plain(exact * rate), liquidity, raw.plain(booked),
                ])
                left[cid] = leaves
            if order.status not in (hb.NEW, PARTIALLY_FILLED, 0):
                live.remove(number)
        before = (paid, fee, held)

    def run_to(ts: int) -> bool:
        while engine.current_timestamp < ts:
            code = engine.wait_next_feed(True, ts - engine.current_timestamp)
            collect()
            if code == 1:
                return False
        return True

    engine.wait_next_feed(True, STEP_NS)
    for number, line in enumerate(tape):
        if not run_to(line["t"]):
            break
        if line["action"] == "cancel":
            number = numbers[line["cid"]]
            if number in live:
                engine.cancel(0, number, False)
        else:
            send = engine.submit_buy_order if line["side"] == "buy" else engine.submit_sell_order
            kind = hb.MARKET if line["type"] == "market" else hb.LIMIT
            send(0, number, float(line["px"] or 0), float(line["qty"]), hb.GTC, kind, False)
            live.append(number)
    while engine.wait_next_feed(True, STEP_NS) != 1:
        collect()
    collect()
    state = engine.state_values(0)
    account = {
        "balance": repr(state.balance), "fees": repr(state.fee), "position": repr(state.position),
        "trades": str(state.num_trades),
    }
    raw.write_golden(name, rung=rung, oracle=ORACLE, data=raw.DEPTH, fills=fills, account=account)
    engine.close()


RUNS = {
    "T3_hftbacktest": ("T3", 0),
    "T4_hftbacktest": ("T4", 0),
    "T5_hftbacktest": ("T3", 10_000_000),
    "T5_queue_hftbacktest": ("T4", 10_000_000),
}

if __name__ == "__main__":
    stream = events()
    for chosen in sys.argv[1:] or RUNS:
        rung, latency = RUNS[chosen]
        play(chosen, rung, stream, latency_ns=latency)
