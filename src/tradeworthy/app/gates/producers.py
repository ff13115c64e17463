"""Make the evidence that gates read: each producer runs by itself, under its own id, before anybody judges (GT-04)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.app import identity
from tradeworthy.app.assessing.sources import Asked, Sources, judge_all
from tradeworthy.app.configuration.secret_references import read_at_start, references_of
from tradeworthy.app.gates.desk_gates import Gates, report_of
from tradeworthy.app.gates.disabled_controls import play_all
from tradeworthy.app.gates.log_maturity import record_of
from tradeworthy.app.gates.preflight import files_of, preflight
from tradeworthy.app.research.regression import check_invariants, check_windows, open_recording, source_of
from tradeworthy.app.research.soak import Kind, judge_soak, order_requests
from tradeworthy.app.runs.folder import document_of, started_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.report import Report
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, encode
from tradeworthy.operations.gates.break_glass import GlassFold, break_glass_report
from tradeworthy.operations.gates.control_score import control_report
from tradeworthy.operations.gates.maturity import maturity_report
from tradeworthy.operations.gates.reading import environment_of
from tradeworthy.operations.gates.release_checks import Isolation, fleet_report, isolation_report
from tradeworthy.operations.gates.store import ARTEFACTS
from tradeworthy.operations.gates.suite import cases_of, named_reports, suite_report
from tradeworthy.trading.model import SubmitOrder

SIMULATED = "simulated"
"""Where the suite runs, and the desks whose controls are disabled."""
CONTROLS = "control_mutation"


class CyclePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long a cycle waits for what a running desk renews, and how often it looks."""

    wait_s: int = 180
    poll_s: int = 5


class Produced(msgspec.Struct, frozen=True, kw_only=True):
    """What one producer left: its evidence's status as a word, its own run id, and why it made none."""

    source: str
    run_id: str
    status: str
    seconds: float
    problem: str = ""


class Material(NamedTuple):
    """What producers may read; what is not given makes no evidence, and what depends on it stays as it was.

    run    a run's folder;  life  the folder of a process's life;  scan  files to look for secrets in
    junit  the suite's report;  tests  the folder of its files;  coverage_pct  of the same run
    wire   an exchange's request log;  witness  signed minutes, which the gates' trust file makes count
    """

    configuration: Path
    docs: Path
    run: Path | None = None
    life: Path | None = None
    scan: tuple[Path, ...] = ()
    junit: Path | None = None
    tests: Path = Path("tests")
    coverage_pct: float | None = None
    wire: Path | None = None
    witness: Path | None = None


def produce(gates: Gates, given: Material, cycle: str, clock: Clock) -> tuple[Produced, ...]:
    """Run every producer that has what it needs and return what each left; one that fails leaves evidence of that."""
    told: list[Produced] = []
    for one in _producers(gates, given):
        began, run_id = clock.monotonic(), f"{one.source}:{cycle}"
        try:
            kept = gates.record(
                one.make(), one.source, run_id=run_id, cycle=cycle, environment=one.environment, hashes=one.hashes
            )
            status, problem = "unreadable" if kept.status is None else kept.status.name, kept.error
        except (DeskError, OSError, msgspec.MsgspecError) as fault:
            problem, status = str(fault), "unreadable"
            gates.record_fault(one.source, problem, run_id=run_id, cycle=cycle)
        spent = (clock.monotonic() - began) / NANOS_PER_SECOND
        told.append(
            Produced(source=one.source, run_id=run_id, status=status, seconds=round(spent, 3), problem=problem)
        )  # fmt: skip
    if given.run is not None:
        told += _assessed(gates, given.run, given, clock)
    return tuple(told)


def await_renewed(gates: Gates, since: int, clock: Clock, policy: CyclePolicy) -> tuple[str, ...]:
    """Wait until what the desk renews by itself is younger than `since`; return what was not in time."""
    end = clock.monotonic() + policy.wait_s * NANOS_PER_SECOND
    while True:
        late = tuple(sorted(one.assessment for one in _living(gates) if one.generated_at < since))
        if not late or clock.monotonic() >= end:
            return late
        clock.sleep(policy.poll_s * NANOS_PER_SECOND)


def assess_run(
    run: Path, journal: Path, clock: Clock, *, life: Path | None = None, scan: tuple[Path, ...] = ()
) -> tuple[Snapshot, ...]:
    """Judge every assessment over a run and what lies beside it, and keep the snapshots."""
    known = registry()
    sources = Sources(Asked(run=run, life=life, scan=scan or (run,)), clock, known)
    policies = known.policies(sources.run.document.assessments if sources.run is not None else {})
    past = History().fold(snapshots_of(journal)) if any(journal.glob("journal-*")) else History()
    with closing(SnapshotJournal(journal, clock)) as kept:
        found = judge_all(
            known, tuple(one.name for one in known), sources, past, limits=lambda name: policies[name],
            keep=lambda taken: kept.append(taken.id, taken.assessment, encode(taken), taken.generated_at),
        )  # fmt: skip
        kept.commit()
    return found.snapshots


def played_controls(gates: Gates) -> Report:
    """Disable each control in turn and return what else noticed, beside the score of the release before (AS-42)."""
    return control_report(play_all(), before_pct=score_before(gates))


def score_before(gates: Gates) -> float | None:
    """Return the newest sound score of another code that these gates know; None where there is none."""
    code = gates.binding.hashes.get("code", "")
    for one in reversed(gates.store.read().checks):
        if one.source != CONTROLS or one.error or one.status is None or not one.artefacts:
            continue
        if one.hashes.get("code", code) == code:
            continue
        data = (gates.store.root / ARTEFACTS / one.artefacts[0].sha256).read_bytes()
        score = report_of(data).figures.get("score_pct")
        if isinstance(score, int | float):
            return float(score)
    return None


def isolation_of(run: Path, wire: Path | None) -> Report:
    """Return whether a paper run held no credentials and reached no real venue."""
    recording = open_recording(run)
    document, (source, chain) = recording.document, source_of(recording.directory, run)
    known = set(references_of(document)) & set(read_at_start(document))
    requests = order_requests(wire) if wire is not None else None if document.venue.connection else 0
    report = isolation_report(Isolation(
        environment=document.desk.environment, credentials=tuple(sorted(one for one in known if "credentials" in one)),
        venue_connection=document.venue.connection, order_requests=requests,
    ), (source,))  # fmt: skip
    return msgspec.structs.replace(report, checks=(chain, *report.checks), figures={"commands": SubmitOrder.kind})


class _Producer(NamedTuple):
    """One producer: what it speaks for, where its evidence was made, and for which hashes (None = the binding's)."""

    source: str
    make: Callable[[], Report]
    environment: str = ""
    hashes: dict[str, str] | None = None


def _producers(gates: Gates, given: Material) -> Iterator[_Producer]:
    """Yield each producer that has what it needs. A run speaks for the code and the document that it ran."""
    if given.junit is not None:
        yield _Producer(CONTROLS, lambda: played_controls(gates), SIMULATED)
    yield _Producer("preflight", lambda: preflight(files_of(given.configuration, given.docs)))
    if given.junit is not None:
        yield from _of_suite(given.junit, given)
    if given.run is None:
        return
    run = given.run
    start = started_of(run)
    where, whose = environment_of(start.environment), hashes_of(run)
    journal = open_recording(run).directory
    makers: dict[str, Callable[[], Report]] = {
        "regression": lambda: check_invariants(run), "replay_determinism": lambda: check_windows(run),
        "paper_smoke": lambda: judge_soak(run, Kind.SMOKE), "paper_isolation": lambda: isolation_of(run, given.wire),
        "fleet_consistency": lambda: fleet_report({"build": gates.binding.hashes, "desk": whose}),
        "break_glass": lambda: break_glass_of(run, gates.now()),
        "log_maturity": lambda: maturity_report(record_of((journal,), given.witness, gates.trust), gates.now()),
    }  # fmt: skip
    for source, make in makers.items():
        yield _Producer(source, make, where, whose)


def _of_suite(junit: Path, given: Material) -> Iterator[_Producer]:
    cases = cases_of(junit.read_bytes())
    reports = {
        "tests": suite_report(cases, modules_in(given.tests), coverage_pct=given.coverage_pct), **named_reports(cases)
    }  # fmt: skip
    for source, report in reports.items():
        yield _Producer(source, lambda report=report: report, SIMULATED)  # type: ignore[misc]


def modules_in(tests: Path) -> tuple[str, ...]:
    """Return the module names of all test files below a folder, as a JUnit report tells them."""
    files = sorted(tests.rglob("test_*.py"))
    return tuple(".".join((tests.name, *one.relative_to(tests).with_suffix("").parts)) for one in files)


def break_glass_of(run: Path, now: int) -> Report:
    """Return what became of break-glass in a run; a tape's own time is that of its last event."""
    recording = open_recording(run)
    source, chain = source_of(recording.directory, run)
    fold = GlassFold().fold(read(recording.directory))
    report = break_glass_report(fold, now if writer_lives(recording.directory) else fold.last, (source,))
    return msgspec.structs.replace(report, checks=(chain, *report.checks))


def hashes_of(run: Path) -> dict[str, str]:
    """Return the digests that a run stands for: its code, and those of its journaled document."""
    start = started_of(run)
    found = msgspec.to_builtins(identity.hashes_of_document(document_of(run, start), start.code_hash))
    return {name: str(value) for name, value in found.items()}


def _assessed(gates: Gates, run: Path, given: Material, clock: Clock) -> list[Produced]:
    began = clock.monotonic()
    try:
        found = assess_run(run, gates.store.snapshots, clock, life=given.life, scan=given.scan)
    except (DeskError, OSError, msgspec.MsgspecError) as fault:
        return [Produced(source="assessments", run_id="", status="unreadable", seconds=0.0, problem=str(fault))]
    spent = round((clock.monotonic() - began) / NANOS_PER_SECOND / max(1, len(found)), 3)
    return [
        Produced(
            source=one.assessment, run_id=f"assessment:{one.inputs_hash[:16]}", status=one.status.name, seconds=spent
        ) for one in found
    ]  # fmt: skip


def _living(gates: Gates) -> tuple[Snapshot, ...]:
    """Return the newest snapshots of a desk that runs beside this cycle; one that has ended renews nothing."""
    past = History()
    for journal in gates.assessments:
        if writer_lives(journal):
            past.fold(snapshots_of(journal))
    return tuple(past.newest().values())
