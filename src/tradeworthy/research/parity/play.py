"""Play an intent tape through the simulated venue, and no other part of the desk."""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from tradeworthy.research.parity.tape import Line
from tradeworthy.trading.model import (
    CancelOrder,
    Command,
    ExecReport,
    Instrument,
    MarketEvent,
    OrderType,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
LEAST_NS = 1
"""The venue's smallest delay of a command."""
TYPES = {"market": OrderType.MARKET, "limit": OrderType.LIMIT}


class Venue(Protocol):
    """The part of the simulated venue that a tape needs; `on_market` may fill resting orders at once."""

    def send(self, command: Command, ts: int) -> None: ...
    def advance(self, ts: int) -> list[tuple[int, ExecReport]]: ...
    def on_market(self, fact: MarketEvent, ts: int) -> object: ...


class FillRow(msgspec.Struct, frozen=True):
    """One fill in exact units; `t` is the time at the venue, the way back taken off."""

    cid: str
    t: int
    side: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str

    @property
    def value(self) -> Decimal:
        return self.price * self.qty


def play(
    tape: Sequence[Line], events: Iterable[tuple[int, MarketEvent]], venue: Venue, instrument: Instrument, *,
    latency_ns: int = 0,
) -> list[FillRow]:
    """Return every fill of `tape` on `events`, in order.

    latency_ns  the venue's constant delay each way. The venue gives every command at least `LEAST_NS`, the oracles
                allow none: without latency a line is sent that much earlier, so that it arrives at its own time.
    """
    rows: list[FillRow] = []

    def collect(reports: Iterable[tuple[int, ExecReport]]) -> None:
        for ts, report in reports:
            if report.type is ReportType.FILL:
                rows.append(_row(report, ts - latency_ns, instrument))

    early = 0 if latency_ns else LEAST_NS
    position, end = 0, len(tape)
    last = 0
    for ts, event in events:
        last = ts
        while position < end and tape[position].t < ts:
            line = tape[position]
            collect(venue.advance(line.t - early))
            venue.send(command_of(line, instrument), line.t - early)
            position += 1
        collect(venue.advance(ts))
        venue.on_market(event, ts)
    collect(venue.advance(last + latency_ns))
    if position < end:
        raise ValueError(f"the tape goes on to t={tape[-1].t}, the market ends before")
    return rows


def command_of(line: Line, instrument: Instrument) -> Command:
    """Return the venue command of one line."""
    if line.action == "cancel":
        return CancelOrder(line.cid, instrument.instrument_id, "parity.tape")
    if line.side is None or line.type is None or line.qty is None:
        raise ValueError(f"{line.cid}: an order needs side, type and quantity, was {line!r}")
    return SubmitOrder(
        client_order_id=line.cid, intent_id=line.cid, instance="parity", instrument=instrument.instrument_id,
        side=SIDES[line.side], lots=instrument.lots(line.qty), type=TYPES[line.type], tif=TimeInForce.GTC,
        price=None if line.px is None else instrument.ticks(line.px),
    )


def digest(rows: Iterable[FillRow]) -> str:
    """Return the SHA-256 of the fills in canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(list(rows))).hexdigest()


def _row(report: ExecReport, ts: int, instrument: Instrument) -> FillRow:
    if report.side is None or report.fee is None or report.liquidity is None:
        raise ValueError(f"a fill needs side, fee and liquidity, was {report!r}")
    return FillRow(
        report.client_order_id, ts, "buy" if report.side is Side.BUY else "sell", instrument.quantity(report.lots),
        instrument.price(report.price), report.fee, report.liquidity.value,
    )
