"""Running values of one instrument, one holding and one instance; the context keeps them current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeworthy.trading.model import GuardLevel, Instrument
from tradeworthy.trading.risk.median import MedianReference
from tradeworthy.trading.risk.throttle_window import LONG_AGO as LONG_AGO
from tradeworthy.trading.risk.throttle_window import ThrottleWindow

if TYPE_CHECKING:
    from tradeworthy.trading.risk.groups import GroupAccount

MESSAGES_KEPT = 600
"""Bound of a message window; a per-minute limit above it does not start."""


class MessageWindow:
    """The stamps of the last `kept` messages to a venue, in a ring; the n-th last is `stamps[next - n]`."""

    __slots__ = ("next", "stamps", "total")

    def __init__(self, kept: int = MESSAGES_KEPT) -> None:
        self.stamps = [LONG_AGO] * kept
        self.next = 0
        self.total = 0

    def count(self, ts: int) -> None:
        """Add one message at `ts`."""
        at = self.next
        self.stamps[at] = ts
        self.next = at + 1 if at + 1 < len(self.stamps) else 0
        self.total += 1


class InstanceAccount:
    """One instance's money: its budget in nanos, when the budget ends, what it holds, and its capital groups.

    positions  instruments with a projected position
    """

    __slots__ = ("allocated", "expires_at", "groups", "holdings", "instance", "messages", "permitted", "positions")

    def __init__(self, instance: str, groups: tuple[GroupAccount, ...] = ()) -> None:
        self.instance = instance
        self.groups = groups
        self.positions = 0
        self.allocated: int | None = None
        self.expires_at = LONG_AGO
        self.permitted = True
        self.holdings: list[Holding] = []
        self.messages: dict[str, MessageWindow] = {}

    def gross2(self) -> int:
        """Return twice the projected gross notional in nanos over the instance's instruments."""
        total = 0
        for holding in self.holdings:
            total += holding.projected * holding.book.lot2
        return total


class InstrumentBook:
    """One instrument as risk sees it.

    lot2        twice the nanos of one lot at the reference; 0 while no reference was ever known
    gross_lots  sum over instances of the projected absolute position
    long_lots, short_lots  projected lots of each side, never netted across instances
    net_up, net_down       desk net if all buys (all sells) fill
    causes      bit mask of `CAUSES`, lowest first
    siblings    books of the same issuer (RK-18);  messages  what the desk sent to the venue (RK-08)
    provenance  `measured`, `attested` or `simulated`, None while nobody said (RK-16)
    """

    __slots__ = (
        "bounded", "by_instance", "causes", "gross_lots", "instrument", "instrument_id", "inverse", "long_lots",
        "lot2", "median", "messages", "mid2", "net_down", "net_up", "position", "provenance", "quarantined",
        "reference_ts", "sample_at", "short_lots", "siblings", "unit", "usable", "venue",
    )

    def __init__(
        self, instrument: Instrument, convertible: bool, median: MedianReference, messages: MessageWindow
    ) -> None:
        self.median = median
        self.messages = messages
        self.sample_at = median.next_at
        self.siblings: tuple[InstrumentBook, ...] = ()
        self.provenance: str | None = None
        self.quarantined = False
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.venue = instrument.venue
        self.bounded = instrument.valid_from is not None or instrument.valid_to is not None
        self.inverse = instrument.inverse
        self.unit = 0
        self.lot2 = 0
        if convertible:
            self.convert(1, 1)
        self.mid2: int | None = None
        self.reference_ts = LONG_AGO
        self.usable = False
        self.position = self.gross_lots = self.long_lots = self.short_lots = self.net_up = self.net_down = 0
        self.causes = 0
        self.by_instance: dict[str, Holding] = {}

    def convert(self, numerator: int, denominator: int) -> None:
        """Set the value of one tick and lot in base nanos, rounded up (of one lot for an inverse contract)."""
        raw = self.instrument.notional_nanos(1, 1) if self.inverse else self.instrument.value_nanos
        self.unit = -(-raw * numerator // denominator)
        if self.inverse:
            self.lot2 = 2 * self.unit

    def sample(self, ts: int, mid2: int) -> None:
        """Give the reference to the median when a sample is due."""
        self.median.add(ts, mid2)
        self.sample_at = self.median.next_at

    def risk2(self, entry2: int, away2: int) -> int:
        """Return twice the nanos that one lot loses between entry and stop, both twice in ticks, rounded up."""
        if self.inverse:
            return -(-self.lot2 * away2 // entry2)
        return away2 * self.unit


class Holding:
    """What one instance has in one instrument: held lots, working lots a side (unknown and reserved included).

    risk_lot2  twice the nanos that a lot loses to the widest stop since the holding was flat (RK-26)
    """

    __slots__ = (
        "account", "book", "buys", "guard", "instance", "long", "lots", "messages", "orders", "projected", "quoting",
        "recent", "recent_ts", "risk_lot2", "sells", "short", "slots", "throttle_buys", "throttle_sells",
    )

    def __init__(
        self, account: InstanceAccount, book: InstrumentBook, messages: MessageWindow, quoting: bool,
        throttles: tuple[ThrottleWindow, ThrottleWindow],
    ) -> None:
        self.account = account
        self.book = book
        self.instance = account.instance
        self.messages = messages
        self.quoting = quoting
        self.lots = self.buys = self.sells = self.projected = self.long = self.short = self.orders = 0
        self.guard = GuardLevel.RUNNING
        self.slots: dict[tuple[int, int], str] = {}
        self.recent: dict[tuple[int, int, int | None], int] = {}
        self.recent_ts = LONG_AGO
        self.risk_lot2 = 0
        self.throttle_buys, self.throttle_sells = throttles
