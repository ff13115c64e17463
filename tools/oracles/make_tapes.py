"""Write the intent tapes: JSON lines `t, cid, action, side, type, px, qty`, numbers as text, time in nanoseconds."""

import json
from decimal import Decimal
from itertools import islice

import raw

EVERY_TAKER = 500
EVERY_PASSIVE = 1_000
PASSIVE_BELOW = Decimal("0.00030")
FX_QTY = "1000"
SWEEP_EVERY_NS = 5_000_000_000
SWEEP_GROWTH = Decimal("1.07")
SWEEP_FIRST = Decimal("0.050")
JOIN_EVERY_NS = 3_000_000_000
JOIN_LIFE_NS = 20_000_000_000
JOIN_QTY = "0.050"

Row = tuple[int, str, str, str | None, str | None, str | None, str | None]


def takers() -> list[Row]:
    """T1, T5: a market order at each 500th tick from the first, sides alternating."""
    rows: list[Row] = []
    for number, (ts, _, _) in enumerate(islice(raw.ticks(), 0, None, EVERY_TAKER)):
        side = "buy" if number % 2 == 0 else "sell"
        rows.append((ts + raw.ACT_AFTER_NS, f"taker-{number}", "submit", side, "market", None, FX_QTY))
    return rows


def passive() -> list[Row]:
    """T2: a buy limit three pips below the bid at each 1 000th tick from the first, kept to the end."""
    rows: list[Row] = []
    for number, (ts, bid, _) in enumerate(islice(raw.ticks(), 0, None, EVERY_PASSIVE)):
        price = str(Decimal(bid) - PASSIVE_BELOW)
        rows.append((ts + raw.ACT_AFTER_NS, f"passive-{number}", "submit", "buy", "limit", price, FX_QTY))
    return rows


def sweeps() -> list[Row]:
    """T3: market orders of growing size, sides alternating, one each five seconds after the snapshot."""
    rows: list[Row] = []
    size, due = SWEEP_FIRST, None
    for ts, _, _ in raw.depth():
        due = ts + SWEEP_EVERY_NS if due is None else due
        if ts >= due:
            side = "buy" if len(rows) % 2 == 0 else "sell"
            qty = str(size.quantize(Decimal("0.001")))
            rows.append((ts + raw.ACT_AFTER_NS, f"sweep-{len(rows)}", "submit", side, "market", None, qty))
            size, due = size * SWEEP_GROWTH, due + SWEEP_EVERY_NS
    return rows


def joins() -> list[Row]:
    """T4: a limit at the touch each three seconds, sides alternating, cancelled after twenty seconds."""
    rows: list[Row] = []
    book: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    due, number = None, 0
    for ts, what, body in raw.depth():
        if what != "trade":
            for side, levels in zip(("buy", "sell"), body, strict=True):  # type: ignore[call-overload]
                for price, qty in levels:
                    if Decimal(qty):
                        book[side][Decimal(price)] = Decimal(qty)
                    else:
                        book[side].pop(Decimal(price), None)
        due = ts + JOIN_EVERY_NS if due is None else due
        if ts >= due:
            side = "buy" if number % 2 == 0 else "sell"
            price = max(book["buy"]) if side == "buy" else min(book["sell"])
            at, cid = ts + raw.ACT_AFTER_NS, f"join-{number}"
            rows.append((at, cid, "submit", side, "limit", str(price), JOIN_QTY))
            rows.append((at + JOIN_LIFE_NS, cid, "cancel", None, None, None, None))
            number, due = number + 1, due + JOIN_EVERY_NS
    last = ts
    return sorted((row for row in rows if row[0] <= last), key=lambda row: row[0])


def main() -> None:
    raw.TAPES.mkdir(parents=True, exist_ok=True)
    names = ("t", "cid", "action", "side", "type", "px", "qty")
    for rung, rows in (("T1", takers()), ("T2", passive()), ("T3", sweeps()), ("T4", joins())):
        lines = [json.dumps(dict(zip(names, row, strict=True)), separators=(",", ":")) for row in rows]
        (raw.TAPES / f"{rung}.jsonl").write_text("\n".join(lines) + "\n")
        print(rung, len(rows), rows[0], rows[-1])


if __name__ == "__main__":
    main()
