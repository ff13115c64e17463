"""A strict cycle: make the evidence first, wait for what the desk renews, then ask gate `live` strictly (GT-04)."""

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.gates.desk_gates import Gates, cycle_of
from tradeworthy.app.gates.producers import CyclePolicy, Material, Produced, await_renewed, produce
from tradeworthy.app.research.regression import source_of
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.report import address
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.gates.explain import explain_known
from tradeworthy.operations.gates.model import Answer, Gate, Mode, Verdict

STRICT = "strict"
STRICT_MODE = Mode(ci=True, strict=True)


class StrictCycle(msgspec.Struct, frozen=True, kw_only=True):
    """What one cycle did, in order: producers with their own run ids, what was late, and the verdict by its id."""

    schema: str = "tradeworthy.strict-cycle/1"
    cycle: str
    gate: str
    began_at: int
    asked_at: int
    produced: tuple[Produced, ...]
    late: tuple[str, ...]
    verdict_id: str
    bundle_id: str
    answer: Answer
    exit_code: int

    @property
    def cycle_id(self) -> str:
        """The SHA-256 of what it says."""
        return address(canonical(self))


@fact("gate.strict_note")
class StrictNote(Fact, frozen=True):
    """What a strict cycle found, for an incident that somebody named."""

    incident: str
    cycle_id: str
    verdict_id: str
    answer: Answer
    text: str


class Asked(msgspec.Struct, frozen=True):
    """A judged cycle: the verdict, its id, and the cycle itself."""

    verdict: Verdict
    verdict_id: str
    cycle: StrictCycle


def ask_in_cycle(
    gates: Gates, gate: Gate, given: Material, clock: Clock, *, mode: Mode, policy: CyclePolicy | None = None,
    key: Ed25519PrivateKey | None = None,
) -> Asked:  # fmt: skip
    """Prove the table's mutations, run the producers, wait for the desk, judge, and keep the verdict."""
    began = clock.now()
    cycle = cycle_of(gates.binding, began)
    gates.mutate(gate)
    made = produce(gates, given, cycle, clock)
    late = await_renewed(gates, began, clock, policy or CyclePolicy())
    asked_at = clock.now()
    verdict = gates.judge(gate, at=asked_at, mode=mode, cycle=cycle, journal_head=head_of(given.run))
    name = gates.store.keep(verdict, gate, key)
    return Asked(verdict, name, StrictCycle(
        cycle=cycle, gate=gate.name, began_at=began, asked_at=asked_at, produced=made, late=late, verdict_id=name,
        bundle_id=verdict.bundle_id, answer=verdict.answer, exit_code=int(verdict.exit_code),
    ))  # fmt: skip


def head_of(run: Path | None) -> tuple[int, str] | None:
    """Return seq and hash of the head of a run's journal, None without a run or where it is damaged."""
    if run is None:
        return None
    source, chain = source_of(journal_of(run), run)
    return None if chain.severity else (source.last, source.head)


def strict_cycle(
    gates: Gates, gate: Gate, given: Material, clock: Clock, *, incident: str = "", policy: CyclePolicy | None = None,
    key: Ed25519PrivateKey | None = None,
) -> Asked:  # fmt: skip
    """Run a cycle as a build asks, write `strict/<id>.json`, and note it for an incident where one is named."""
    asked = ask_in_cycle(gates, gate, given, clock, mode=STRICT_MODE, policy=policy, key=key)
    found = asked.cycle
    place = gates.store.root / STRICT / f"{found.cycle_id}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_durably(place, canonical(found))
    if incident:
        unmet = explain_known(asked.verdict, gate).unmet
        text = f"{len(unmet)} rows are not met: {', '.join(row.id for row in unmet[:8])}" if unmet else "all rows met"
        gates.store.note(StrictNote(incident, found.cycle_id, asked.verdict_id, found.answer, text))
    return asked


def code_of(asked: Asked) -> ExitCode:
    """Return 0 GO, 1 with warnings, 2 NO-GO, 3 the table cannot be used."""
    return asked.verdict.exit_code
