"""The only place where a desk is wired: from the document to parts that know nothing of each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.document_shape import faults_in
from tradeworthy.app.configuration.instances import caps, no_trade_reasons
from tradeworthy.app.configuration.sections import SECTIONS, ControlSection
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.trading.allocation import AllocationPolicy, DrawdownTiers, Role, StaticSplit, TierPolicy
from tradeworthy.trading.asking import Measured
from tradeworthy.trading.carrying import CarryMonitors
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Timers
from tradeworthy.trading.execution.execution import Execution, ExecutionPolicy
from tradeworthy.trading.execution.intake import Intake, IntakePolicy
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.ledger.snapshot import SnapshotPolicy
from tradeworthy.trading.market_data.calendar import calendar_of
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.market_data.quality import DERIVED, MarketQuality, QualityPolicy
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.risk.carry import FundingCost, Margin
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses, RepeatedExecution, SelfFailure
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.risk.runaway import Runaway
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.queue import QueueModel
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.shadow import VenueShadow
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry
from tradeworthy.trading.strategies.market_maker import MarketMaker
from tradeworthy.trading.unwinding import UnwindPolicy

P = TypeVar("P")
Review = Callable[[RiskPolicy, tuple[Instrument, ...], RiskContext], Reviewer]
"""Makes the review of a desk."""
SENDERS = {"operator": frozenset({"*"})}
"""Who may send wishes to the desk, and for which scopes: whoever may write to its inbox is its operator."""
CAPITAL = "capital"
"""The ledger partition that holds the desk's capital; instances hold their own trades."""


def instruments_of(document: Document) -> dict[str, Instrument]:
    """Return the instruments that the document's tapes feed; all must settle in the desk's base currency."""
    known = shipped()
    wanted = dict.fromkeys(tape.instrument for tape in document.tapes)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ConfigurationRefused(f"unknown instrument {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    base = document.desk.base_currency
    foreign = [f"{name} in {known[name].settlement}" for name in wanted if known[name].settlement != base]
    if foreign:
        raise ConfigurationRefused(f"instruments must settle in {base}, found {', '.join(foreign)}")
    return {name: known[name] for name in wanted}


def provenances_of(document: Document) -> dict[str, str]:
    """Return what each instrument's prices are: measured where all its tapes are real, else simulated (RK-16)."""
    grades: dict[str, str] = {}
    for tape in document.tapes:
        real = tape.label == "real" and grades.get(tape.instrument, "measured") == "measured"
        grades[tape.instrument] = "measured" if real else "simulated"
    return grades


def risk_policy(document: Document) -> RiskPolicy:
    """Return the risk policy; raises `UsageError` for an unknown key or a wrong type, `ConfigurationRefused` for an
    unsafe limit."""
    roles = tuple(one.id for one in document.instances if one.role == "maker")
    try:
        groups = [*document.risk.get("capital_groups", ()), *_cap_groups(document)]
        policy = msgspec.convert(
            {"base_currency": document.desk.base_currency, "quoting": roles, **document.risk, "capital_groups": groups},
            RiskPolicy, strict=False,
        )  # fmt: skip
    except msgspec.ValidationError as problem:
        raise _form_fault(RiskPolicy, "risk", document.risk, problem) from None
    if document.desk.environment != "backtest":
        policy.require_fit_to_trade()
    return policy


def _cap_groups(document: Document) -> list[dict[str, Any]]:
    """Return one capital group for each instance with a cap of its own (CA-01: the limit follows from the entry)."""
    return [
        {"level": "trader", "name": f"cap.{name}", "instances": [name], "capital_limit": cap}
        for name, cap in caps(document).items()
    ]


def policy_of(kind: type[P], section: str, raw: Mapping[str, Any]) -> P:
    """Return a room's typed policy; raises `UsageError` for an unknown key or a wrong type (CFG-01)."""
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise _form_fault(kind, section, raw, problem) from None


def policies_of(document: Document) -> dict[str, Any]:
    """Return the policy of every section; raises `UsageError` or `ConfigurationRefused` for the first that is none."""
    found: dict[str, Any] = {
        name: policy_of(kind, name, getattr(document, name)) for name, kind in SECTIONS.items() if name != "risk"
    }
    return {**found, "risk": risk_policy(document), "market_data": quality_policy(document)}


def _form_fault(kind: Any, section: str, raw: Mapping[str, Any], problem: msgspec.ValidationError) -> UsageError:
    """Return the error that names path, expected and found of every fault; the parser's own words where none is."""
    return UsageError("; ".join(str(one) for one in faults_in(raw, kind, section)) or f"{section}: {problem}")


def people_policy(document: Document) -> PeoplePolicy:
    """Return what people may do at this desk: section `control.people`."""
    return policy_of(PeoplePolicy, "control.people", document.control.get("people", {}))


def control_section(document: Document) -> ControlSection:
    """Return who may act on the desk, and whether it may trade with real money: section `control`."""
    return policy_of(ControlSection, "control", document.control)


def quality_policy(document: Document) -> QualityPolicy:
    """Return what of the market data is watched; raises `ConfigurationRefused` for a source that no tape feeds."""
    policy = policy_of(QualityPolicy, "market_data", document.market_data)
    fed = {f"tape.{tape.name}" for tape in document.tapes}
    fed |= {f"tape.{tape.name}{DERIVED}" for tape in document.tapes if tape.bar_seconds}
    named = {*policy.clocks, *policy.cadences, *(name for one in policy.pairs for name in (one.primary, one.backup))}
    if named - fed:
        raise ConfigurationRefused(f"market_data: unknown source {sorted(named - fed)}; fed are {sorted(fed)}")
    return policy


def _quality(policy: QualityPolicy, instruments: Mapping[str, Instrument]) -> MarketQuality | None:
    if not policy.watches:
        return None
    calendars = {name: calendar_of(one.calendar) for name, one in instruments.items()} if policy.cadences else {}
    return MarketQuality(policy, calendars.__getitem__)


def build_desk(
    document: Document, held: Sequence[HeldReason] = (), *, catalogue: Mapping[str, Entry] = CATALOGUE,
    measured: Measured = lambda stage, function: function, review: Review = Reviewer,
) -> Desk:
    """Wire the desk that `document` describes; `held` are the guard's reasons from before the start.

    measured  wraps what each stage calls, where somebody measures durations
    review    makes the review; another one where it is played what is lost without a control
    """
    instruments = instruments_of(document)
    policy = risk_policy(document)
    context = RiskContext(instruments.values(), policy)
    for name, grade in provenances_of(document).items():
        context.set_provenance(name, grade)
    ledger = Ledger(instruments, document.desk.base_currency)
    ledger.flow(CAPITAL, document.desk.base_currency, document.desk.capital, FlowKind.DEPOSIT)
    shadow = Matching.BARS if document.venue.matching == Matching.BARS.value else Matching.L1
    strategies = [
        (
            one.strategy,
            _strategy(catalogue, one.strategy, one.id, instruments[one.instrument], one.policy, shadow=shadow),
        )
        for one in document.instances
        if one.enabled
    ]
    roles = {one.id: Role(one.role) for one in document.instances if one.enabled}
    split = StaticSplit(policy_of(AllocationPolicy, "allocation", document.allocation), roles)
    watch = InstanceWatch(
        [(one.id, one.instrument) for one in document.instances if one.enabled], losses=InstanceLosses(policy),
        tiers=DrawdownTiers(policy_of(TierPolicy, "drawdown_tiers", document.drawdown_tiers)), split=split,
        marks=ledger.marks, context=context,
    )  # fmt: skip
    data = quality_policy(document)
    return Desk(
        instruments=instruments, strategies=strategies, context=context,
        reviewer=review(policy, tuple(instruments.values()), context), losses=DeskLosses(policy, context),
        repeated=RepeatedExecution(policy), execution=Execution(
            context.reservations, policy_of(ExecutionPolicy, "execution", document.execution)
        ), ledger=ledger,
        guard=Guard((*held, *no_trade_reasons(document))),
        split=split, watch=watch, failure=SelfFailure(policy), currency=document.desk.base_currency,
        unwind=policy_of(UnwindPolicy, "unwind", document.unwind), quality=_quality(data, instruments),
        false_tick=data.false_tick, books=SnapshotPolicy() if document.desk.minute_seconds else None,
        rollover_hour=document.desk.rollover_hour, carry=CarryMonitors(Margin(policy), FundingCost(policy)),
        runaway=Runaway(policy), intake=Intake(IntakePolicy(SENDERS)), measured=measured,
        people=people_policy(document),
    )  # fmt: skip


def build_venue(document: Document, *, queue: QueueModel | None = None) -> SimulatedVenue:
    """Return the simulated venue; it serves backtest and paper alike and holds no credentials.

    queue   the document's queue model unless another is given, to compare them on one tape
    """
    section = document.venue
    latency = Latency(
        submit_ns=int(section.submit_ms * NANOS_PER_MILLI), cancel_ns=int(section.cancel_ms * NANOS_PER_MILLI),
        amend_ns=int(section.submit_ms * NANOS_PER_MILLI), report_ns=int(section.report_ms * NANOS_PER_MILLI),
    )  # fmt: skip
    return SimulatedVenue(
        tuple(instruments_of(document).values()), latency=latency, matching=Matching(section.matching),
        rules=VenueRules(queue=queue or QueueModel(section.queue)), seed=document.desk.seed,
    )  # fmt: skip


def build_timers(document: Document, desk: Desk) -> Timers:
    """Return the timers that somebody at the desk listens to."""
    wanted = {what for seat in desk.seats for what in (*seat.strategy.observes, *seat.strategy.decides_on)}
    if document.desk.minute_seconds:
        wanted.add("minute")
    periods: Mapping[str, float] = {
        "evaluate": document.desk.evaluate_seconds, "sample": document.desk.sample_seconds,
        "minute": document.desk.minute_seconds or 0.0,
    }  # fmt: skip
    return Timers(
        [(name, int(seconds * NANOS_PER_SECOND)) for name, seconds in periods.items() if name in wanted],
        rollover_ns=document.desk.rollover_hour * 3600 * NANOS_PER_SECOND,
    )


def _strategy(
    catalogue: Mapping[str, Entry], name: str, instance: str, instrument: Instrument, raw: Mapping[str, Any],
    *, shadow: Matching,
) -> Any:
    entry = catalogue.get(name)
    if entry is None:
        raise ConfigurationRefused(f"{instance}: unknown strategy {name!r}; known are {', '.join(sorted(catalogue))}")
    try:
        strategy = entry.strategy(instance, instrument, entry.parse(raw))
        if isinstance(strategy, MarketMaker):  # quotes of a closed gate rest at a venue of their own (MM-06)
            strategy.use_shadow(VenueShadow(instrument, matching=shadow))
        return strategy
    except msgspec.ValidationError as problem:
        raise _form_fault(entry.policy, f"instances.{instance}.policy", raw, problem) from None
    except ValueError as problem:
        raise ConfigurationRefused(f"instances.{instance}.policy: {problem}") from None
