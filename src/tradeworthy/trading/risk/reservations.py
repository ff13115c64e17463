"""Capacity that an approved intent holds until its order is terminal (DL-04); unknown keeps it."""

from tradeworthy.trading.model import Intent, Side


class Reservation:
    """What was approved, and how much of it is still open. `working` is False for reduce-only orders.

    trade_ts, trade_value2  how the throttle counted an opening (RK-11); None, 0 for a reducing order
    """

    __slots__ = (
        "instance", "instrument", "intent_id", "level", "lots", "open_lots", "price", "side", "trade_ts",
        "trade_value2", "trigger", "unknown", "working",
    )

    def __init__(self, intent: Intent, trade_ts: int | None, trade_value2: int = 0) -> None:
        self.intent_id = intent.intent_id
        self.instance = intent.instance
        self.instrument = intent.instrument
        self.side: Side = intent.side
        self.lots = intent.lots
        self.open_lots = intent.lots
        self.price = intent.price
        self.trigger = intent.trigger
        self.level = intent.level
        self.working = not intent.reduce_only
        self.unknown = False
        self.trade_ts = trade_ts
        self.trade_value2 = trade_value2


class Reservations:
    """Open reservations by intent id; bounded by the desk's cap on working orders (RK-09)."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[str, Reservation] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, intent_id: str) -> bool:
        return intent_id in self._by_id

    def add(self, intent: Intent, trade_ts: int | None, trade_value2: int = 0) -> Reservation:
        """Hold the capacity of `intent`; raises `ValueError` when its id holds capacity already."""
        if intent.intent_id in self._by_id:
            raise ValueError(f"intent {intent.intent_id} is reserved already")
        reservation = self._by_id[intent.intent_id] = Reservation(intent, trade_ts, trade_value2)
        return reservation

    def take(self, intent_id: str, lots: int | None) -> tuple[Reservation, int] | None:
        """Free `lots` (None = all that is open); return the reservation and the lots freed, None if there is none."""
        reservation = self._by_id.get(intent_id)
        if reservation is None:
            return None
        freed = reservation.open_lots if lots is None else min(lots, reservation.open_lots)
        reservation.open_lots -= freed
        if reservation.open_lots == 0:
            del self._by_id[intent_id]
        return reservation, freed

    def hold(self, intent_id: str) -> None:
        """Mark the order's outcome unknown: its capacity stays held until the venue gives evidence."""
        reservation = self._by_id.get(intent_id)
        if reservation is not None:
            reservation.unknown = True

    def open_lots(self, intent_id: str) -> int:
        """Return the lots still held for `intent_id`, 0 when it holds nothing."""
        reservation = self._by_id.get(intent_id)
        return 0 if reservation is None else reservation.open_lots

    def matches(self, intent: Intent) -> bool:
        """Tell whether `intent` is exactly what was approved: instrument, side, lots, price and trigger (OM-05)."""
        held = self._by_id.get(intent.intent_id)
        return (
            held is not None
            and held.instrument == intent.instrument
            and held.side is intent.side
            and held.lots == intent.lots
            and held.price == intent.price
            and held.trigger == intent.trigger
        )
