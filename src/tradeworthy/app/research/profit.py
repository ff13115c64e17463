"""A run's profit out of its journal: explained by source for each day and instance, and its key figures."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from tradeworthy.adapters.sqlite_store import SqliteStore
from tradeworthy.app.bootstrap import CAPITAL, instruments_of
from tradeworthy.app.runs.folder import document_of, journal_of, started_of
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.ledger.bookings import (
    BorrowBooked,
    DividendBooked,
    FeeBooked,
    FlowBooked,
    FlowKind,
    FundingBooked,
    SplitBooked,
)
from tradeworthy.trading.ledger.explain import Explained, ExplainedLine, Explainer
from tradeworthy.trading.ledger.kpis import KpiFold, KpiPolicy, KpiReport
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.ledger.projection import TABLES, project
from tradeworthy.trading.ledger.reconstruct import Reconstruction
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import (
    NANOS,
    Bar,
    DepthDiff,
    DepthSnapshot,
    FillBooked,
    Instrument,
    Mark,
    Quote,
    Split,
    Unknown,
)
from tradeworthy.trading.restoring import DeskRestored

HOUR_NS = 3_600 * NANOS_PER_SECOND


class DayExplained(msgspec.Struct, frozen=True):
    """One day of one instance; `explained` is None where the equity at its end is not known, `why` says so.

    day  counts days since the epoch from the policy's rollover hour;  seqs  first and last event it rests on
    """

    day: int
    instance: str
    explained: Explained | None
    lines: tuple[ExplainedLine, ...]
    seqs: tuple[int, int]
    why: str = ""

    @property
    def severity(self) -> Severity:
        return Severity.UNKNOWN if self.explained is None else self.explained.severity


class _Book:
    """What is followed of one instance."""

    __slots__ = ("equity_open", "explainer", "lent")

    def __init__(self, instruments: Mapping[str, Instrument], lent: Decimal) -> None:
        self.explainer = Explainer(instruments)
        self.lent = lent
        self.equity_open: Decimal = ZERO


class ProfitFold:
    """Fold a journal into explained days and the desk's figures; the ledger is rebuilt beside, as the other side.

    ledger     holds what the desk began with;  instances  with what each was lent, the basis of its residual's limit
    """

    __slots__ = (
        "_books", "_day", "_estimates", "_first_seq", "_instruments", "_kpis", "_last_seq", "_ledger", "_markets",
        "_mids2", "_rebuilt", "_rollover", "days",
    )  # fmt: skip

    def __init__(
        self, instruments: Mapping[str, Instrument], ledger: Ledger, instances: Mapping[str, Decimal],
        rollover_hour: int,
    ) -> None:
        self._instruments = instruments
        self._ledger = ledger
        self._rebuilt = Reconstruction(ledger)
        self._rollover = rollover_hour * HOUR_NS
        self._markets = {name: MarketState(name) for name in instruments}
        self._mids2: dict[str, int | None] = {}
        self._books = {name: _Book(instruments, lent) for name, lent in instances.items()}
        self._kpis = KpiFold()
        self._estimates: dict[tuple[str, str], Decimal] = {}
        self._day: int | None = None
        self._first_seq = self._last_seq = 0
        self.days: list[DayExplained] = []

    def apply(self, event: Event) -> None:
        """Take one event."""
        day = (event.ts_init - self._rollover) // NANOS_PER_DAY
        if self._day is None:
            self._day, self._first_seq = day, event.seq
        elif day > self._day:
            self.close_day()
            self._day, self._first_seq = day, event.seq
        self._last_seq = event.seq
        fact = event.payload
        if isinstance(fact, (Quote, Bar, DepthDiff, DepthSnapshot, Mark, Split)):
            self._market(fact, event.ts_event)
            return
        if isinstance(fact, DeskRestored):
            self._restore(fact)
            return
        self._rebuilt.apply(event)
        self._booked(fact)

    def close_day(self) -> None:
        """End the day in hand: explain every instance, then count from zero."""
        if self._day is None:
            return
        seqs = (self._first_seq, self._last_seq)
        for name, book in self._books.items():
            equity = self._ledger.equity(name, self._mids2, {})
            lines = book.explainer.lines()
            if isinstance(equity, Unknown):
                self.days.append(DayExplained(self._day, name, None, lines, seqs, equity.reason))
                continue
            told = book.explainer.explain(book.lent + book.equity_open, book.lent + equity)
            self.days.append(DayExplained(self._day, name, told, lines, seqs))
            book.equity_open = equity
            book.explainer.begin()
        self._kpis.on_day()

    def kpis(self, policy: KpiPolicy) -> KpiReport:
        """Return the desk's key figures."""
        return self._kpis.report(policy)

    def _market(self, fact: Quote | Bar | DepthDiff | DepthSnapshot | Mark | Split, ts: int) -> None:
        name = fact.instrument
        market = self._markets.get(name)
        if market is None:
            return
        market.apply(fact, ts)
        mid2 = market.mid2
        if mid2 is None or mid2 == self._mids2.get(name):
            return
        self._mids2[name] = mid2
        for book in self._books.values():
            book.explainer.mark(name, mid2)
        self._sample(self._ledger.marks.mark(name, mid2))

    def _restore(self, memory: DeskRestored) -> None:
        """Begin where an earlier run of the desk ended: what it made is no profit of this one."""
        self._ledger.restore(
            memory.balances,
            ((one.instance, one.instrument, one.lots, one.cost, one.average) for one in memory.positions),
        )
        for price in memory.prices:
            self._mids2[price.instrument] = price.mid2
            self._ledger.marks.mark(price.instrument, price.mid2)
            for book in self._books.values():
                book.explainer.mark(price.instrument, price.mid2)
        for held in memory.positions:
            self._books[held.instance].explainer.hold(held.instrument, held.lots)
        for name, book in self._books.items():
            equity = self._ledger.equity(name, self._mids2, {})
            if not isinstance(equity, Unknown):
                book.equity_open = equity

    def _booked(self, fact: object) -> None:
        match fact:
            case FillBooked():
                fee = fact.fee
                if fee is None:
                    fee = self._ledger_fee(fact)
                    self._estimates[fact.client_order_id, fact.trade_id] = fee
                self._books[fact.instance].explainer.fill(fact, fee)
                self._kpis.on_fill(fact, self._instruments[fact.instrument].notional(fact.price, abs(fact.lots)))
                self._sample(self._ledger.marks.desk())
            case FeeBooked():
                before = self._estimates.pop((fact.client_order_id, fact.trade_id), ZERO)
                fees = self._books[fact.instance].explainer.fees
                fees[fact.instrument] = fees.get(fact.instrument, ZERO) + before - fact.fee
            case FundingBooked():
                self._books[fact.instance].explainer.fund(fact.instrument, fact.amount)
            case FlowBooked() if fact.instance in self._books:
                self._books[fact.instance].explainer.flows += fact.amount
            case BorrowBooked():
                self._books[fact.instance].explainer.borrow += fact.cost
            case DividendBooked():
                self._books[fact.instance].explainer.dividends += fact.amount
            case SplitBooked():
                for book in self._books.values():
                    book.explainer.split(fact.instrument, fact.new, fact.old)

    def _ledger_fee(self, fact: FillBooked) -> Decimal:
        """Return the estimate that the ledger books for a fee that was not told."""
        instrument = self._instruments[fact.instrument]
        rate = instrument.fees.maker if fact.liquidity.value == "maker" else instrument.fees.taker
        return instrument.notional(fact.price, abs(fact.lots)) * rate

    def _sample(self, equity_nanos: int | Unknown) -> None:
        if not isinstance(equity_nanos, Unknown):
            self._kpis.on_equity(Decimal(equity_nanos) / NANOS)


def profit_of(run: Path, events: Iterable[Event] | None = None) -> ProfitFold:
    """Fold the journal of a run folder; `events` stand in for it in what-if questions."""
    journal = journal_of(run)
    document = document_of(run, started_of(run))
    instruments, base, capital = instruments_of(document), document.desk.base_currency, document.desk.capital
    ledger = Ledger(instruments, base)
    ledger.flow(CAPITAL, base, capital, FlowKind.DEPOSIT)
    enabled = [one.id for one in document.instances if one.enabled]
    fold = ProfitFold(
        instruments, ledger, {name: capital / len(enabled) for name in enabled}, document.desk.rollover_hour
    )
    for event in read(journal) if events is None else events:
        fold.apply(event)
    fold.close_day()
    return fold


def store_run(run: Path, path: Path) -> dict[str, int]:
    """Project the journal of a run into the SQLite store at `path`; return the rows of each table.

    What is there already is not written twice; the file can be deleted and projected again at any time (AC-05).
    """
    variant = document_of(run, started_of(run)).desk.environment
    with SqliteStore(path) as store:
        project(read(journal_of(run)), store, variant=variant)
        return {table: store.count(table) for table in TABLES}
