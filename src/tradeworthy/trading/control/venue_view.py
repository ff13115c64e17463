"""What a venue shows of an account to whoever may look: the evidence that no order is open (KS-02, KS-06)."""

import msgspec


class OpenOrder(msgspec.Struct, frozen=True):
    """An order that rests, or (`under_way`) whose submit has not arrived yet; `protective` stops stay in a halt."""

    client_order_id: str
    instance: str
    instrument: str
    side: int
    leaves: int
    venue_order_id: str = ""
    under_way: bool = False
    protective: bool = False
    reduce_only: bool = False


class CancelSeen(msgspec.Struct, frozen=True):
    """One cancel as the venue answered it, `at` in nanoseconds UTC by its clock; `by` names the session."""

    client_order_id: str
    by: str
    token: int
    at: int
    answer: str


class VenueView(msgspec.Struct, frozen=True):
    """One look. `at` is nanoseconds UTC by the venue's clock, `ts` the time its market has reached.

    positions      signed lots by instrument, without the flat ones
    last_order     client order id of the last order that was taken, and when it was received, by the venue's clock
    last_opening_at  the same of the last one that may open a position
    orders, blocked  how many orders were taken, and how many were refused because the session was blocked
    copy_open, copy_positions  the same as told by the drop copy: every report, folded apart from the venue's book
    requests       how often each scope's sessions asked what, e.g. `trade.submit`
    copied         whether there is a drop copy at all; without one nothing agrees or disagrees
    """

    at: int
    ts: int
    open_orders: tuple[OpenOrder, ...]
    positions: dict[str, int]
    last_order: str = ""
    last_order_at: int | None = None
    orders: int = 0
    blocked: int = 0
    cancels: tuple[CancelSeen, ...] = ()
    copy_open: tuple[str, ...] = ()
    copy_positions: dict[str, int] = {}
    requests: dict[str, int] = {}
    copied: bool = False
    last_opening_at: int | None = None

    def disagreements(self) -> tuple[str, ...]:
        """Return where book and drop copy differ; empty where they agree, or there is none."""
        if not self.copied:
            return ()
        booked = {one.client_order_id for one in self.open_orders if not one.under_way}
        found = [f"order {one}: open in the drop copy only" for one in sorted(set(self.copy_open) - booked)]
        found += [f"order {one}: open in the book only" for one in sorted(booked - set(self.copy_open))]
        for name in sorted({*self.positions, *self.copy_positions}):
            held, told = self.positions.get(name, 0), self.copy_positions.get(name, 0)
            if held != told:
                found.append(f"position {name}: {held} lots in the book, {told} by the drop copy")
        return tuple(found)
