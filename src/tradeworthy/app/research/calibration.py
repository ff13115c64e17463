"""Calibration reports over run folders: what fills cost and kept, and how far a session is from its simulation."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradeworthy.app.bootstrap import build_venue, instruments_of
from tradeworthy.app.config import Document
from tradeworthy.app.research.regression import source_of
from tradeworthy.app.runs.folder import RunMaterial, document_of, journal_of, rebuild, started_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.research.backtest.edge import ADVERSE_HORIZON_S, EdgeVerdict
from tradeworthy.research.backtest.summary import Summary
from tradeworthy.research.calibration.environment_parity import SessionFigures, compare_environments
from tradeworthy.research.calibration.post_trade import PostTradePolicy, SessionFills, judge_session, ramp_check
from tradeworthy.research.calibration.recalibration import propose
from tradeworthy.research.calibration.shadow import Shadow, ShadowSample
from tradeworthy.research.calibration.shadow_parity import ShadowPolicy, judge_shadow
from tradeworthy.trading.simulation.queue import QueueModel

EDGE_SEVERITY = {
    EdgeVerdict.POSITIVE: Severity.OK, EdgeVerdict.INCONCLUSIVE: Severity.WARN, EdgeVerdict.NEGATIVE: Severity.FAIL,
    EdgeVerdict.INSUFFICIENT: Severity.UNKNOWN,
}
BPS = 10_000


def fill_factor_report(folder: Path) -> Report:
    """Report what part of the quoted spread the fills kept, by level; a recommendation (CR-01)."""
    run, source, chain = _opened(folder)
    checks = tuple(
        Check(
            f"fill_factor.{one.level}", one.severity, "not measured" if one.factor is None else f"{one.factor:.6g}",
            "100 fills or more", one.reason or "",
        )
        for one in run.summary.fill_factors
    )
    figures = {"levels": msgspec.to_builtins(run.summary.fill_factors)}
    return _report("fill-factor", "Fill factor", (source,), (chain, *checks), figures)


def edge_report(folder: Path) -> Report:
    """Report gross capture, fees, adverse cost and net, and the verdict on the net (CR-02)."""
    run, source, chain = _opened(folder)
    edge = run.summary.edge
    net = "not measured" if edge.net is None else f"{edge.net.bps:.6g} bps"
    interval = "" if edge.interval is None else f"95 % {edge.interval.lower:.4g} to {edge.interval.upper:.4g} bps"
    check = Check(
        "edge.net", EDGE_SEVERITY[edge.verdict], net, "lower bound above 0 bps",
        f"{edge.verdict.value.upper()}, n = {edge.n} {interval}".rstrip(),
    )
    title = "Edge after fees and adverse selection"
    return _report("edge", title, (source,), (chain, check), msgspec.to_builtins(edge))


def markout_report(folder: Path) -> Report:
    """Report adverse selection by horizon, and by side, regime, level and hour (CR-03)."""
    run, source, chain = _opened(folder)
    s = run.summary
    judged = sum(one.n for one in s.markouts)
    check = Check(
        "markout.fills", Severity.OK if judged else Severity.UNKNOWN, str(judged), "one closed horizon or more",
        "" if judged else "no fill has a mid at a closed horizon",
    )
    figures = {
        name: msgspec.to_builtins(rows)
        for name, rows in (
            ("all", s.markouts), ("by_side", s.markouts_by_side), ("by_regime", s.markouts_by_regime),
            ("by_level", s.markouts_by_level), ("by_hour", s.markouts_by_hour),
        )
    }
    return _report("markout", "Adverse selection after the fill", (source,), (chain, check), figures)


def post_trade_report(folders: Sequence[Path], *, policy: PostTradePolicy | None = None) -> Report:
    """Judge the last of `folders`, sessions oldest first; enough failed live ones in a row hold the ramp (CR-04)."""
    if not folders:
        raise UsageError("post-trade needs a run folder, found none")
    sources: list[Source] = []
    verdicts: list[Severity] = []
    checks: tuple[Check, ...] = ()
    session = None
    for folder in folders:
        run, source, chain = _opened(folder)
        sources.append(source)
        session = _session(folder, run)
        checks = (chain, *judge_session(session, policy))
        if run.document.desk.environment == "live":
            verdicts.append(worst(one.severity for one in checks))
    figures = {"session": msgspec.to_builtins(session), "live_sessions": [one.name for one in verdicts]}
    return _report("post-trade", "Post-trade validation", sources, (*checks, ramp_check(verdicts, policy)), figures)


def shadow_report(folder: Path, *, policy: ShadowPolicy | None = None) -> Report:
    """Play the session's commands through the simulated venue on the same tape and compare (CR-05)."""
    run, source, chain = _opened(folder)
    samples = _samples(folder)
    checks, facts = judge_shadow(samples, capital=float(run.document.desk.capital), policy=policy)
    last = samples[-1] if samples else None
    figures = {
        "samples": len(samples), "live": None if last is None else msgspec.to_builtins(last.live),
        "simulated": None if last is None else msgspec.to_builtins(last.simulated),
        "parity": [
            msgspec.to_builtins(event_of(one, source="shadow", key=ts, ts_event=ts, ts_init=ts)) for ts, one in facts
        ],
    }
    return _report("shadow-parity", "Shadow parity", (source,), (chain, *checks), figures)


def environments_report(first: Path, second: Path) -> Report:
    """Compare two environments of one strategy; the first is the reference (CR-06)."""
    runs = [_opened(folder) for folder in (first, second)]
    figures = [_environment(run) for run, _, _ in runs]
    verdict = compare_environments(figures[0], figures[1])
    shown = "none" if verdict.score is None else f"{verdict.score:g}"
    score = Check(
        "environments.score", Severity.OK if verdict.accepted else _score_severity(verdict.score), shown,
        "8 or more; below 7 holds the capital ramp", "the capital ramp is held" if verdict.ramp_held else "",
    )
    return _report(
        "environment-parity", f"{figures[0].name} against {figures[1].name}",
        [source for _, source, _ in runs], (*(chain for _, _, chain in runs), *verdict.checks, score),
        {"score": verdict.score, "accepted": verdict.accepted, "ramp_held": verdict.ramp_held,
         "sides": [msgspec.to_builtins(one) for one in figures]},
    )


def recalibration_report(folder: Path) -> Report:
    """Propose what live fills say of fill factor, latency, queue and fill probability (CR-07)."""
    run, source, chain = _opened(folder)
    document = run.document
    models = {}
    live = None
    for model in QueueModel:
        last = _samples(folder, queue=model)[-1]
        live, models[model.value] = last.live, last.simulated
    if live is None:
        raise UsageError(f"{folder}: expected a queue model to compare, found none")
    proposal = propose(
        live, models, in_force=document.venue.queue, factor=run.summary.fill_factors[0],
        factor_in_force=_factor_in_force(document), submit_ms=document.venue.submit_ms,
    )
    figures = {"changes": msgspec.to_builtins(proposal.changes), "optimism": proposal.optimism}
    return _report("recalibration", "Recalibration proposal", (source,), (chain, *proposal.checks), figures)


def _opened(folder: Path) -> tuple[RunMaterial, Source, Check]:
    directory = journal_of(folder)
    source, chain = source_of(directory, folder)
    return rebuild(folder), source, chain


def _samples(folder: Path, *, queue: QueueModel | None = None) -> list[ShadowSample]:
    document = document_of(folder, started_of(folder))
    shadow = Shadow(instruments_of(document), build_venue(document, queue=queue))
    return list(shadow.run(read(journal_of(folder))))


def _session(folder: Path, run: RunMaterial) -> SessionFills:
    summary = run.summary
    adverse = next((m.adverse_bps for m in summary.markouts if m.horizon_s == ADVERSE_HORIZON_S), None)
    last = _samples(folder)[-1]
    return SessionFills(
        summary.activity.fills, summary.fill_factors[0].factor, adverse, summary.activity.fill_rate.value,
        last.simulated.fill_ratio,
    )


def _environment(run: RunMaterial) -> SessionFigures:
    summary: Summary = run.summary
    activity = summary.activity
    labelled = [one for one in summary.regimes if one.regime is not None and one.share.value is not None]
    count = len({one.instance for one in labelled}) or 1
    regimes: dict[str, float] = {}
    for one in labelled:
        regimes[str(one.regime)] = regimes.get(str(one.regime), 0.0) + (one.share.value or 0.0) / count
    net = float(summary.profit.net) / float(activity.notional) * BPS if activity.notional else None
    environment = run.document.desk.environment
    return SessionFigures(
        environment, activity.fill_rate.value, activity.capture_bps.value,
        activity.maker_share.value, net, regimes or None,
        real=environment == "live",
    )


def _factor_in_force(document: Document) -> float:
    """Return the fill factor that the first strategy with one was told, else the reference of the validator."""
    told = (one.policy["fill_factor"] for one in document.instances if one.enabled and "fill_factor" in one.policy)
    return float(next(told, PostTradePolicy().fill_factor_reference))


def _score_severity(score: float | None) -> Severity:
    if score is None:
        return Severity.UNKNOWN
    return Severity.WARN if score >= 7 else Severity.FAIL


def _report(
    name: str, title: str, sources: Sequence[Source], checks: Sequence[Check], figures: dict[str, object]
) -> Report:
    return Report(name=name, title=title, sources=tuple(sources), checks=tuple(checks), figures=figures)
