"""Project journals into tables: what was taken in, refused, judged and changed, once each (FW-30)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.adapters.projection_tables import TABLES, ProjectionStore
from tradeworthy.adapters.projection_tables import projections_at as projections_at
from tradeworthy.app.assessing.live import ASSESSMENTS
from tradeworthy.app.configuration import audit as configuration_audit
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.journal import read
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.assessments.framework.snapshot import encode
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.ingest.facts import IngestCycle
from tradeworthy.trading.model.order import ApprovedIntent, Refused

EXECUTION, REVIEWS = "execution_readiness", "compliance_audit"
BATCH_ROWS = 1_000
Rows = Iterator[tuple[Any, ...]]


def project(store: ProjectionStore, *, run: Path | None = None, state: Path | None = None) -> dict[str, int]:
    """Put what a run's journal and a desk's state tell into the tables; return how many rows each holds then.

    Twice gives the same: every row has the key of the event or snapshot that it came from.
    """
    sources, found = sources_of(run, state), {}
    for name, table in TABLES.items():
        held = store.put(table, ())
        batch: list[tuple[Any, ...]] = []
        for row in sources[name]() if name in sources else ():
            batch.append(row)
            if len(batch) >= BATCH_ROWS:
                held = store.put(table, batch)
                batch = []
        found[name] = store.put(table, batch) if batch else held
    return found


def sources_of(run: Path | None, state: Path | None) -> dict[str, Callable[[], Rows]]:
    """Return what tells the rows of each table, by its name; of what was not named none."""
    found: dict[str, Callable[[], Rows]] = {}
    if run is not None:
        found[REVIEWS] = lambda: reviews_of(run)
    if state is not None:
        found |= {
            "ingest_runs": lambda: cycles_of(state), "configuration_audit": lambda: changes_of(state),
            "assessment_snapshots": lambda: judged_in(state), "execution_snapshots": lambda: execution_in(state),
        }  # fmt: skip
    return found


def table_facts(
    store: ProjectionStore, tell: Teller, *, run: Path | None, state: Path | None, now: int, run_now: int
) -> list[Observation]:
    """Return the facts of `ops_store`: of each table whose journal was named, what it holds of what it should.

    now, run_now  the moment by the wall clock, and by the run's own, whose tape may be older

    What is newer than all that a table holds waits for its writer; what is older and not there is missing.
    """
    found: list[Observation] = []
    for name, rows in sources_of(run, state).items():
        table = TABLES[name]
        keys = store.keys(table)
        held, key_at = set(keys), [table.names.index(one) for one in table.key]
        time_at, moment = table.names.index(table.newest_by), run_now if name == REVIEWS else now
        known = {tuple(row[at] for at in key_at): row[time_at] for row in rows()}
        newest = max((ts for key, ts in known.items() if key in held), default=None)
        waits = [ts for key, ts in known.items() if key not in held and (newest is None or ts > newest)]
        lag = max(0, moment - min(waits)) / NANOS_PER_SECOND if waits else 0.0
        found += [
            tell("lag", lag, name), tell("rows", sum(key in held for key in known), name),
            tell("expected", len(known) - len(waits), name), tell("duplicates", len(keys) - len(held), name),
        ]  # fmt: skip
    return found


def reviews_of(run: Path) -> Rows:
    """Yield each review of an intent, by its event: what was asked, what came of it, and by which codes."""
    name = run.resolve().name
    for event in read(journal_of(run)):
        match event.payload:
            case Refused(intent=intent, policy_hash=policy, violations=violations):
                codes = ",".join(one.code for one in violations)
                outcome = "refused"
            case ApprovedIntent(intent=intent, policy_hash=policy, flags=flags):
                codes, outcome = ",".join(map(str, flags)), "approved"
            case _:
                continue
        yield (f"{name}/{event.event_id}", name, event.ts_init, event.kind, intent.instance, intent.instrument, outcome,
               codes, policy)  # fmt: skip


def cycles_of(state: Path) -> Rows:
    """Yield each source of each cycle of ingest, out of the journals of the desk's processes."""
    for life in sorted((state / "runtime").glob("*-*")):
        for event in read(journal_of(life)) if any(life.glob("journal/journal-*")) else ():
            if isinstance(cycle := event.payload, IngestCycle):
                for one in cycle.sources:
                    freshness = None if one.age_ns is None else one.age_ns / NANOS_PER_SECOND
                    yield (
                        cycle.run_id, cycle.number, one.source, "intraday_trades", one.severity.name, one.inserted,
                        freshness, one.took_ns / NANOS_PER_SECOND, event.ts_init, one.instrument,
                        msgspec.json.encode(one, order="sorted").decode(),
                    )  # fmt: skip


def changes_of(state: Path) -> Rows:
    """Yield each change of the configuration that a start found."""
    for entry in configuration_audit.history(state / configuration_audit.AUDIT):
        found = entry.found
        for one in found.changes:
            yield (found.config_hash, entry.at, one.field, one.previous, one.current, one.severity, found.actor,
                   one.note)  # fmt: skip


def judged_in(state: Path) -> Rows:
    """Yield each snapshot that the desk's processes took."""
    for one in snapshots_of(state / ASSESSMENTS):
        yield (one.id, one.assessment, int(one.status), one.generated_at, one.expires_at, one.environment,
               one.policy_hash, len(one.findings), encode(one).decode())  # fmt: skip


def execution_in(state: Path) -> Rows:
    """Yield each snapshot of how orders are executed, by the service that executes them."""
    for one in snapshots_of(state / ASSESSMENTS):
        if one.assessment == EXECUTION:
            service = state.resolve().name
            yield one.id, service, one.generated_at, int(one.status), len(one.findings), encode(one).decode()
