"""The folds of a desk's journal as its document calls for them: of a run that is over, and of one that goes on."""

from collections.abc import Iterable
from pathlib import Path

from tradeworthy.app import bootstrap
from tradeworthy.app.alerts.alerting import path_policy
from tradeworthy.app.config import Document
from tradeworthy.app.runtime.reconciling import Reconciled
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.integrity import ExpectedSource
from tradeworthy.operations.assessments.collectors.books import BookFold
from tradeworthy.operations.assessments.collectors.budgets import BudgetFold
from tradeworthy.operations.assessments.collectors.desk import DeskFold
from tradeworthy.operations.assessments.collectors.drift import DriftFold
from tradeworthy.operations.assessments.collectors.freshness import fresh_s, sessions_of
from tradeworthy.operations.assessments.collectors.ingest import ingest_facts
from tradeworthy.operations.assessments.collectors.logs import LogFold
from tradeworthy.operations.assessments.collectors.objectives import Objective, objectives_at, shipped
from tradeworthy.operations.assessments.collectors.streams import StreamsFold
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.assessments.market_data_freshness import MarketDataFreshnessPolicy
from tradeworthy.operations.incidents.catalogue import category_of
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.routing import Routing
from tradeworthy.trading.market_data.calendar import calendar_of
from tradeworthy.trading.market_data.quality import DERIVED

BOOKS_S = 60.0
NEVER = "desk and venue were not compared yet"


class ComparisonFold:
    """What the comparisons of desk and venue came to (AS-109)."""

    def __init__(self) -> None:
        self._newest: tuple[Reconciled, int] | None = None
        self._break_since: int | None = None

    def on_event(self, event: Event, at: int) -> None:
        """Take the next event of the desk's journal, which arrived `at`."""
        found = event.payload
        if not isinstance(found, Reconciled):
            return
        self._newest = found, at
        if found.clean:
            self._break_since = None
        elif self._break_since is None:
            self._break_since = at

    def facts(self, tell: Teller, now: int) -> list[Observation]:
        """Return the facts of `reconciliation`; an unknown venue is no agreement."""
        found, at = self._newest or (None, None)
        answered = None if found is None else not found.agreement.startswith("unknown")
        count = None if found is None or not answered else len(found.differences)
        since = self._break_since
        lasted = None if count is None else 0.0 if since is None else (now - since) / NANOS_PER_SECOND
        drift = None if found is None else found.drift
        return [
            tell("venue_answered", answered, why=NEVER), tell("breaks", count, why=NEVER),
            tell("break_age", lasted, why=NEVER), tell("position_drift", drift, why=NEVER),
            tell("last_sweep", at, why=NEVER),
        ]  # fmt: skip


def desk_fold(document: Document, environment: str) -> DeskFold:
    """Return the fold of a desk's books, orders and streams."""
    instruments = bootstrap.instruments_of(document)
    calendars = {name: calendar_of(one.calendar) for name, one in instruments.items()}
    return DeskFold(
        instruments, bootstrap.risk_policy(document), document.desk.capital, environment=environment,
        sessions=sessions_of(calendars), provenances=bootstrap.provenances_of(document),
    )  # fmt: skip


def streams_fold(document: Document) -> StreamsFold:
    """Return the fold of a desk's feeds and stages."""
    calendars = {name: calendar_of(one.calendar) for name, one in bootstrap.instruments_of(document).items()}
    return StreamsFold(calendars, expected_of(document), declared=declared_of(document))


def drift_fold(document: Document) -> DriftFold:
    """Return the fold of a desk's figures; no strategy of this house learns, so that none has a training set."""
    return DriftFold(bootstrap.instruments_of(document))


def book_fold(document: Document) -> BookFold:
    """Return the fold of a desk's depth streams."""
    calendars = {name: calendar_of(one.calendar) for name, one in bootstrap.instruments_of(document).items()}
    return BookFold(calendars, expected=document.venue.matching == "l2")


def coordination_facts(tell: Teller) -> list[Observation]:
    """Return the facts of `coordination_policy`: this desk has no switch for it, no model, and no such intent."""
    return [
        tell("enabled", False), tell("models", False),
        *(tell(name, 0) for name in ("wider_scope", "target_outside", "expired", "overrides_risk")),
    ]  # fmt: skip


def objectives_of(document: Document) -> tuple[Objective, ...]:
    """Return the objectives of a desk: the document's own, else those of its tier; raises `UsageError` by name."""
    given = document.assessments.get("burn_rate", {}).get("documents", "")
    return objectives_at(Path(given)) if given else shipped(document.runtime.get("tier", "tier_0"))


def budget_fold(document: Document) -> BudgetFold:
    """Return the fold of a desk's error budgets."""
    calendars = {name: calendar_of(one.calendar) for name, one in bootstrap.instruments_of(document).items()}
    policy = registry().policies(document.assessments)["market_data_freshness"]
    assert isinstance(policy, MarketDataFreshnessPolicy)
    return BudgetFold(
        objectives_of(document), calendars, expected_of(document), fresh_s=fresh_s(policy), agreed=_agreed
    )


def dimensions_facts(
    document: Document, streams: StreamsFold, now: int, tell: Teller, *, routed: bool = False
) -> list[Observation]:
    """Return the facts of `ingest_health`, and `routed` those of `ingest_slos`, whose breach must reach a channel."""
    instruments = bootstrap.instruments_of(document)
    calendars = {name: calendar_of(one.calendar) for name, one in instruments.items()}
    expected = {one.instrument for one in document.tapes}
    channels: tuple[str, ...] | None = None
    if routed:
        routing, category = Routing(path_policy(document).alerts), category_of("ingest_slos.objective", "operations")
        routes = routing.routes(category, AlertSeverity.CRITICAL) if routing.knows(category) else ()
        channels = tuple(dict.fromkeys(name for one in routes for name in one.channels))
    return ingest_facts(streams.feeds(), expected, calendars, now, tell, channels=channels)


def _agreed(fact: object) -> bool | None:
    return fact.clean if isinstance(fact, Reconciled) else None


def log_fold(directory: Path, tapes: Iterable[str]) -> LogFold:
    """Return the fold of a run's journal as a log; its tapes are expected in it."""
    return LogFold(directory, "desk", {f"tape.{name}": ExpectedSource() for name in tapes}, followed=False)


def expected_of(document: Document) -> dict[str, float]:
    """Return who must report in a run's journal, and how often in seconds: rows and books where they are asked for."""
    found: dict[str, float] = {}
    minute = document.desk.minute_seconds
    if minute:
        for one in document.instances:
            if one.enabled:
                found[f"minute:{one.id}"] = minute
                found[f"books:{one.id}"] = max(minute, BOOKS_S)
    return found


def declared_of(document: Document) -> frozenset[str]:
    """Return who may speak without a period of its own: the tapes with their bars, and the journal's beat."""
    tapes = {f"tape.{one.name}" for one in document.tapes}
    return frozenset({*tapes, *(f"{one}{DERIVED}" for one in tapes), "heartbeat"})
