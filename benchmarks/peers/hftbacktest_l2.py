"""Time hftbacktest on the recorded tape that `desk_l2.py` plays, quoting at the touch; compiled loop and engine.

Alike: the same messages in the recorder's order, one look of the strategy a message, 5 ms to the venue and back,
post-only quotes of 0.010 a side that stay while the touch stands, inventory of 1.000 at most, 100 messages a second and
600 a minute, fees 2 and 5 basis points; data built and code compiled before the clock starts.
Different: this is a backtester, not a desk. No journal, no risk review, no ledger and no report objects: it shows what
the matching and the strategy alone cost in machine code. A wish beyond the message budget is let go. Orders fill whole:
its partial fills end this run early, when a cancel meets a filled order (error 14).
Run: `.oracles/hftbacktest/bin/python benchmarks/peers/hftbacktest_l2.py TAPE [--messages N]`. Prints one JSON object.
"""

import argparse
import gzip
import json
import time
from itertools import islice
from pathlib import Path

import hftbacktest as hb
import numpy as np
from hftbacktest.types import DEPTH_BBO_EVENT, event_dtype
from numba import njit

BOTH = hb.EXCH_EVENT | hb.LOCAL_EVENT
LATENCY_NS = 5_000_000
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
SECOND_MESSAGES, MINUTE_MESSAGES = 100, 600
TICK, LOT, QTY, INVENTORY = 0.1, 0.001, 0.010, 1.0


def messages(tape: Path, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the tape's rows for the engine and the time of each message."""
    rows: list[tuple] = []
    stamps = []
    known = last = 0
    with gzip.open(tape, "rt") as lines:
        for line in islice(lines, most):
            stamp, text = line.split(" ", 1)
            last = max(int(stamp), last + 1)
            message = json.loads(text)
            body = message.get("data", message)
            kind, bids, asks = hb.DEPTH_EVENT, body.get("b", ()), body.get("a", ())
            match body.get("e"):
                case "bookTicker":
                    kind, bids, asks = DEPTH_BBO_EVENT, [(body["b"], body["B"])], [(body["a"], body["A"])]
                case "trade":
                    side = hb.SELL_EVENT if body["m"] else hb.BUY_EVENT
                    flags = hb.TRADE_EVENT | side | BOTH
                    rows.append((flags, last, last, float(body["p"]), float(body["q"]), 0, 0, 0.0))
                    stamps.append(last)
                    continue
                case "depthUpdate":
                    if body["u"] <= known:
                        continue
                case None:
                    kind, known, bids, asks = (
                        hb.DEPTH_SNAPSHOT_EVENT, body["lastUpdateId"], body["bids"], body["asks"]
                    )
            stamps.append(last)
            for flag, levels in ((hb.BUY_EVENT, bids), (hb.SELL_EVENT, asks)):
                rows += [(kind | flag | BOTH, last, last, float(at), float(qty), 0, 0, 0.0) for at, qty in levels]
    return np.array(rows, dtype=event_dtype), np.array(stamps, dtype=np.int64)


@njit
def room(sent, count, now, wanted):  # type: ignore[no-untyped-def]
    """Tell whether `wanted` messages more stay inside the second and the minute; `sent` is a ring of times."""
    minute, second = count + wanted - MINUTE_MESSAGES - 1, count + wanted - SECOND_MESSAGES - 1
    if minute >= 0 and now - sent[minute % MINUTE_MESSAGES] < MINUTE_NS:
        return False
    return second < 0 or now - sent[second % MINUTE_MESSAGES] >= SECOND_NS


@njit
def quote(engine, side, at, sent, count, now, working, prices, next_id):  # type: ignore[no-untyped-def]
    """Keep, replace or place the quote of one side (0 bid, 1 ask); returns messages sent and the next order id."""
    old = working[side]
    order = engine.orders(0).get(old) if old else None
    lives = order is not None
    if lives and (abs(prices[side] - at) < TICK / 2 or not order.cancellable):
        return count, next_id
    wanted = 2 if lives else 1
    if not room(sent, count, now, wanted):
        return count, next_id
    if lives:
        engine.cancel(0, old, False)
    if side == 0:
        engine.submit_buy_order(0, next_id, at, QTY, hb.GTX, hb.LIMIT, False)
    else:
        engine.submit_sell_order(0, next_id, at, QTY, hb.GTX, hb.LIMIT, False)
    for n in range(wanted):
        sent[(count + n) % MINUTE_MESSAGES] = now
    working[side], prices[side] = next_id, at
    return count + wanted, next_id + 1


@njit
def play(engine, stamps):  # type: ignore[no-untyped-def]
    """Go from message to message and quote at the touch; returns the number of orders and of messages."""
    sent = np.zeros(MINUTE_MESSAGES, np.int64)
    working, prices = np.zeros(2, np.uint64), np.zeros(2)
    count, next_id, played = 0, 1, 0
    for stamp in stamps:
        if engine.elapse(stamp - engine.current_timestamp) != 0:
            break
        played += 1
        engine.clear_inactive_orders(0)
        depth = engine.depth(0)
        bid, ask = depth.best_bid, depth.best_ask
        if np.isnan(bid) or np.isnan(ask):
            continue
        held = engine.position(0)
        if held + QTY <= INVENTORY + LOT / 2:
            count, next_id = quote(engine, 0, bid, sent, count, stamp, working, prices, next_id)
        if held - QTY >= -INVENTORY - LOT / 2:
            count, next_id = quote(engine, 1, ask, sent, count, stamp, working, prices, next_id)
    return next_id - 1, played


def engine_of(feed: np.ndarray) -> hb.HashMapMarketDepthBacktest:
    return hb.HashMapMarketDepthBacktest([
        hb.BacktestAsset().data(feed).linear_asset(1.0).constant_order_latency(LATENCY_NS, LATENCY_NS)
        .risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0002, 0.0005)
        .tick_size(TICK).lot_size(LOT).last_trades_capacity(0)
    ])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tape", type=Path)
    parser.add_argument("--messages", type=int)
    options = parser.parse_args()
    feed, stamps = messages(options.tape, options.messages)
    play(engine_of(feed), stamps[:100])  # compiles
    engine = engine_of(feed)
    begin = time.perf_counter()
    orders, played = play(engine, stamps)
    elapsed = time.perf_counter() - begin
    if played < len(stamps) - 1:  # the last message is the end of its data
        raise SystemExit(f"expected {len(stamps)} messages to be played, found {played}")
    trades = int(engine.state_values(0).num_trades)
    print(json.dumps({
        "peer": f"hftbacktest {hb.__version__}", "seconds": elapsed, "count": len(stamps), "orders": orders,
        "fills": trades,
    }))


if __name__ == "__main__":
    main()
