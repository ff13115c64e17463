"""Running values of one instrument, one holding and one instance; the context keeps them current."""

from tradeworthy.trading.model import GuardLevel, Instrument

MESSAGES_KEPT = 600
"""Bound of a message window; a per-minute limit above it does not start."""

LONG_AGO = -(1 << 62)
"""Before every timestamp, with room to subtract a window."""


class MessageWindow:
    """The stamps of the last messages of one instance at one venue, in a ring; the n-th last is `stamps[next - n]`."""

    __slots__ = ("next", "stamps", "total")

    def __init__(self) -> None:
        self.stamps = [LONG_AGO] * MESSAGES_KEPT
        self.next = 0
        self.total = 0

    def count(self, ts: int) -> None:
        """Add one message at `ts`."""
        at = self.next
        self.stamps[at] = ts
        self.next = at + 1 if at + 1 < MESSAGES_KEPT else 0
        self.total += 1


class InstanceAccount:
    """One instance's money: its budget in nanos, when the budget ends, and what it holds."""

    __slots__ = ("allocated", "expires_at", "holdings", "instance", "messages", "permitted")

    def __init__(self, instance: str) -> None:
        self.instance = instance
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
    """

    __slots__ = (
        "bounded",
        "by_instance",
        "causes",
        "gross_lots",
        "instrument",
        "instrument_id",
        "inverse",
        "long_lots",
        "lot2",
        "mid2",
        "net_down",
        "net_up",
        "position",
        "reference_ts",
        "short_lots",
        "unit",
        "usable",
        "venue",
    )

    def __init__(self, instrument: Instrument, convertible: bool) -> None:
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


class Holding:
    """What one instance has in one instrument: held lots, working lots a side (unknown and reserved included)."""

    __slots__ = (
        "account",
        "book",
        "buys",
        "cooldown_until",
        "guard",
        "instance",
        "long",
        "lots",
        "messages",
        "orders",
        "projected",
        "quoting",
        "recent",
        "recent_ts",
        "sells",
        "short",
        "slots",
        "trades",
    )

    def __init__(self, account: InstanceAccount, book: InstrumentBook, messages: MessageWindow, quoting: bool) -> None:
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
        self.trades: list[int] = []
        self.cooldown_until = LONG_AGO
