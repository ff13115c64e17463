"""Compare own fills with an oracle's: equal, explained by a named class, or unexplained."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from tradeworthy.research.parity.play import FillRow


class Comparison(msgspec.Struct, frozen=True):
    """The result against one oracle, counted by order.

    classed      named difference -> count;  unexplained  one line of text each
    """

    name: str
    oracle: str
    equal: int
    classed: dict[str, int]
    unexplained: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.unexplained


class OrderTotal(msgspec.Struct, frozen=True):
    """All fills of one order together; `value` is the sum of price x quantity, so value / qty is the VWAP."""

    cid: str
    t: int
    side: str
    qty: Decimal
    value: Decimal
    fee: Decimal
    liquidity: str


SWEEP_TICKS_MAX = 100
"""How far hftbacktest 2.4.4 sweeps; measured: 93 ticks fill, 111 and 118 do not."""

Explain = Callable[[str, list[FillRow], list[FillRow]], str | None]
"""Given an order and its own and the oracle's fills, return the class of the difference, None for unexplained."""


def compare(
    name: str, oracle: str, own: Iterable[FillRow], theirs: Iterable[FillRow], explain: Explain, *, by_fill: bool = True
) -> Comparison:
    """Compare order by order: every fill alike (`by_fill`), else quantity, value, fee, first time and liquidity."""
    mine, other = grouped(own), grouped(theirs)
    equal = 0
    classed: Counter[str] = Counter()
    unexplained: list[str] = []
    for cid in mine | other:
        left, right = mine.get(cid, []), other.get(cid, [])
        same = left == right if by_fill else totals(left) == totals(right)
        reason = None if same else explain(cid, left, right)
        if same:
            equal += 1
        elif reason is not None:
            classed[reason] += 1
        else:
            unexplained.append(f"{cid}: own {_text(left)}, {oracle} {_text(right)}")
    return Comparison(name, oracle, equal, dict(sorted(classed.items())), tuple(unexplained))


def grouped(rows: Iterable[FillRow]) -> dict[str, list[FillRow]]:
    """Return the fills by order, first come first."""
    out: defaultdict[str, list[FillRow]] = defaultdict(list)
    for row in rows:
        out[row.cid].append(row)
    return dict(out)


def multi_level_cross(own: Iterable[FillRow]) -> Explain:
    """Return the rule of class `MULTI_LEVEL_CROSS`: one update crossed several own prices, the oracle filled the best.

    Holds for an order whose own fill came at the time at which another own order with a better price filled too, and
    that the oracle filled later at the same price or not at all.
    """
    rows = [row for row in own if row.liquidity == "maker"]

    def explain(cid: str, mine: list[FillRow], theirs: list[FillRow]) -> str | None:
        if len(mine) != 1 or any(row.t <= mine[0].t or row.price != mine[0].price for row in theirs):
            return None
        row = mine[0]
        sign = 1 if row.side == "buy" else -1
        better = any(
            other.t == row.t and other.side == row.side and (other.price - row.price) * sign > 0 for other in rows
        )
        return "MULTI_LEVEL_CROSS" if better else None

    return explain


def traded_through(trades: Mapping[int, Decimal]) -> Explain:
    """Return the rule of class `TRADED_THROUGH`: the oracle fills all that is left on a trade beyond the limit.

    The own venue fills at most the trade's quantity (SV-09) and the rest on the trades that follow. Holds when all
    earlier fills are equal, the oracle's last one is at a trade beyond the limit, and the own quantity gets there too.

    trades  price of the trade at each time
    """

    def explain(cid: str, mine: list[FillRow], theirs: list[FillRow]) -> str | None:
        if not theirs or totals(mine) != totals(theirs):
            return None
        last = theirs[-1]
        sign = 1 if last.side == "buy" else -1
        beyond = last.t in trades and (trades[last.t] - last.price) * sign < 0
        return "TRADED_THROUGH" if beyond and mine[: len(theirs) - 1] == theirs[:-1] else None

    return explain


def beyond_100_ticks(own: Iterable[FillRow], tick: Decimal) -> Explain:
    """Return the rule of class `BEYOND_100_TICKS`: hftbacktest sweeps no further than 100 ticks from the best price,
    ends the order and does not report what it filled. Holds for own sweeps that reach further."""
    sweeps = grouped(own)

    def explain(cid: str, mine: list[FillRow], theirs: list[FillRow]) -> str | None:
        prices = [row.price for row in sweeps.get(cid, [])]
        wide = bool(prices) and max(prices) - min(prices) >= SWEEP_TICKS_MAX * tick
        return "BEYOND_100_TICKS" if wide and not theirs else None

    return explain


def totals(rows: list[FillRow]) -> OrderTotal | None:
    """Return one order's fills as one; None for none."""
    if not rows:
        return None
    first = rows[0]
    kinds = sorted({row.liquidity for row in rows})
    return OrderTotal(
        first.cid, first.t, first.side, sum((row.qty for row in rows), Decimal(0)),
        sum((row.value for row in rows), Decimal(0)), sum((row.fee for row in rows), Decimal(0)), "+".join(kinds),
    )


def nothing_explains(_cid: str, _own: list[FillRow], _theirs: list[FillRow]) -> str | None:
    """Allow no difference at all."""
    return None


def _text(rows: list[FillRow]) -> str:
    total = totals(rows)
    if total is None:
        return "no fill"
    return (
        f"{len(rows)} fills {total.side} {total.qty} at {total.value / total.qty:f} from t={total.t} "
        f"fee {total.fee} {total.liquidity}"
    )
