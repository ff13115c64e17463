"""Where gates keep what they know: a journal of checks, verdicts and answers, artefacts by their digest, pages.

A folder: `journal/`, `assessments/` (snapshots that cycles made), `artefacts/<sha256>`, `tables/<sha256>.json`,
`<gate>/<verdict id>.{json,md,html,dsse.json}`, `strict/<id>.json`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.dsse import envelope
from tradeworthy.kernel.errors import DeskError, HaltTrading, InvalidInput
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import UNSEALED_TAIL, verify
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.assessments.framework.journaled import SnapshotTaken, snapshots_of
from tradeworthy.operations.assessments.framework.snapshot import decode
from tradeworthy.operations.evidence.canonical import canonical_json
from tradeworthy.operations.gates.bundle import encoded, encoded_gate, table_hash
from tradeworthy.operations.gates.explain import explain_known
from tradeworthy.operations.gates.model import Answer, Evidence, Gate, Verdict
from tradeworthy.operations.gates.page import html, markdown
from tradeworthy.operations.gates.policy_ledger import StageChanged
from tradeworthy.operations.gates.reading import of_snapshot, unreadable

SOURCE = "gates"
JOURNAL, ARTEFACTS, TABLES, SNAPSHOTS = "journal", "artefacts", "tables", "assessments"
PAYLOAD_TYPE = "application/vnd.tradeworthy.gate-verdict+json"


@fact("gate.check")
class CheckTaken(Fact, frozen=True):
    """One check's evidence: `body` is its canonical JSON, which `evidence_id` addresses."""

    check: str
    evidence_id: str
    body: str


@fact("gate.verdict")
class VerdictGiven(Fact, frozen=True):
    """One verdict: `body` is its canonical JSON, which `verdict_id` addresses."""

    verdict_id: str
    gate: str
    answer: Answer
    release: str
    environment: str
    tier: str
    bundle_id: str
    expires_at: int | None
    body: str


@fact("gate.mutations")
class MutationsRun(Fact, frozen=True):
    """Which requirements of a gate a mutation was seen to flip, with this code; `failed` says why others were not."""

    gate: str
    code: str
    proven: tuple[str, ...]
    failed: tuple[str, ...]


@fact("gate.answered")
class GateAnswered(Fact, frozen=True):
    """Somebody asked whether an act may be done; `allowed` False is a refusal, with its code and reason.

    subject  what exactly was to be done, e.g. the scope of a re-arm or the hash of a changed document
    """

    act: str
    gate: str
    release: str
    environment: str
    tier: str
    scope: str
    allowed: bool
    verdict_id: str
    code: str
    reason: str
    subject: str = ""


@fact("gate.turned")
class GateTurned(Fact, frozen=True):
    """The answer of a watched gate changed; `rows` are those that stand otherwise than before."""

    gate: str
    before: str
    after: str
    verdict_id: str
    rows: tuple[str, ...]


@fact("gate.waiver_refused")
class GateWaiverRefused(Fact, frozen=True):
    """A verdict found a waiver that may not stand; the row stayed as it was."""

    gate: str
    verdict_id: str
    reason: str


class GivenVerdict(NamedTuple):
    """A verdict as it was recorded."""

    verdict_id: str
    verdict: Verdict


class Known(NamedTuple):
    """What a store holds, oldest first. `answers`, `turns` and `notes` (every other fact) with their times."""

    checks: tuple[Evidence, ...]
    verdicts: tuple[GivenVerdict, ...]
    mutations: tuple[MutationsRun, ...]
    answers: tuple[tuple[int, GateAnswered], ...]
    turns: tuple[tuple[int, GateTurned], ...]
    stages: tuple[StageChanged, ...] = ()
    notes: tuple[tuple[int, Fact], ...] = ()

    def proven(self, gate: str, code: str) -> frozenset[str]:
        """Return the requirements of a gate that its newest run of mutations proved with this very code."""
        last = next((one for one in reversed(self.mutations) if one.gate == gate and one.code == code), None)
        return frozenset() if last is None else frozenset(last.proven)

    def good_ids(self) -> dict[str, str]:
        """Return the source of evidence that is whole and OK or WARN by its id; that of a GO is `gate:NAME`."""
        good = {
            one.evidence_id: one.source for one in self.checks
            if not one.error and one.status in (Severity.OK, Severity.WARN)
        }  # fmt: skip
        told = {
            one.verdict_id: f"gate:{one.verdict.gate}" for one in self.verdicts if one.verdict.answer is Answer.GO
        }  # fmt: skip
        return good | told

    def newest(self, gate: str) -> GivenVerdict | None:
        """Return the newest verdict of a gate."""
        return next((one for one in reversed(self.verdicts) if one.verdict.gate == gate), None)


NOTHING = Known((), (), (), (), ())
"""What a store holds in which nothing was kept."""


class GateStore:
    """The gates' own folder. Writing takes the journal's lock for a moment; reading takes nothing."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root, self._clock = root, clock

    @property
    def snapshots(self) -> Path:
        """The journal of snapshots that cycles over this store made."""
        return self.root / SNAPSHOTS

    def exists(self) -> bool:
        """Tell whether anything was ever kept here."""
        return any((self.root / JOURNAL).glob("journal-*"))

    def record(self, evidence: Evidence, artefacts: Mapping[str, bytes] | None = None) -> Evidence:
        """Keep a check's evidence with what it cites and return it under its id.

        Raises `InvalidInput` where content and the digest that cites it differ.
        """
        given = artefacts or {}
        for one in evidence.artefacts:
            data = given.get(one.name)
            if data is None or address(data) != one.sha256 or len(data) != one.size:
                found = "nothing" if data is None else address(data)
                raise InvalidInput(f"{one.name}: expected content of {one.sha256}, found {found}")
            self._write(self.root / ARTEFACTS / one.sha256, data)
        body = canonical(msgspec.structs.replace(evidence, evidence_id="", recorded_at=0, size=0))
        taken = CheckTaken(evidence.source, address(body), body.decode())
        now = self._append(taken, f"check:{taken.evidence_id}")
        return msgspec.structs.replace(evidence, evidence_id=taken.evidence_id, recorded_at=now, size=len(body))

    def keep(self, verdict: Verdict, gate: Gate, key: Ed25519PrivateKey | None = None) -> str:
        """Journal a verdict, write its forms for people and machines, sign it with a key; return its id."""
        data = encoded(verdict)
        name, bound = address(data), verdict.context.binding
        self._append(
            VerdictGiven(
                name, verdict.gate, verdict.answer, bound.release, bound.environment, bound.tier, verdict.bundle_id,
                verdict.expires_at, data.decode(),
            ),
            f"verdict:{name}",
        )  # fmt: skip
        for reason in verdict.refused_waivers:
            self._append(GateWaiverRefused(verdict.gate, name, reason), f"waiver:{name}:{reason}")
        self._write(self.root / TABLES / f"{table_hash(gate)}.json", encoded_gate(gate))
        folder = self.root / verdict.gate
        self._write(folder / f"{name}.json", data)
        explained = explain_known(verdict, gate)
        self._write(folder / f"{name}.md", markdown(verdict, name, explained).encode())
        self._write(folder / f"{name}.html", html(verdict, name, explained).encode())
        if key is not None:
            self._write(folder / f"{name}.dsse.json", canonical_json(envelope(data, PAYLOAD_TYPE, key)))
        return name

    def keep_document(
        self, folder: str, data: bytes, page: str, payload_type: str, key: Ed25519PrivateKey | None = None
    ) -> Path:
        """Write a decision under its digest for machines and people, signed where a key is given; return its JSON."""
        home, name = self.root / folder, address(data)
        self._write(home / f"{name}.json", data)
        self._write(home / f"{name}.md", page.encode())
        if key is not None:
            self._write(home / f"{name}.dsse.json", canonical_json(envelope(data, payload_type, key)))
        return home / f"{name}.json"

    def note(self, told: Fact) -> None:
        """Journal what else became of gates."""
        self._append(told, f"{told.kind}:{address(canonical(told))[:32]}:{self._clock.now()}")

    def read(self) -> Known:
        """Return everything that is kept; raises `DeskError` for a journal that is damaged."""
        checks: list[Evidence] = []
        verdicts: list[GivenVerdict] = []
        mutations: list[MutationsRun] = []
        answers: list[tuple[int, GateAnswered]] = []
        turns: list[tuple[int, GateTurned]] = []
        stages: list[StageChanged] = []
        notes: list[tuple[int, Fact]] = []
        directory = self.root / JOURNAL
        there = any(directory.glob("journal-*"))
        if there:
            require_whole(directory)
        for event in read(directory) if there else ():
            match event.payload:
                case CheckTaken() as one:
                    checks.append(self._check(one, event.ts_init))
                case VerdictGiven() as one:
                    verdicts.append(GivenVerdict(one.verdict_id, decode_verdict(one.body.encode(), one.verdict_id)))
                case MutationsRun() as one:
                    mutations.append(one)
                case GateAnswered() as one:
                    answers.append((event.ts_init, one))
                case GateTurned() as one:
                    turns.append((event.ts_init, one))
                case StageChanged() as one:
                    stages.append(one)
                case other:
                    notes.append((event.ts_init, other))
        return Known(
            tuple(checks), tuple(verdicts), tuple(mutations), tuple(answers), tuple(turns), tuple(stages), tuple(notes)
        )

    def table(self, sha256: str) -> Gate:
        """Return a kept table; raises `InvalidInput` where it is gone or altered."""
        try:
            data = (self.root / TABLES / f"{sha256}.json").read_bytes()
            if address(data) != sha256:
                raise InvalidInput(f"expected the table {sha256}, found {address(data)}: it was altered")
            return msgspec.json.decode(data, type=Gate)
        except (OSError, msgspec.MsgspecError) as problem:
            raise InvalidInput(f"expected the table {sha256} in {self.root / TABLES}, found {problem}") from None

    def _check(self, taken: CheckTaken, at: int) -> Evidence:
        body = taken.body.encode()
        found = msgspec.json.decode(body, type=Evidence)
        error = "" if address(body) == taken.evidence_id else "its content is not what its id says"
        for one in found.artefacts:
            error = error or self.fault_of(one.sha256, one.name)
        return msgspec.structs.replace(
            found, evidence_id=taken.evidence_id, recorded_at=at, size=len(body), error=found.error or error
        )

    def fault_of(self, sha256: str, name: str) -> str:
        """Return what is wrong with an artefact that is cited, empty where nothing is."""
        try:
            data = (self.root / ARTEFACTS / sha256).read_bytes()
        except OSError:
            return f"{name}: the artefact {sha256[:16]} is gone"
        return "" if address(data) == sha256 else f"{name}: the artefact {sha256[:16]} was altered"

    def _append(self, payload: Fact, key: str) -> int:
        now = self._clock.now()
        journal = Journal.open(
            self.root / JOURNAL, clock=self._clock, policy=JournalPolicy(batch_events_max=1)
        )  # fmt: skip
        try:
            journal.accept(event_of(payload, source=SOURCE, key=key, ts_event=now, ts_init=now))
        finally:
            journal.close()
        return now

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, data)


def require_whole(directory: Path) -> None:
    """Raise `HaltTrading` for a journal whose chain is broken; what its writer has not sealed yet is not read."""
    found = verify(directory)
    if not found.ok and found.problem != UNSEALED_TAIL:
        raise HaltTrading(f"{directory}: expected a whole journal, found it damaged at seq {found.first_bad_seq}")


def decode_verdict(data: bytes, wanted: str) -> Verdict:
    """Return a verdict from its canonical JSON; raises `InvalidInput` where it is not what its id says."""
    if address(data) != wanted:
        raise InvalidInput(f"expected the verdict {wanted}, found {address(data)}: it was altered")
    try:
        return msgspec.json.decode(data, type=Verdict)
    except msgspec.MsgspecError as problem:
        raise InvalidInput(f"expected a verdict, found {problem}") from None


class NewestSnapshots:
    """The newest snapshot of each assessment of a journal, folded on at each look: a look costs what is new."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen = 0
        self._newest: dict[str, Evidence] = {}

    def look(self) -> tuple[Evidence, ...]:
        """Return them as evidence; raises `DeskError` for a journal that is damaged."""
        if not any(self._directory.glob("journal-*")):
            return ()
        if not self._seen:
            require_whole(self._directory)
        for event in read(self._directory, start=self._seen + 1):
            if isinstance(event.payload, SnapshotTaken):
                found = of_snapshot(decode(event.payload.body.encode()))
                self._newest[found.source] = found
            self._seen = event.seq
        return tuple(self._newest.values())


def evidence_of(known: Known, assessments: Iterable[Path], sources: frozenset[str], at: int) -> tuple[Evidence, ...]:
    """Return all evidence: the store's checks, and the snapshots of these journals.

    A journal that cannot be read makes every source unreadable, as nobody knows what it would have said.
    """
    found = list(known.checks)
    for directory in assessments:
        try:
            if any(directory.glob("journal-*")):
                require_whole(directory)
            found += [of_snapshot(one) for one in snapshots_of(directory)]
        except (DeskError, OSError) as problem:
            return (*found, *unreadable(sources, f"{directory}: {problem}", at))
    return tuple(found)
