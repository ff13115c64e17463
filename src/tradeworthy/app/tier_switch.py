"""Move the books of a desk from one store to another while it runs, and back, losing and doubling nothing (MOD-03).

Both stores are folds over one journal, each row known by its key and its seq: a store that was behind catches up from
its own seq, and a row that is there already is not written again. The store in force is noted last of all.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tradeworthy.adapters.postgres_store import PostgresStore, shown
from tradeworthy.adapters.sqlite_store import SqliteStore
from tradeworthy.app.runs.folder import document_of, journal_of, started_of
from tradeworthy.app.runtime.tiers import LOWEST
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Event, Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.ledger.projection import TABLES, ProjectionStore, project

SWITCHES, IN_FORCE = "tier-switches", "books-store.json"
"""Below a desk's state: the journal of its switches, and the store that its books are in."""
SOURCE = "tier_switch"
ROUNDS_MAX = 8
"""How often both stores are brought to the journal's head before they stand at the same event."""
SERVICE_TIER = "tier_1"
Counts = dict[str, int]


@fact("tier.switched")
class TierSwitched(Fact, frozen=True):
    """The books of a desk are in another store from here on; both held the same rows at `seq`.

    before, after  tiers;  source, target  the stores, without secrets;  rollback  back to the lower tier
    """

    run: str
    before: str
    after: str
    source: str
    target: str
    seq: int
    rows: dict[str, int]
    rollback: bool


class InForce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The store that a desk's books are in, and the tier that it belongs to."""

    store: str
    tier: str


def tier_of(url: str) -> str:
    """Return the tier that a store belongs to: a file is embedded, a server is a service. Raises `UsageError`."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return LOWEST
    if scheme in ("postgresql", "postgres"):
        return SERVICE_TIER
    raise UsageError(f"expected sqlite:PATH or postgresql://HOST/DATABASE, found {shown(url)}")


def open_store(url: str) -> "SqliteStore | PostgresStore":
    """Open a store by its URL; raises `UsageError`, or `RetryLater` while a server takes no connection."""
    if tier_of(url) == LOWEST:
        path = Path(url.removeprefix("sqlite:"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteStore(path)
    return PostgresStore(url)


def counts_of(store: ProjectionStore) -> Counts:
    """Return the rows of each table."""
    return {table: store.count(table) for table in TABLES}


def switch(run: Path, state: Path, source: str, target: str, *, clock: Clock) -> TierSwitched:
    """Bring both stores to the same event of a run's journal, compare them, and put the target in force.

    The desk may run meanwhile. Raises `ConfigurationRefused` where the stores differ or the journal was never at rest
    long enough; then the source stays in force, and the target may be brought on later from where it is.
    """
    before, after = tier_of(source), tier_of(target)
    variant, journal = document_of(run, started_of(run)).desk.environment, journal_of(run)
    with open_store(source) as old, open_store(target) as new:
        head = _brought_together(journal, old, new, variant)
        rows, others = counts_of(old), counts_of(new)
        if rows != others:
            differ = sorted(name for name in rows if rows[name] != others[name])
            told = ", ".join(f"{name} {rows[name]} and {others[name]}" for name in differ)
            raise ConfigurationRefused(
                f"expected equal rows at seq {head}, found {told}; {shown(source)} stays in force"
            )
    found = TierSwitched(run.name, before, after, shown(source), shown(target), head, rows, after < before)
    _journal(state / SWITCHES, found, clock)
    write_durably(state / IN_FORCE, msgspec.json.encode(InForce(shown(target), after)))
    return found


def in_force(state: Path) -> InForce | None:
    """Return the store that a desk's books are in, None where none was ever put in force."""
    try:
        return msgspec.json.decode((state / IN_FORCE).read_bytes(), type=InForce)
    except FileNotFoundError:
        return None


def _brought_together(journal: Path, old: ProjectionStore, new: ProjectionStore, variant: str) -> int:
    """Project one and the same piece of the journal into both and return its last seq; the journal may grow."""
    project(read(journal), new, variant=variant)  # the long part, while the old one is in force and the desk goes on
    head = 0
    for event in read(journal):
        head = event.seq
    for store in (old, new):
        project(_up_to(journal, head), store, variant=variant)
    ahead = max(old.seq(), new.seq())
    for _ in range(ROUNDS_MAX):  # a store that was ahead, e.g. of an earlier switch, sets the pace
        for store in (old, new):
            project(_up_to(journal, ahead), store, variant=variant)
        if (reached := max(old.seq(), new.seq())) == ahead:
            return max(head, ahead)
        ahead = reached
    raise ConfigurationRefused("the stores did not come to the same event: try again")


def _up_to(journal: Path, seq: int) -> Iterator[Event]:
    for event in read(journal):
        if event.seq > seq:
            return
        yield event


def _journal(directory: Path, found: Fact, clock: Clock) -> None:
    journal = Journal.open(directory, clock=clock)
    try:
        now = clock.now()
        key = journal.last_seq + 1
        journal.accept(event_of(found, source=SOURCE, key=key, ts_event=now, ts_init=now))
    finally:
        journal.close()
