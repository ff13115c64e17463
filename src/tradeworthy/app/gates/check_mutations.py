"""Changes of the world under which checks fail: the mutation registry beside that of the assessments (GE-17)."""

import importlib.resources
from collections.abc import Callable

import msgspec

from tradeworthy.app.gates import preflight
from tradeworthy.app.gates.release_mutations import release_mutations
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.report import Check, Report
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.gates.maturity import Record, lost_of, maturity_report
from tradeworthy.operations.gates.model import Evidence
from tradeworthy.operations.gates.mutations import AT, Mutation, of_assessments
from tradeworthy.operations.gates.policy_ledger import StageChanged, ledger_report
from tradeworthy.operations.gates.reading import of_item, of_report
from tradeworthy.research.backtest.strategy_gates import OutOfSample, TrendGatePolicy, judge_trend
from tradeworthy.research.regression.invariants import InvariantPolicy, judge_lines

BEAT_S, OUTAGE_S, WATCHED_S = 10, 10 * 3_600, 24 * 3_600
INTENT = {"expires_at": 2, "id": "i"}

SHOWN = {"e": "regression"}
"""Good evidence of a ledger, by its id."""


def registered() -> dict[str, Mutation]:
    """Return every mutation of the house by name: those of assessments, and those of checks."""
    return {**of_assessments(registry()), **{one.name: one for one in _checks()}}


def _checks() -> tuple[Mutation, ...]:
    files = _files()
    broken = {name: b"\xff" if name.startswith(preflight.RUNBOOK) else data for name, data in files.items()}
    sound = OutOfSample(days=100, sharpe=1.2, drawdown=0.05)
    return (
        _of("preflight.corrupt_file", "preflight", lambda: preflight.preflight(files),
            lambda: preflight.preflight(broken)),
        _of("log_maturity.outage_10h", "log_maturity", lambda: maturity_report(_watched(0), AT),
            lambda: maturity_report(_watched(OUTAGE_S), AT)),
        _of("regression.no_expiry", "regression", lambda: _named("regression", _history(INTENT)),
            lambda: _named("regression", _history({"id": "i"}))),
        _of("out_of_sample.sharpe", "out_of_sample",
            lambda: _named("out-of-sample", judge_trend(sound, TrendGatePolicy())),
            lambda: _named("out-of-sample", judge_trend(
                msgspec.structs.replace(sound, sharpe=-0.1), TrendGatePolicy()
            ))),
        *(_of(*one) for one in release_mutations()),
        _of("stage_approvals.skipped", "stage_approvals", lambda: ledger_report([_stage("paper")], SHOWN),
            lambda: ledger_report([_stage("paper"), _stage("limited_live")], SHOWN)),
        Mutation("dry_run.unsigned", "dry_run", lambda: of_item(_dry_run("operator")), lambda: of_item(_dry_run())),
    )  # fmt: skip


def _stage(stage: str) -> StageChanged:
    """Return a step of a policy, by evidence and two people."""
    return StageChanged("p", stage, "ann", "a mutation", "e", ("bob", "cy"))


def _dry_run(*signers: str) -> EvidenceItem:
    """Return a dry run that passed, as these people signed it."""
    return EvidenceItem(
        requirement="dry_run", evidence_id="d" * 64, status=Status.PASS, provenance="measured", environment="paper",
        collected_at=AT, recorded_at=AT, signed=bool(signers), signers=signers,
    )  # fmt: skip


def _of(name: str, source: str, before: Callable[[], Report], after: Callable[[], Report]) -> Mutation:
    def said(made: Callable[[], Report]) -> Evidence:
        return of_report(made(), source, run_id=name, stamp=AT, environment="simulated", hashes={})

    return Mutation(name, source, lambda: said(before), lambda: said(after))


def _files() -> dict[str, bytes | None]:
    """Return a world that passes preflight: the demo's configuration, a schema, and every runbook with words."""
    demo = importlib.resources.files("tradeworthy.demo").joinpath("demo.toml").read_bytes()
    words = ("# A runbook\n\n" + "look, then do " * preflight.WORDS_MIN).encode()
    found: dict[str, bytes | None] = {f"{preflight.CONFIGURATION}:demo.toml": demo}
    found[f"{preflight.SCHEMA}:health-1.json"] = b'{"type": "object"}'
    return found | {f"{preflight.RUNBOOK}:{name}": words for name in preflight.runbooks()}


def _watched(outage_s: int) -> Record:
    """Return the record of a desk that was watched for 24 hours, but for an outage in their midst."""
    start = AT - WATCHED_S * NANOS_PER_SECOND
    silent = range(WATCHED_S // 3, WATCHED_S // 3 + outage_s)
    beats = tuple(start + at * NANOS_PER_SECOND for at in range(0, WATCHED_S + 1, BEAT_S) if at not in silent)
    days = tuple(range(start // NANOS_PER_DAY, AT // NANOS_PER_DAY + 1))
    return Record(beats=beats, checkpoint_verified=True, unknown_causes=0, lost=lost_of({}), days=days)


def _history(intent: dict[str, object]) -> tuple[Check, ...]:
    """Return what the invariants say of a history of approved intents like this one."""
    policy = InvariantPolicy()
    lines = (
        msgspec.json.encode({
            "seq": seq, "ts_init": 1, "kind": "intent.approved", "event_id": f"e{seq}", "payload": {"intent": intent},
        }) for seq in range(1, policy.events_min + 1)
    )  # fmt: skip
    return judge_lines(lines, policy)


def _named(name: str, checks: tuple[Check, ...]) -> Report:
    return Report(name=name, title=name, sources=(), checks=checks)
