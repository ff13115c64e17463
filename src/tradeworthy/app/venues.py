"""Where a desk's orders go: a simulated venue in this process or at the end of a line, behind the halt flag."""

from pathlib import Path

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.adapters.venue_line import LinePolicy, VenueClient, VenueServer
from tradeworthy.adapters.venue_line.protocol import listening
from tradeworthy.app.bootstrap import build_venue
from tradeworthy.app.config import Document
from tradeworthy.kernel.clock import Clock
from tradeworthy.trading.control.halt import Halt, HaltPort
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import SubmitOrder
from tradeworthy.trading.venue_edge import HeldVenue, Signed, VenueEdge

HALT_FILE = "halt.flag"
_NO_CLEAR = lambda: None  # noqa: E731


def halt_flag(state: Path, clock: Clock) -> HaltFlag:
    """Return the halt flag in a desk's state folder, made where it is not there yet."""
    return HaltFlag(state / HALT_FILE, clock)


def open_venue(
    document: Document, *, clock: Clock, flag: HaltPort | None = None, signed: Signed | None = None, token: int = 0,
    policy: LinePolicy | None = None, cancel_on_disconnect: bool = True,
) -> HeldVenue:
    """Return the venue of `document`, the simulated one here or the one at `venue.connection`.

    flag    every order passes it before it leaves (`VenueEdge`); None = nobody can halt this venue (backtest)
    signed  which reducing orders pass a halt, see `signed_by_a_person`
    token   of this desk's generation: a venue in its own process lets an older one no longer trade
    cancel_on_disconnect  such a venue takes every order off when the line ends (KS-02c)

    Raises `ConfigurationRefused` when nobody answers at `venue.connection`.
    """
    connection = document.venue.connection
    line: VenueClient | None = None
    venue: HeldVenue
    if connection:
        venue = line = VenueClient(
            connection, clock, name=document.desk.name, token=token, cancel_on_disconnect=cancel_on_disconnect,
            policy=policy,
        )
    else:
        venue = build_venue(document)
    if flag is None:
        return venue
    on_clear = _NO_CLEAR if line is None else line.reopen
    return VenueEdge(venue, flag, signed=signed or (lambda order, halts: False), on_clear=on_clear)


def close_venue(venue: HeldVenue) -> None:
    """Say goodbye to a venue in a process of its own; the one in this process ends with it."""
    inner = venue.venue if isinstance(venue, VenueEdge) else venue
    if isinstance(inner, VenueClient):
        inner.close()


def signed_by_a_person(desk: Desk) -> Signed:
    """Return what lets a person's own reducing order pass: the desk must know of every halt it passes (GRD-03).

    A slice of a flatten that was decided before another trip does not pass, because the desk has not heard of that
    trip yet; when it has, its guard has aborted the flatten (KS-05).
    """

    def signed(order: SubmitOrder, halts: tuple[Halt, ...]) -> bool:
        known = {(one.owner, one.code, one.scope) for one in desk.guard.reasons()}
        held = desk.execution.orders.get(order.client_order_id)
        heard = all((one.owner, one.code, one.scope) in known for one in halts)
        return heard and held is not None and held.intent.owner == "operator"

    return signed


def serve_venue(document: Document, url: str, clock: Clock, *, aids: bool = False) -> VenueServer:
    """Return a server of the document's simulated venue that listens at `url`; `serve` answers until `stop`."""
    return VenueServer(build_venue(document), listening(url), clock, aids=aids)
