"""Where facts come from beside the desk's own fold: trades, streams, the document, folders, the market store."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tradeworthy.adapters.market_store_days import held_days
from tradeworthy.app.alerts.duties import RosterWatch
from tradeworthy.app.alerts.journal import ALERTS, JOURNAL, Before
from tradeworthy.app.assessing.change_facts import change_facts
from tradeworthy.app.assessing.desk_folds import (
    book_fold,
    budget_fold,
    coordination_facts,
    dimensions_facts,
    drift_fold,
    streams_fold,
)
from tradeworthy.app.assessing.run_probes import LifeSource, Probes, RunSource
from tradeworthy.app.bootstrap import instruments_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.bundles import drift_of
from tradeworthy.app.configuration.change_control import CHANGES
from tradeworthy.app.configuration.instances import LIVE, PAPER, faults_of, name_of
from tradeworthy.app.evidence.citations import EVIDENCE, GATES
from tradeworthy.app.research.regression import open_recording
from tradeworthy.app.runbooks import DOCS, runbooks_hash
from tradeworthy.app.runs.folder import altered_in, summary_of
from tradeworthy.app.runtime.facts import RuntimeBegan, ShutdownStep
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.journal.records import Deleted
from tradeworthy.kernel.journal.retention import cited_by, plan
from tradeworthy.kernel.telemetry.dead_letters import DeadLettered, DeadLettersSettled
from tradeworthy.operations.assessments.collectors.documents import artefact_facts, document_facts
from tradeworthy.operations.assessments.collectors.folders import dry_run_facts, secret_facts, validation_facts
from tradeworthy.operations.assessments.collectors.incidents import incident_facts, missing_of
from tradeworthy.operations.assessments.collectors.retention import retention_facts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.trades import TradesFold
from tradeworthy.operations.assessments.collectors.understanding import UnderstandingFold, replay_facts
from tradeworthy.operations.assessments.framework.collect import Probe
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.roster import RosterFacts
from tradeworthy.research.backtest.edge import ADVERSE_HORIZON_S
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.summary import Summary
from tradeworthy.research.calibration.post_trade import PostTradePolicy
from tradeworthy.research.soak.policy import PaperPolicy
from tradeworthy.research.soak.watch import MINUTE, SoakWatch
from tradeworthy.trading.environment import DESK
from tradeworthy.trading.market_data.calendar import ALWAYS, calendar_of
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import RunEnded, RunStarted
from tradeworthy.trading.replay import replay
from tradeworthy.trading.strategies.catalogue import CATALOGUE

WHOLE_RUN_TIMEOUT_S = 120.0
"""A whole journal is folded once more for these, which takes longer than a look."""
SCAN_TIMEOUT_S = 600.0
DELETED_KEPT = 10_000
REPLAYED_EVENTS = 20_000
"""Of a run that is judged so many events are decided again: `tradeworthy replay` does it for all of them."""
TASKS = "tasks"
"""The step of the end that drains the tasks."""


class RunFolds:
    """The further facts of a run's folder: folds of its journal, which `source` feeds, and its document.

    soaked  also fold the run as a soak, for `paper_soak` and `post_trade`; that can be told once, at the end
    """

    def __init__(self, source: RunSource, folder: Path, *, soaked: bool = True) -> None:
        self._source, self._folder = source, folder
        instruments = instruments_of(source.document)
        self.trades = TradesFold(instruments)
        self.streams = streams_fold(source.document)
        self.drift, self.budgets = drift_fold(source.document), budget_fold(source.document)
        self.understanding, self.books = UnderstandingFold(), book_fold(source.document)
        self._watch: SoakWatch | None = None
        self._summed: tuple[int, Summary] | None = None
        if soaked:
            records = RunRecords(instruments, source.document.desk.capital)
            self._watch = SoakWatch(records, held=open_recording(folder).build().guard.level)
        self._deleted: deque[Deleted] = deque(maxlen=DELETED_KEPT)
        self._ended = False
        source.observe(self._take)

    def catch_up(self) -> None:
        """Fold what was sealed since the last look."""
        self._source.catch_up()

    def _take(self, event: Event) -> None:
        self.trades.on_event(event)
        self.streams.on_event(event)
        self.drift.on_event(event)
        self.budgets.on_event(event)
        self.understanding.on_event(event)
        self.books.on_event(event)
        if isinstance(event.payload, Deleted):
            self._deleted.append(event.payload)
        if isinstance(event.payload, RunStarted | RunEnded):
            self._ended = isinstance(event.payload, RunEnded)
        if self._watch is not None and type(event.payload) is not RunStarted:
            self._watch.on_event(event)

    def probes(self) -> Probes:
        """Return the probes by assessment, over what was folded so far."""
        source, trades, streams, document = self._source, self.trades, self.streams, self._source.document
        venue = source.venue

        def look(name: str, facts: Callable[[Teller], list[Observation]], timeout_s: float = 5.0) -> tuple[Probe, ...]:
            return (Probe(name, lambda now: facts(source.desk.teller()), timeout_s=timeout_s),)

        def simulated(facts: Callable[[Teller], list[Observation]]) -> Callable[[Teller], list[Observation]]:
            return lambda tell: facts(source.desk.teller(provenance=venue))

        return {
            "fill_parity": look("fills", simulated(trades.fill_facts)),
            "attribution_coverage": look("submits", trades.attribution_facts),
            "portfolio_risk": look("rows", trades.portfolio_facts),
            "data_feed": look("feeds", streams.feed_facts),
            "runtime_performance": look("stages", streams.performance_facts),
            "telemetry_completeness": look("sources", streams.completeness_facts),
            "enforcement_slos": look("reviews", lambda tell: source.desk.enforcement_facts()),
            "artefact_retention": look("files", self._artefacts, WHOLE_RUN_TIMEOUT_S),
            "drift_sentry": look("figures", lambda tell: self.drift.facts(tell, venue)),
            "burn_rate": look("budgets", lambda tell: self.budgets.facts(tell, venue)),
            "ingest_health": look("dimensions", lambda tell: dimensions_facts(document, streams, streams.now, tell)),
            "ingest_slos": look(
                "dimensions", lambda tell: dimensions_facts(document, streams, streams.now, tell, routed=True)
            ),
            "understanding_slos": (
                *look("latency", self.understanding.latency_facts), *look("replay", self._replay, WHOLE_RUN_TIMEOUT_S),
            ),
            "instance_policy": look("document", lambda tell: policy_facts(document, trades, tell)),
            "strategy_catalog": look("catalogue", lambda tell: catalogue_facts(document, tell)),
            "cache_health": look("cache", no_cache_facts),
            "coordination_policy": look("settings", coordination_facts),
            "book_quality": look("depth", self.books.facts),
            "source_compare": look("numbers", lambda tell: source.log.source_facts(streams.sources, tell)),
        } | ({} if self._watch is None else {
            "paper_soak": look("soak", simulated(partial(self._soak, self._watch)), WHOLE_RUN_TIMEOUT_S),
            "post_trade": look("markouts", simulated(partial(self._post_trade, self._watch)), WHOLE_RUN_TIMEOUT_S),
        })  # fmt: skip

    def _artefacts(self, tell: Teller) -> list[Observation]:
        """Look at the journal's files and at what evidence beside the runs cites; nothing is deleted."""
        root = self._folder.parent
        cited = frozenset[str]().union(*(cited_by(one) for one in (root / EVIDENCE, root / GATES) if one.is_dir()))
        steps = plan(
            self._source.directory, now=self._source.wall(), modified=lambda path: path.stat().st_mtime_ns, cited=cited
        )
        runs_on = not self._ended and writer_lives(self._source.directory)  # its files are not what they will be yet
        altered = {} if runs_on else altered_in(self._folder)
        return artefact_facts(self._deleted, cited, steps, altered, tell)

    def _replay(self, tell: Teller) -> list[Observation]:
        """Replay the beginning of the run with this code."""
        stop = min(REPLAYED_EVENTS, self._source.desk.last_seq) + 1
        recorded = 0

        def counted() -> Iterator[Event]:
            nonlocal recorded
            for event in read(self._source.directory, stop=stop):
                recorded += event.source == DESK
                yield event

        events = counted()
        found = replay(events, open_recording(self._folder).build())
        for _ in events:  # a difference ends a replay; what comes behind it was not decided alike either
            pass
        return replay_facts(found, recorded, tell)

    def _soak(self, watch: SoakWatch, tell: Teller) -> list[Observation]:
        document = self._source.document
        watch.records.finish()
        whole, _, running = watch.minutes()
        policy = PaperPolicy()
        settled = (watch.start or 0) + int(watch.nanos * policy.settled_share)
        factor = self._summary(watch).activity.profit_factor.value
        return [
            tell("environment", document.desk.environment), tell("wanted_environment", "paper"),
            tell("minutes", watch.nanos / MINUTE),
            tell("running_share", running / whole if whole else None, why="not one whole minute"),
            tell("turnover", float(watch.records.traded / watch.records.capital)), tell("day_loss", watch.day_loss()),
            tell("drawdown", watch.records.equity.drawdown, why="no equity was told"),
            tell("cancels_in_budget", watch.cancels_in_budget(policy.cancels_a_minute_cap), why="not one whole minute"),
            tell("fills", watch.fills), tell("rejects", sum(ts >= settled for ts in watch.rejects)),
            tell("data_age", None if watch.age_max_ns is None else watch.age_max_ns / NANOS_PER_SECOND, why="no data"),
            tell("profit_factor", factor, why="no losing close"),
        ]  # fmt: skip

    def _post_trade(self, watch: SoakWatch, tell: Teller) -> list[Observation]:
        watch.records.finish()
        summary, model = self._summary(watch), PostTradePolicy()
        factor = summary.fill_factors[0].factor if summary.fill_factors else None
        adverse = next((m.adverse_bps for m in summary.markouts if m.horizon_s == ADVERSE_HORIZON_S), None)
        why = "too few fills with a price at the horizon"
        return [
            tell("fills", summary.activity.fills),
            tell("fill_factor_ratio", None if factor is None else factor / model.fill_factor_reference, why=why),
            tell("adverse_ratio", None if adverse is None else adverse / model.adverse_bps_reference, why=why),
        ]

    def _summary(self, watch: SoakWatch) -> Summary:
        """Return the run's summary; both that ask share one, as its statistics take a second."""
        if self._summed is None or self._summed[0] != watch.records.events:
            self._summed = watch.records.events, self._summarised(watch)
        return self._summed[1]

    def _summarised(self, watch: SoakWatch) -> Summary:
        return summary_of(self._source.document, watch.records, run_id=self._folder.name, manifests=())


def policy_facts(document: Document, trades: TradesFold, tell: Teller) -> list[Observation]:
    """Return the facts of `instance_policy`: what the document says, and who traded all the same."""
    accounts = {one.id: one for one in document.accounts}
    paper = [one for one in document.instances if one.mode.startswith(PAPER) and one.account in accounts]
    disabled = [one.id for one in document.instances if not one.enabled]
    return [
        tell("instances", len(document.instances)), tell("contradictions", len(faults_of(document))),
        tell("paper_credentials", sum(bool(accounts[one.account].credentials) for one in paper)),
        tell("disabled_orders", trades.sent_by(disabled)),
    ]  # fmt: skip


def catalogue_facts(document: Document, tell: Teller) -> list[Observation]:
    """Return the facts of `strategy_catalog` of each enabled instance; approval is unknown without a catalogue."""
    found: list[Observation] = []
    drifts, why = {}, "the document names no catalogue of approved bundles"
    try:
        drifts = {one.instance: one.reason for one in drift_of(document)}
    except UsageError as problem:
        why = str(problem)
    known = bool(document.catalogue) and not why.startswith("cannot read")
    for one in document.instances:
        if not one.enabled:
            continue
        approval = drifts.get(one.id, "approved" if known else None) if one.mode else "not_needed"
        live = one.mode.startswith(LIVE)
        derived = name_of(one)
        found += [
            tell("strategy_known", one.strategy in CATALOGUE, one.id), tell("name", one.name or derived, one.id),
            tell("derived_name", derived, one.id), tell("approval", approval, one.id, why=why),
            tell("real_notional", (None if one.cap is None else str(one.cap)) if live else "0", one.id,
                 why="trades real money without a cap"),
        ]  # fmt: skip
    return found


def no_cache_facts(tell: Teller) -> list[Observation]:
    """Return the facts of `cache_health` of a desk without a cache: nothing is looked up, and nothing is expected."""
    return [
        tell("configured", False), tell("expected", False),
        *(tell(name, 0) for name in ("hits", "misses", "evictions")),
    ]  # fmt: skip


def life_probes(life: LifeSource) -> Probes:
    """Return the probes of `runtime_lag` out of a process's life; what waits in a queue only the process knows."""

    def lag(now: int) -> list[Observation]:
        del now
        letters: dict[bool, int] = {True: 0, False: 0}
        drain: float | None = None
        for event in read(life.directory):
            match event.payload:
                case DeadLettered(flow=flow):
                    letters[flow.guarded] += 1
                case DeadLettersSettled(flow=flow, letters=settled):
                    letters[flow.guarded] = max(0, letters[flow.guarded] - settled)
                case ShutdownStep(step=step, took_ns=took) if step == TASKS:
                    drain = took / NANOS_PER_SECOND
        tell = life.fold.teller()
        return [
            tell("backlog", None, why="a journal tells no queue; ask the running process"),
            tell("critical_dead_letters", letters[True]), tell("dead_letters", letters[False], "telemetry"),
            *([] if drain is None and writer_lives(life.directory)
              else [tell("drain", drain, TASKS, why="the process did not end by itself")]),
        ]  # fmt: skip

    return {"runtime_lag": (Probe("letters", lag),)}


def folder_probes(
    environment: str, *, dry_run: Path | None = None, scan: Sequence[Path] = (), store: Path | None = None,
    state: Path | None = None,
) -> Probes:
    """Return the probes of folders: a dry run's, those to look for secrets in, the market store's file, a desk's state.
    """
    found: Probes = {}

    def tell(now: int) -> Teller:
        return Teller("folder", now, environment=environment)

    if dry_run is not None:
        place = dry_run
        found["final_dry_run"] = (Probe("summary", lambda now: dry_run_facts(place, tell(now))),)
        found["system_validation"] = (Probe("summaries", lambda now: validation_facts(place, tell(now))),)
    if state is not None and (state / ALERTS / JOURNAL).is_dir():
        folder = state / ALERTS
        found["incident_response"] = (Probe("incidents", lambda now: answered_facts(folder, now, tell(now))),)
    if state is not None and (state / "runtime").is_dir():
        place_of = state

        def documents(now: int) -> list[Observation]:
            watch = RosterWatch(EscalationPolicy(), place_of / ALERTS)
            return documents_facts(place_of, watch.facts(now), tell(now))

        found["document_control"] = (Probe("documents", documents),)
        changes = Probe("changes", lambda now: change_facts(place_of / CHANGES, tell(now)))
        found["change_management"] = (changes,)
    if scan:
        look = Probe("bytes", lambda now: secret_facts(scan, tell(now)), timeout_s=SCAN_TIMEOUT_S)
        found["secrets_hygiene"] = (look,)
    if store is not None:
        file = store
        look = Probe("store", lambda now: store_facts(file, tell(now)), timeout_s=SCAN_TIMEOUT_S)
        found["data_retention"] = (look,)
    return found


def answered_facts(folder: Path, now: int, tell: Teller) -> list[Observation]:
    """Return the facts of `incident_response` out of a desk's alert path, its roster, and the runbooks here."""
    policy, escalation = IncidentPolicy(), EscalationPolicy()
    before = Before(folder, policy, escalation)
    newest: deque[Event] = deque(read(folder / JOURNAL), maxlen=1)
    return responded_facts(
        before.incidents, before.roster.facts(now), tell, now=now, last_told=newest[0].ts_init if newest else None,
        policy=policy, escalation=escalation,
    )  # fmt: skip


def documents_facts(state: Path, roster: RosterFacts | None, tell: Teller) -> list[Observation]:
    """Return the facts of `document_control` out of a desk's newest processes, its roster, and the pages here."""
    starts: list[tuple[str, str]] = []
    for life in sorted((state / "runtime").glob("*-*/journal"))[-2:]:
        began = next(iter(read(life)), None)
        if began is not None and isinstance(began.payload, RuntimeBegan):
            starts.append((began.payload.code_hash, began.payload.runbooks_hash))
    return document_facts(starts, runbooks_hash(), roster, tell)


def responded_facts(
    incidents: IncidentBook, roster: RosterFacts, tell: Teller, *, now: int, last_told: int | None,
    policy: IncidentPolicy, escalation: EscalationPolicy,
) -> list[Observation]:  # fmt: skip
    """Return the facts of `incident_response` out of a book of incidents, a roster, and the runbooks of this release.

    last_told  stamp of the alert path's newest event
    """
    named = {code.runbook for one in registry() for code in one.codes()}
    return incident_facts(
        incidents.all, incidents.late(now), roster, tell, now=now, last_told=last_told,
        window_days=policy.window_days, hours_ahead=escalation.roster_warn_days * 24.0,
        missing_runbooks=missing_of(named, DOCS), policy=policy, actions=incidents.actions,
    )  # fmt: skip


def store_facts(path: Path, tell: Teller) -> list[Observation]:
    """Return the facts of `data_retention` of every table and instrument of a market store."""
    found: list[Observation] = []
    instruments = shipped()
    for one in held_days(path):
        dimension = "daily" if one.daily else "intraday"
        known = instruments.get(one.instrument)
        calendar = calendar_of(ALWAYS if known is None else known.calendar)
        table = f"{one.kind}:{one.instrument}:{dimension}"
        found += retention_facts(table, dimension, one.rows, one.days, calendar, tell)
    return found
