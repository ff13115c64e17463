"""Judge a recorded run as a soak (section 17, ST-03, ST-04): read its journal, hold its KPIs against the policy."""

import random
from enum import Enum
from pathlib import Path

import msgspec

from tradeworthy.app.bootstrap import instruments_of, risk_policy
from tradeworthy.app.config import Document
from tradeworthy.app.research.regression import Recording, open_recording, source_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.fill_factor import fill_factors
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.strategy_gates import (
    OutOfSample,
    ReversionGatePolicy,
    TrendGatePolicy,
    judge_reversion,
    judge_trend,
    out_of_sample,
)
from tradeworthy.research.soak.judge import judge_family, judge_live_data, judge_multi_day, judge_paper, judge_smoke
from tradeworthy.research.soak.policy import FamilyPolicy, LiveDataPolicy, MultiDayPolicy, PaperPolicy, SmokePolicy
from tradeworthy.research.soak.watch import SoakWatch
from tradeworthy.trading.model import InstrumentKind, RunStarted

ORDER_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Requests by which a venue is asked to do something; others only read."""
PERIODS_365 = frozenset({InstrumentKind.SPOT, InstrumentKind.LINEAR_PERP, InstrumentKind.INVERSE_PERP})
TESTNET = "testnet_smoke"


class Kind(Enum):
    """What a run is judged as."""

    SMOKE = "smoke"
    PAPER = "paper"
    LIVE_DATA = "live_data"
    MULTI_DAY = "multi_day"
    FAMILY = "family"
    OUT_OF_SAMPLE = "out_of_sample"


class WireLine(msgspec.Struct, frozen=True):
    """One request that an exchange counted."""

    method: str
    path: str = ""


def judge_soak(
    folder: Path, kind: Kind, *, reference: Path | None = None, wire: Path | None = None
) -> Report:
    """Return the report of one soak; raises `UsageError` (exit 3) for a run without rows.

    reference  a testnet run, for the fill factor and the perpetual's own smoke (SK-03)
    wire       the exchange's request log, JSON lines with `method` and `path`
    """
    recording = open_recording(folder)
    source, chain = source_of(recording.directory, folder)
    watch = watched(recording)
    if watch.start is None or watch.records.events <= 1:
        raise UsageError(f"{folder}: expected a run with rows, found none")
    document = recording.document
    sources = [source]
    match kind:
        case Kind.SMOKE:
            checks = judge_smoke(watch, SmokePolicy())
        case Kind.PAPER:
            checks = (*judge_paper(watch, PaperPolicy()), _on_paper(document))
        case Kind.LIVE_DATA:
            checks = (*_live_data(recording, watch, reference, wire, sources), _on_paper(document))
        case Kind.MULTI_DAY:
            policy = risk_policy(document)
            published = min(policy.venue_messages.values(), default=policy.messages_per_second)
            checks = judge_multi_day(
                watch, MultiDayPolicy(), instances=sum(one.enabled for one in document.instances),
                messages_per_second=published, perpetual=_perpetual(document),
            )  # fmt: skip
        case Kind.FAMILY:
            checks = judge_family(watch, FamilyPolicy())
        case Kind.OUT_OF_SAMPLE:
            checks = _out_of_sample(document, watch)
    return Report(
        name=f"soak-{kind.value.replace('_', '-')}", title=f"Soak: {kind.value.replace('_', ' ')}",
        sources=tuple(sources), checks=(chain, *checks), figures=_figures(document, watch),
    )  # fmt: skip


def watched(recording: Recording) -> SoakWatch:
    """Return a recorded run folded into what soaks are judged by."""
    document = recording.document
    records = RunRecords(instruments_of(document), document.desk.capital)
    held = recording.build().guard.level
    watch = SoakWatch(records, held=held)
    for event in read(recording.directory):
        if type(event.payload) is not RunStarted:
            watch.on_event(event)
    records.finish()
    return watch


def _live_data(
    recording: Recording, watch: SoakWatch, reference: Path | None, wire: Path | None, sources: list[Source]
) -> tuple[Check, ...]:
    other: float | None = None
    other_perpetual: bool | None = None
    if reference is not None:
        testnet = open_recording(reference)
        modes = {one.mode for one in testnet.document.instances if one.enabled}
        if modes != {TESTNET}:
            raise UsageError(f"{reference}: expected a run whose instances are all in mode {TESTNET}, found {modes}")
        other, other_perpetual = _fill_factor(watched(testnet)), _perpetual(testnet.document)
        sources.append(source_of(testnet.directory, reference)[0])
    return judge_live_data(
        watch, LiveDataPolicy(), order_requests=None if wire is None else order_requests(wire),
        fill_factor=_fill_factor(watch), reference=other, perpetual=_perpetual(recording.document),
        reference_perpetual=other_perpetual,
    )  # fmt: skip


def order_requests(wire: Path) -> int:
    """Return how many requests of an exchange's log ask it to act; raises `UsageError` for a log nobody can read."""
    try:
        lines = msgspec.json.Decoder(WireLine).decode_lines(wire.read_bytes())
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"{wire}: expected JSON lines with method and path, found {problem}") from None
    return sum(line.method.upper() in ORDER_METHODS for line in lines)


def _out_of_sample(document: Document, watch: SoakWatch) -> tuple[Check, ...]:
    strategies = {one.strategy for one in document.instances if one.enabled}
    kinds = {one.kind for one in instruments_of(document).values()}
    closes = [watch.days[day][2] / NANOS_PER_SECOND for day in sorted(watch.days)]
    found: OutOfSample = out_of_sample(closes, periods_per_year=365 if kinds <= PERIODS_365 else 252)
    if strategies == {"ema_trend"}:
        return judge_trend(found, TrendGatePolicy())
    if strategies == {"mean_reversion"}:
        return judge_reversion(found, ReversionGatePolicy())
    told = ", ".join(sorted(strategies)) or "none"
    return (Check("gate.out_of_sample", Severity.UNKNOWN, told, "ema_trend or mean_reversion alone"),)


def _on_paper(document: Document) -> Check:
    paper = document.desk.environment == "paper"
    severity = Severity.OK if paper else Severity.FAIL
    return Check("soak.environment", severity, document.desk.environment, "paper")


def _fill_factor(watch: SoakWatch) -> float | None:
    whole = fill_factors(watch.records.fills, rng=random.Random(0))[0]
    return whole.factor if whole.severity is Severity.OK else None


def _perpetual(document: Document) -> bool:
    return any(one.perpetual for one in instruments_of(document).values())


def _figures(document: Document, watch: SoakWatch) -> dict[str, object]:
    whole, seen, running = watch.minutes()
    return {
        "start": watch.start, "end": watch.end, "minutes": whole, "minutes_seen": seen, "minutes_running": running,
        "fills": watch.fills, "trades": watch.trades, "rejects": len(watch.rejects), "orders_live_max": watch.live_max,
        "instances": [one.id for one in document.instances if one.enabled],
    }  # fmt: skip
