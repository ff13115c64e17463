"""`tradeworthy gate promote|strict`: make the evidence of a cycle, then judge; 0 GO, 1 with warnings, 2 NO-GO."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app.config import load
from tradeworthy.app.gates.cycle import Asked, ask_in_cycle, strict_cycle
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.producers import CyclePolicy, Material
from tradeworthy.app.runbooks import DOCS
from tradeworthy.app.runs.folder import document_of, started_of
from tradeworthy.cli import gate_looks
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_for
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.gates.model import Mode
from tradeworthy.operations.gates.named import gate_named

Flag = Annotated[bool, Parameter(negative="")]
RUN_DOCUMENT = "configuration.json"


@Parameter(name="*")
@dataclass(frozen=True)
class Given:
    """What a cycle judges; what is not given makes no evidence.

    Attributes
    ----------
    gates
        The gates' folder.
    tier
        The tier that it is for.
    run
        The folder of a run that is judged: invariants, replay, smoke, isolation and every assessment.
    life
        The folder of its process's life.
    scan
        A folder or file to look for secrets in; may be given several times.
    junit
        The report of the whole suite, as `pytest --junitxml` wrote it.
    tests
        The folder of the suite's files.
    coverage
        Percent of lines that the same run of the suite covered.
    wire
        The exchange's request log.
    witness
        The minutes that an outside witness signed; needs --trust.
    docs
        Where runbooks and schemas lie; those of this release if absent.
    assessments
        Journals of snapshots; by default that of the desk, state/DESK/assessments beside the gates' folder.
    waivers
        The folder of waivers; needs --trust.
    trust
        The trust file.
    key
        The private key that signs the verdict.
    wait
        Seconds to wait at most for what a running desk renews.
    """

    gates: Folder = GATES_FOLDER
    tier: str = "paper"
    run: Path | None = None
    life: Path | None = None
    scan: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    junit: Path | None = None
    tests: Path = Path("tests")
    coverage: float | None = None
    wire: Path | None = None
    witness: Path | None = None
    docs: Path | None = None
    assessments: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    waivers: Path | None = None
    trust: Path | None = None
    key: Path | None = None
    wait: int = CyclePolicy().wait_s

    def wired(self, configuration: Path | None) -> tuple[Gates, Material]:
        """Return the gates of the document, or of the run's own, and what the cycle may read."""
        if configuration is None and self.run is None:
            raise UsageError(
                "name the desk's document, e.g. config/paper.toml, or a run by --run, e.g. `--run runs/demo-…`"
            )
        if self.witness is not None and self.trust is None:
            raise UsageError("--witness needs --trust: nobody else says whose signatures count")
        if self.wait < 0:
            raise UsageError(f"expected --wait of at least 0, found {self.wait}")
        if configuration is not None:
            document, place = load(configuration), configuration
        else:
            assert self.run is not None
            document, place = document_of(self.run, started_of(self.run)), self.run / RUN_DOCUMENT
        asked = gates_for(document, self.gates, self.tier, "desk", self.assessments, self.waivers, self.trust)
        return asked, Material(
            configuration=place, docs=self.docs or DOCS, run=self.run, life=self.life, scan=self.scan, junit=self.junit,
            tests=self.tests, coverage_pct=self.coverage, wire=self.wire, witness=self.witness,
        )  # fmt: skip

    @property
    def policy(self) -> CyclePolicy:
        """How long the cycle waits."""
        return CyclePolicy(wait_s=self.wait)


GIVEN = Given()


def promote(
    configuration: Path | None = None, /, *, given: Given = GIVEN, ci: Flag = False, strict: Flag = False,
    json: Flag = False,
) -> int:  # fmt: skip
    """Make what this cycle needs (proofs of mutation, preflight, evidence of a run), then judge gate promotion.

    Parameters
    ----------
    configuration
        The document of the desk that is to be promoted; that of --run when not given.
    ci
        As a build asks: shorter ages, no waivers.
    strict
        Warning rows are critical.
    json
        Print the verdict's JSON.
    """
    gates, material = given.wired(configuration)
    key = None if given.key is None else private_key(given.key)
    with Console(stderr=True).status("making what the cycle needs, then judging; with --run about a minute …"):
        asked = ask_in_cycle(
            gates, gate_named("promotion"), material, SystemClock(), mode=Mode(ci=ci, strict=strict),
            policy=given.policy, key=key,
        )  # fmt: skip
    return gate_looks.told(asked.verdict, asked.verdict_id, given.gates, json=json)


def strict(
    configuration: Path | None = None, /, *, given: Given = GIVEN, gate: str = "live", incident: str = "",
    json: Flag = False,
) -> int:  # fmt: skip
    """Run the strict cycle: producers first, wait for the desk, then the gate as a build asks; keep what was done.

    Parameters
    ----------
    configuration
        The document of the desk; that of --run when not given.
    gate
        The gate that is asked.
    incident
        An incident to note the result for.
    json
        Print the verdict's JSON.
    """
    gates, material = given.wired(configuration)
    key = None if given.key is None else private_key(given.key)
    with Console(stderr=True).status("making what the cycle needs, then judging; with --run about a minute …"):
        asked = strict_cycle(
            gates, gate_named(gate), material, SystemClock(), incident=incident, policy=given.policy, key=key
        )  # fmt: skip
    if not json:
        _produced(asked, given.gates)
    return gate_looks.told(asked.verdict, asked.verdict_id, given.gates, json=json)


def _produced(asked: Asked, folder: Path) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in asked.cycle.produced:
        console.print(f"made  {one.source:<24} {one.status:<10} {one.seconds:8.2f} s  {one.problem}")
    if asked.cycle.late:
        console.print(f"late  {', '.join(asked.cycle.late)}", style="yellow")
    console.print(f"cycle  {folder / 'strict' / asked.cycle.cycle_id}.json")
