"""Gates of a desk, wired: what is asked for, what is known, and the answer that the runtime gets (GE-08, GE-09)."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import tradeworthy
from tradeworthy.app import identity
from tradeworthy.app.bootstrap import people_policy, policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.gates.check_mutations import registered
from tradeworthy.app.gates.preflight import files_of, preflight
from tradeworthy.app.gates.verdicts import GateAnswer, GateAsk, GateVerdicts, NoVerdicts, verdicts_of
from tradeworthy.app.identity import hashes_of_document
from tradeworthy.app.people.approvals import trust_of_desk
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError, UsageError
from tradeworthy.kernel.report import Report, address, canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.canonical import canonical as encoded_fact
from tradeworthy.operations.assessments.framework.journaled import ASSESSMENTS
from tradeworthy.operations.evidence.certificate import WaiverInForce
from tradeworthy.operations.evidence.certificate_store import read_store, waivers_of
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.trust import TrustFile, read_trust
from tradeworthy.operations.gates.asking import GateDoor, Inputs, Missing, ask
from tradeworthy.operations.gates.engine import newest_of
from tradeworthy.operations.gates.ladder import LEVELS, PROVEN, gate_of
from tradeworthy.operations.gates.model import (
    HASHES,
    Binding,
    Condition,
    Context,
    Evidence,
    Gate,
    Mode,
    SessionTimes,
    Verdict,
)
from tradeworthy.operations.gates.mutations import MutationResult, proven, run
from tradeworthy.operations.gates.named import TIERS, Act, gate_for
from tradeworthy.operations.gates.readiness import ReadinessDecided, SoakState, decide, readiness_page, soak_state
from tradeworthy.operations.gates.reading import OF_REPORTS, environment_of, of_item, of_report, unreadable
from tradeworthy.operations.gates.sources import known_sources, unmade_sources
from tradeworthy.operations.gates.store import (
    GateStore,
    GivenVerdict,
    Known,
    MutationsRun,
    NewestSnapshots,
    evidence_of,
)
from tradeworthy.operations.gates.watcher import Watcher, WatchPolicy
from tradeworthy.operations.health.policy import HealthPolicy

READINESS_TYPE = "application/vnd.tradeworthy.readiness+json"
LIVE_MICRO = TIERS.index("live_micro")
LIVE = "live"
CYCLE_DIGITS = 16
GATES_FOLDER = "gates"
"""The store of gates: below the folder of all runs, and in a desk's state that of the gate it is watched by."""


class Gates:
    """The gates over one store, for one binding.

    store        the gates' folder;  assessments  journals of snapshots
    waivers      the folder of waivers, with `trust`;  session  the open or next session, None = nobody says
    living       beside a running desk: only what is new in the journals of snapshots is read, and the past is not kept
    """

    def __init__(
        self, store: GateStore, binding: Binding, clock: Clock, *, assessments: tuple[Path, ...] = (),
        waivers: Path | None = None, trust: TrustFile | None = None, session: SessionTimes | None = None,
        commit: str = "", living: bool = False,
    ) -> None:  # fmt: skip
        self._tails = {one: NewestSnapshots(one) for one in assessments} if living else None
        self.store, self.binding, self.trust = store, binding, trust
        self.assessments = assessments
        self._clock, self._waivers, self._session, self._commit = clock, waivers, session, commit

    @property
    def clock(self) -> Clock:
        """The clock of this binding."""
        return self._clock

    def now(self) -> int:
        """Return the time by this binding's clock."""
        return self._clock.now()

    @property
    def journals(self) -> tuple[Path, ...]:
        """Every journal of snapshots that is read: the desk's, and that of cycles over this store."""
        return tuple(dict.fromkeys((*self.assessments, self.store.snapshots)))

    def newest(self, now: int) -> dict[str, Evidence]:
        """Return the newest evidence of each source that was recorded by then."""
        return newest_of(one for one in self.inputs(now).evidence if one.recorded_at <= now)

    def judge(
        self, gate: Gate, *, at: int | None = None, mode: Mode | None = None, cycle: str = "",
        journal_head: tuple[int, str] | None = None,
    ) -> Verdict:  # fmt: skip
        """Return a gate's verdict; it reads only, and keeps nothing (GE-04).

        journal_head  seq and hash of the desk's journal that the verdict is for, part of its bundle's id
        """
        now = self._clock.now() if at is None else at
        known = self.store.read()
        context = msgspec.structs.replace(self.context(gate, cycle, known), journal_head=journal_head)
        return ask(gate, self.inputs(now, known), context, now, mode=mode)

    def inputs(self, now: int, known: Known | None = None) -> Inputs:
        """Return everything that is known: evidence and waivers; `known` where the store was just read."""
        known = known or self.store.read()
        if self._tails is None:
            return Inputs(evidence_of(known, self.journals, known_sources(), now), self._waivers_in())
        try:
            newest = [one for tail in self._tails.values() for one in tail.look()]
        except (DeskError, OSError) as problem:
            newest = list(unreadable(known_sources(), str(problem), now))
        return Inputs((*known.checks, *newest), self._waivers_in())

    def context(self, gate: Gate, cycle: str = "", known: Known | None = None) -> Context:
        """Return what is known beside evidence; the proofs are those of this very code."""
        known, code = known or self.store.read(), self.binding.hashes.get("code", "")
        shown = known.proven(gate.name, code)
        if gate.ladder:
            shown |= {f"{PROVEN}{one}" for level in LEVELS for one in known.proven(gate_of(level).name, code)}
        tier = TIERS.index(self.binding.tier) if self.binding.tier in TIERS else len(TIERS)
        live = self.binding.environment == "live"
        conditions = {Condition.LIVE: live, Condition.ABOVE_LIVE_MICRO: tier > LIVE_MICRO}
        if self._session is not None:
            conditions[Condition.IN_SESSION] = self._session.opens_at <= self._clock.now() < self._session.closes_at
        return Context(
            binding=self.binding, proven=shown, conditions=conditions, cycle=cycle, session=self._session,
            commit=self._commit,
            unmade=tuple(sorted(_sources(gate) & unmade_sources())),
        )  # fmt: skip

    def ladder_context(self) -> Context:
        """Return the context of the ladder, which has the proofs of every level."""
        gate = Gate(name="ladder", title="", requirements=(), ladder=True)
        return self.context(gate)

    def mutate(self, gate: Gate) -> tuple[MutationResult, ...]:
        """Run the mutations of a gate and keep what they proved for this code (GE-17)."""
        results = run(gate, registered())
        self.store.note(MutationsRun(
            gate.name, self.binding.hashes.get("code", ""), tuple(sorted(proven(results))),
            tuple(f"{one.requirement}: {one.problem}" for one in results if one.problem),
        ))  # fmt: skip
        return results

    def record_report(self, data: bytes, source: str = "", *, environment: str = "") -> Evidence:
        """Keep a report of a verb as evidence for this release; raises `UsageError` for one that is none.

        source       what it speaks for, where its name does not say so already
        environment  where it was made; by default that of the binding
        """
        report = report_of(data)
        named = source or OF_REPORTS.get(report.name, "")
        if named not in known_sources():
            found = named or report.name
            raise UsageError(f"expected a source that a gate reads, found {found!r}; name one by --source")
        run_id = f"{report.name}:{address(data)[:CYCLE_DIGITS]}"
        return self.record(report, named, run_id=run_id, environment=environment)

    def record(
        self, report: Report, source: str, *, run_id: str, cycle: str = "", environment: str = "",
        hashes: dict[str, str] | None = None,
    ) -> Evidence:  # fmt: skip
        """Keep a report as evidence of `source`; its status is the report's own.

        environment  where it was made, by default that of the binding;  hashes  of what it is about, by default too
        """
        evidence = of_report(
            report, source, run_id=run_id, stamp=self._clock.now(), cycle=cycle,
            environment=environment or self.binding.environment,
            hashes=self.binding.hashes if hashes is None else hashes,
        )  # fmt: skip
        return self.store.record(evidence, {f"{report.name}.json": canonical(report)})

    def take(self, store: Path) -> tuple[Evidence, ...]:
        """Keep the signed items and the dry run's bundles of an evidence store that a gate reads, under this trust."""
        if self.trust is None:
            raise UsageError("an evidence store needs a trust file: nobody else says whose signatures count")
        items = read_store(store, self.trust, STANDARD, at=self._clock.now()).evidence
        return tuple(self.store.record(of_item(one)) for one in items if one.requirement in known_sources())

    def record_fault(self, source: str, problem: str, *, run_id: str, cycle: str = "") -> Evidence:
        """Keep that a producer could not speak, so that what it said before no longer counts."""
        now = self._clock.now()
        return self.store.record(Evidence(
            source=source, evidence_id="", run_id=run_id, status=None, stamp=now, recorded_at=now, provenance="",
            environment=self.binding.environment, hashes=self.binding.hashes, cycle=cycle, error=problem,
        ))  # fmt: skip

    def run_preflight(self, configuration: Path, docs: Path, cycle: str) -> Evidence:
        """Judge preflight for a cycle and keep it; the gate that is asked later only reads it."""
        report = preflight(files_of(configuration, docs))
        return self.record(report, "preflight", run_id=f"preflight:{cycle}", cycle=cycle)

    def soak(self, now: int) -> SoakState:
        """Return what the soak monitor says of this binding now."""
        return soak_state(self.newest(now), self.strict_verdict(), now)

    def ready(self, now: int, key: Ed25519PrivateKey | None = None) -> ReadinessDecided:
        """Decide on readiness over the newest inputs, journal the decision and keep it for people, signed by a key."""
        maturity = self.newest(now).get("log_maturity")
        found = decide(maturity, self.strict_verdict(), self.soak(now), self.binding.release, now)
        self.store.note(found)
        self.store.keep_document("readiness", encoded_fact(found), readiness_page(found), READINESS_TYPE, key)
        return found

    def strict_verdict(self) -> GivenVerdict | None:
        """Return the newest verdict of this binding that was asked strictly."""
        given = self.store.read().verdicts
        fits = [one for one in given if one.verdict.mode.strict and one.verdict.context.binding == self.binding]
        return fits[-1] if fits else None

    def watcher(self, gate: Gate, *, mode: Mode | None = None, policy: WatchPolicy | None = None) -> Watcher:
        """Return a watcher of a gate, which keeps verdicts when the answer turns and goes on where the last one was."""
        turns = [one for _, one in self.store.read().turns if one.gate == gate.name]
        return Watcher(
            lambda now: self.judge(gate, at=now, mode=mode), lambda verdict: self.store.keep(verdict, gate),
            self.store.note, policy=policy, before=turns[-1] if turns else None,
        )  # fmt: skip

    def door(self, *, again: bool = True) -> GateDoor:
        """Return the runtime's port; with `again` it judges anew with what is known when it is asked.

        Where money is at stake a verdict must be signed.
        """
        def now(gate: Gate, binding: Binding, at: int) -> Verdict:
            asked = Gates(
                self.store, binding, self._clock, assessments=self.assessments, waivers=self._waivers,
                trust=self.trust, session=self._session, commit=self._commit,
            )  # fmt: skip
            given = [one for one in self.store.read().verdicts if one.verdict.gate == gate.name]
            return asked.judge(gate, at=at, cycle=given[-1].verdict.context.cycle if given else "")

        return GateDoor(
            self.store, trust=self.trust, judge_now=now if again else None, signed=money_at_stake(self.binding)
        )  # fmt: skip

    def _waivers_in(self) -> tuple[WaiverInForce, ...]:
        if self._waivers is None or self.trust is None:
            return ()
        return tuple(waivers_of(self._waivers, self.trust, self.binding.release))


class RecordedVerdicts:
    """The verdicts of gates as the runtime asks for them (`GateVerdicts`): what it does not know is no GO.

    tier     of money, where the question names another kind of tier
    subject  what exactly is to be done, for the journal
    """

    def __init__(
        self, door: GateDoor, clock: Clock, act: Act = Act.GO_LIVE, *, tier: str = "", subject: str = ""
    ) -> None:
        self._door, self._clock, self._act, self._tier, self._subject = door, clock, act, tier, subject

    def answer(self, ask: GateAsk) -> GateAnswer:
        """Return GO where a signed, living verdict is for this very release, tier, environment and hashes."""
        tier = self._tier or ask.tier
        if tier not in TIERS:
            return GateAnswer(False, f"no verdict: expected a tier of {', '.join(TIERS)}, found {tier!r}")
        binding = Binding(
            release=ask.release, environment=environment_of(ask.environment), tier=tier, hashes=dict(ask.hashes)
        )
        found = self._door.verdict_for(self._act, binding, self._clock.now(), subject=self._subject)
        if isinstance(found, Missing):
            return GateAnswer(False, f"gate {found.gate}, {found.code}: {found.reason}")
        return GateAnswer(True)


def _sources(gate: Gate) -> set[str]:
    levels = [one for level in LEVELS for one in gate_of(level).requirements] if gate.ladder else []
    return {one.source for one in (*gate.requirements, *levels)}


class AllVerdicts:
    """GO where each of several says so; what any of them does not know is no GO."""

    def __init__(self, known: Sequence[GateVerdicts]) -> None:
        self._known = tuple(known)

    def answer(self, ask: GateAsk) -> GateAnswer:
        """Ask every one, so that all reasons are told at once."""
        refused = [found.why for found in (one.answer(ask) for one in self._known) if not found.go]
        return GateAnswer(not refused and bool(self._known), "; ".join(refused))


def verdicts_for(
    document: Document, runs: Path, clock: Clock, *, act: Act, tier: str = "", subject: str | None = None,
    again: bool = True,
) -> GateVerdicts:  # fmt: skip
    """Return what an act of this document asks: its gate, and the certificate where the document names evidence.

    runs     the folder of all runs, below which `tradeworthy gate check` keeps verdicts
    tier     of money that the act is for; that of the document when empty
    subject  what is to be done, journaled whatever the answer; None: a start, which journals its own refusal
    again    whether the gate is judged anew; without it the newest verdict must stand
    """
    health = policy_of(HealthPolicy, "health", document.health)
    tier = tier or policy_of(RuntimePolicy, "runtime", document.runtime).judging.money
    store = GateStore(runs / GATES_FOLDER, clock)
    binding = binding_of(document, code=identity.code_hash(), tier=tier)
    trust = read_trust(Path(health.evidence_trust)) if health.evidence_trust else None
    if trust is None and money_at_stake(binding):
        with suppress(UsageError):  # without one no verdict counts, which the door says with its question journaled
            trust = trust_of_desk(state_of(runs, document.desk.name), people_policy(document))
    gates = Gates(store, binding, clock, assessments=assessments_of(document, runs), trust=trust)
    recorded: GateVerdicts = NoVerdicts(
        f"no verdict: expected one of gate {gate_for(act, tier).name} for tier {tier} in {store.root}, found none"
    )
    if subject is not None or store.exists():
        recorded = RecordedVerdicts(gates.door(again=again), clock, act, tier=tier, subject=subject or "")
    return AllVerdicts([recorded, *([verdicts_of(health, clock)] if health.evidence_store else [])])


def money_at_stake(binding: Binding) -> bool:
    """Tell whether a verdict is about real money: then it counts only where a trusted key signed it."""
    return binding.environment == LIVE or binding.tier != TIERS[0]


def binding_of(document: Document, *, code: str, tier: str, scope: str = "desk") -> Binding:
    """Return what a verdict over this document is for; `code` is what `identity.code_hash` returned."""
    if tier not in TIERS:
        raise UsageError(f"expected a tier of {', '.join(TIERS)}, found {tier!r}")
    found: dict[str, Any] = msgspec.to_builtins(hashes_of_document(document, code))
    return Binding(
        release=tradeworthy.__version__, environment=environment_of(document.desk.environment), tier=tier, scope=scope,
        hashes={name: str(found[name]) for name in HASHES},
    )  # fmt: skip


def assessments_of(document: Document, runs: Path) -> tuple[Path, ...]:
    """Return the journal in which this desk keeps the snapshots of its assessments, where it has one."""
    directory = state_of(runs, document.desk.name) / ASSESSMENTS
    return (directory,) if directory.is_dir() else ()


def cycle_of(binding: Binding, at: int) -> str:
    """Return the id of a cycle that begins now."""
    return address(f"{binding.release}:{binding.hashes.get('config')}:{at}".encode())[:CYCLE_DIGITS]


def report_of(data: bytes) -> Report:
    """Return a report from its canonical JSON; raises `UsageError` for other bytes, or a status that is not its own."""
    try:
        plain = msgspec.json.decode(data)
        said = plain.pop("severity")
        for check in plain["checks"]:
            check["severity"] = Severity[check["severity"]].value
        report = msgspec.convert(plain, Report)
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as problem:
        raise UsageError(f"expected a report of a verb, found {problem!r}") from None
    if said != report.severity.name or canonical(report) != data:
        raise UsageError("expected a report as its verb wrote it, found an altered one")
    return report
