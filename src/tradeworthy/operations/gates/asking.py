"""Ask a gate, and be answered: the one way by which the runtime learns whether an act may be done (GE-08, GE-09)."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.dsse import signature_valid
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.report import address
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.certificate import WaiverInForce
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.vocabulary import BUILDER
from tradeworthy.operations.gates.bundle import encoded
from tradeworthy.operations.gates.engine import judge
from tradeworthy.operations.gates.ladder import climb, row_of
from tradeworthy.operations.gates.model import Answer, Binding, Context, Evidence, Gate, Mode, Row, Verdict
from tradeworthy.operations.gates.named import Act, gate_for
from tradeworthy.operations.gates.sources import known_sources
from tradeworthy.operations.gates.store import SNAPSHOTS, GateAnswered, GateStore, GivenVerdict, evidence_of
from tradeworthy.operations.gates.verify_verdict import payload_of

RUN_ID_DIGITS = 16
FIELDS = ("release", "environment", "tier", "scope", "hashes")


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Why an act may not be done: a stable code, and in words.

    codes  absent, other (release, tier ...), unsigned, no_go, expired, lapsed, unreadable
    """

    code: str
    gate: str
    reason: str
    verdict_id: str = ""


class Inputs(NamedTuple):
    """What a judgement reads: evidence and waivers. Making them never touches what they were made from (GE-04)."""

    evidence: tuple[Evidence, ...]
    waivers: tuple[WaiverInForce, ...] = ()


def ask(
    gate: Gate, inputs: Inputs, context: Context, now: int, *, mode: Mode | None = None,
    known: frozenset[str] | None = None,
) -> Verdict:  # fmt: skip
    """Return the verdict of a gate with its ladder's row, where it has one."""
    run_id = run_id_of(gate.name, context, now)
    derived: tuple[Row, ...] = ()
    if gate.ladder:
        found = climb(inputs.evidence, context, now, run_id=run_id)
        derived = (row_of(found, context.binding.tier),)
    return judge(
        gate, inputs.evidence, inputs.waivers, context, now, run_id=run_id, mode=mode or Mode(), derived=derived,
        known=known_sources() if known is None else known,
    )  # fmt: skip


def run_id_of(gate: str, context: Context, now: int) -> str:
    """Return the id of one judgement, derived from what it is about and when."""
    return f"gate:{address(f'{gate}:{context.binding.release}:{now}'.encode())[:RUN_ID_DIGITS]}"


def again(store: GateStore, given: GivenVerdict, assessments: tuple[Path, ...], gate: Gate | None = None) -> Verdict:
    """Judge a recorded verdict's moment again, under its own table, or under `gate` for today's rules (GE-13)."""
    old = given.verdict
    table = gate or store.table(old.table_hash)
    known = store.read()
    journals = tuple(dict.fromkeys((*assessments, store.snapshots)))
    evidence = evidence_of(known, journals, known_sources(), old.evaluated_at)
    return ask(table, Inputs(evidence, old.waivers_known), old.context, old.evaluated_at, mode=old.mode)


def journals_of(store: GateStore, given: GivenVerdict) -> tuple[Path, ...]:
    """Return the journals of snapshots beside a store that hold what a verdict cites: those of its own desk.

    A store lies beside the desks' states (`runs/gates`, `runs/state/DESK`) or within one of them.
    """
    cited = {one.sha256 for one in given.verdict.artefacts}
    beside = sorted(store.root.parent.glob(f"state/*/{SNAPSHOTS}"))
    found = []
    for directory in (store.root.parent / SNAPSHOTS, *beside):
        if any(directory.glob("journal-*")) and any(one.id in cited for one in snapshots_of(directory)):
            found.append(directory)
    return tuple(found)


def faults_of(
    store: GateStore, given: GivenVerdict, assessments: tuple[Path, ...], trust: TrustFile | None = None
) -> tuple[str, ...]:
    """Return everything that is wrong with a recorded verdict: its file, signature, artefacts, and its answer."""
    found = []
    place = store.root / given.verdict.gate / f"{given.verdict_id}.json"
    try:
        if address(place.read_bytes()) != given.verdict_id:
            found.append(f"{place.name}: its content is not what its id says")
    except OSError as problem:
        found.append(f"{place.name}: {problem}")
    own = {one.evidence_id for one in store.read().checks} | {row.source for row in given.verdict.rows}
    for one in given.verdict.artefacts:
        if one.sha256 not in own and one.name not in own:
            fault = store.fault_of(one.sha256, one.name)
            found += [fault] if fault else []
    if trust is not None and not signed_by(store, given, trust):
        found.append("no trusted key signed it")
    try:
        if encoded(again(store, given, assessments)) != encoded(given.verdict):
            found.append("judged again, the same moment gives another verdict")
    except DeskError as problem:
        found.append(str(problem))
    return tuple(found)


def signed_by(store: GateStore, given: GivenVerdict, trust: TrustFile) -> str:
    """Return who signed a verdict with a key that the trust file lets sign for machines, empty for nobody."""
    place = store.root / given.verdict.gate / f"{given.verdict_id}.dsse.json"
    try:
        payload, message, signatures = payload_of(place.read_bytes())
    except (OSError, ValueError):
        return ""
    if address(payload) != given.verdict_id:
        return ""
    at = stamp_of(given.verdict.evaluated_at)
    for key_id, signature in signatures:
        key = trust.key(key_id)
        if key is not None and trust.may(key, BUILDER, at) and signature_valid(
            bytes.fromhex(key.public_key), message, signature
        ):  # fmt: skip
            return key.holder
    return ""


class GateDoor:
    """The runtime's port: a valid verdict or why there is none; every question is journaled, a refusal with its reason.

    trust      whose signatures count; None: verdicts need no signature
    signed     whether one must be signed, as where money is at stake: then no trust means no verdict
    judge_now  judges a gate again with what is known now, so that newer bad evidence ends a verdict; None: it does not
    """

    def __init__(
        self, store: GateStore, *, trust: TrustFile | None = None,
        judge_now: Callable[[Gate, Binding, int], Verdict] | None = None, signed: bool = False,
    ) -> None:  # fmt: skip
        self._store, self._trust, self._judge_now, self._signed = store, trust, judge_now, signed

    def verdict_for(self, act: Act, binding: Binding, at: int, *, subject: str = "") -> Verdict | Missing:
        """Return the verdict that lets an act be done at `at`, or what is missing; the question is journaled.

        subject  what exactly is to be done, for the journal
        """
        gate = gate_for(act, binding.tier)
        found = self._found(gate, binding, at)
        refused = found if isinstance(found, Missing) else None
        self._store.note(GateAnswered(
            act=act, gate=gate.name, release=binding.release, environment=binding.environment, tier=binding.tier,
            scope=binding.scope, allowed=refused is None,
            verdict_id=refused.verdict_id if refused is not None else found.verdict_id,
            code="" if refused is None else refused.code, reason="" if refused is None else refused.reason,
            subject=subject,
        ))  # fmt: skip
        return found if isinstance(found, Missing) else found.verdict

    def _found(self, gate: Gate, binding: Binding, at: int) -> GivenVerdict | Missing:
        def missing(code: str, reason: str, verdict_id: str = "") -> Missing:
            return Missing(code=code, gate=gate.name, reason=reason, verdict_id=verdict_id)

        try:
            given = [one for one in self._store.read().verdicts if one.verdict.gate == gate.name]
        except (DeskError, OSError) as problem:
            return missing("unreadable", f"the gates' store cannot be read: {problem}")
        if not given:
            return missing("absent", f"gate {gate.name} gave no verdict: run `tradeworthy gate check {gate.name}`")
        same = [one for one in given if one.verdict.context.binding == binding]
        if not same:
            return missing("other", _difference(given[-1].verdict.context.binding, binding), given[-1].verdict_id)
        newest = same[-1]
        verdict, name = newest.verdict, newest.verdict_id
        if self._trust is not None and not signed_by(self._store, newest, self._trust):
            return missing("unsigned", "no trusted key signed the verdict", name)
        if verdict.answer is Answer.NO_GO:
            return missing("no_go", ", ".join(f"{row.id} {row.standing}" for row in verdict.unmet()) or "NO-GO", name)
        if verdict.standing(at) is Answer.NO_GO:
            ends = verdict.ends_first
            told = "it is of a later time" if ends is None or at < ends.at else f"{ends.requirement}: {ends.reason}"
            return missing("expired", told, name)
        if self._signed and self._trust is None:
            return missing("unsigned", "no trust file says whose signatures count: expected trust.json", name)
        if self._judge_now is not None:
            now = self._judge_now(gate, binding, at)
            if now.answer is Answer.NO_GO:
                why = now.problem or ", ".join(f"{row.id} {row.standing}" for row in now.unmet())
                return missing("lapsed", why, name)
        return newest


def _difference(given: Binding, wanted: Binding) -> str:
    told = [
        f"{name} {getattr(given, name)}, not {getattr(wanted, name)}" for name in FIELDS[:-1]
        if getattr(given, name) != getattr(wanted, name)
    ]  # fmt: skip
    changed = sorted(
        name for name in given.hashes.keys() | wanted.hashes.keys() if given.hashes.get(name) != wanted.hashes.get(name)
    )
    told += [f"other {', '.join(changed)}"] if changed else []
    return f"the newest verdict is for another use: {'; '.join(told)}"
