"""What "fresh" means of a stream of market data: one definition for its age (AS-117) and its error budget (AS-45)."""

from collections.abc import Callable, Mapping
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.assessments.market_data_freshness import MarketDataFreshnessPolicy
from tradeworthy.trading.market_data.calendar import Calendar, Session
from tradeworthy.trading.model import Bar

Sessions = Callable[[str, int], Session | None]
"""The stretch in which an instrument trades at a time, nanoseconds UTC; None where its market is closed."""
ALWAYS_OPEN = Session(0, 2**63 - 1)


def sessions_of(calendars: Mapping[str, Calendar]) -> Sessions:
    """Return the sessions of instruments by id; one without a calendar is always open."""

    def session_at(instrument: str, ts: int) -> Session | None:
        calendar = calendars.get(instrument)
        return ALWAYS_OPEN if calendar is None else calendar.session_at(ts)

    return session_at


def interval_of(payload: Any) -> int:
    """Return how long a market event is the newest word: a bar until the next is due, anything else not at all."""
    interval: int = payload.interval_ns if payload.__class__ is Bar else 0
    return interval


def open_since(sessions: Sessions, instrument: str, now: int, *, back_to: int) -> int | None:
    """Return when the market opened that is open `now`; None where it is closed.

    back_to  how far back it matters: sessions that adjoin are one until then, as the days of a market around the clock
    """
    session = sessions(instrument, now)
    if session is None:
        return None
    opened = session.open
    while opened > back_to and (before := sessions(instrument, opened - 1)) is not None:
        opened = before.open
    return opened


def silence_ns(sessions: Sessions, instrument: str, now: int, *, last: int, interval_ns: int) -> int | None:
    """Return how long a stream has said nothing while its market was open; None where it is closed.

    last, interval_ns  of its newest event. A bar speaks for its interval, and what was closed is no silence.
    """
    until = last + interval_ns
    opened = open_since(sessions, instrument, now, back_to=until)
    return None if opened is None else max(0, now - max(until, opened))


def fresh_s(policy: MarketDataFreshnessPolicy) -> float:
    """Return the silence in seconds that, once it is reached, is no longer fresh: the last bound of the age."""
    return float(policy.message_age.bounds()[-1][1])


def stale_minutes(silence: int, limit_s: float) -> int:
    """Return how many minutes of a silence in nanoseconds were not fresh, the one in which it became so included."""
    over = silence - round(limit_s * NANOS_PER_SECOND)
    return 0 if over < 0 else over // (60 * NANOS_PER_SECOND) + 1
