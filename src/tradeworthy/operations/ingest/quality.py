"""Which rows of a feed may be kept, and how a source with refused rows is judged (`dq.schema`, `dq.future`)."""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.ingest.ports import MarketRow
from tradeworthy.trading.model import Bar, Quote, Trade

FUTURE = "dq.future"
SCHEMA = "dq.schema"


def fault_of(row: MarketRow, *, latest: int) -> str | None:
    """Return why a row is refused, None where it is good; `latest` is the last event time that is believed.

    Prices are ticks and sizes lots, so they are finite; readers refuse what is no number.
    """
    ts_event, _, event = row
    if ts_event > latest:
        return f"{FUTURE}: event time must be at most {latest}, was {ts_event}"
    match event:
        case Quote() if not 0 < event.bid <= event.ask:
            return f"{SCHEMA}: a quote needs 0 < bid <= ask, was {event.bid} and {event.ask} ticks"
        case Quote() if (event.bid_lots or 0) < 0 or (event.ask_lots or 0) < 0:
            return f"{SCHEMA}: sizes must be at least 0, were {event.bid_lots} and {event.ask_lots} lots"
        case Trade() if event.price <= 0 or event.lots < 0:
            return f"{SCHEMA}: a trade needs a price above 0 and a size, was {event.price} ticks, {event.lots} lots"
        case Bar() if not 0 < event.low <= min(event.open, event.close) <= max(event.open, event.close) <= event.high:
            return f"{SCHEMA}: a bar needs 0 < low <= open, close <= high, was {event}"
        case _:
            return None


def judge(*, rows: int, rejected: int, future: int, fail_pct: float) -> Severity:
    """Return how a source stands: UNKNOWN without a row, FAIL for future rows or a share refused that is too large."""
    if future or (rejected and rejected * 100 >= fail_pct * (rows + rejected)):
        return Severity.FAIL
    if not rows:
        return Severity.UNKNOWN
    return Severity.WARN if rejected else Severity.OK
