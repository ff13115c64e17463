"""`tradeworthy release manifest|judge|preflight|fitness`: name what a release is made of, and say whether it may go."""

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.gates.release import digests_of
from tradeworthy.app.gates.rollback import code_of
from tradeworthy.app.gates.upgrade import preflight_candidate
from tradeworthy.app.gates.upstream import fitness_of
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.report import EXIT_CODES, Report
from tradeworthy.operations.dry_run.release_manifest import ReleaseManifest, read_release
from tradeworthy.operations.evidence.canonical import Malformed, stamp_of
from tradeworthy.operations.evidence.certificate_store import items_in, nanos_of_stamp
from tradeworthy.operations.evidence.release import (
    SIGNATURE_SUFFIX,
    judge_release,
    proofs_of,
    sealed_release,
    signer_of,
)
from tradeworthy.operations.evidence.trust import read_trust

app = App(name="release", help="Name what a release is made of, and say whether it may go.")
DEFAULT_RUNS = Path("runs")
DEFAULT_LOCK, DEFAULT_SCHEMAS = Path("requirements/run.txt"), Path("docs/schemas")


@app.command
def manifest(
    configuration: Path, /, *, release: str, author: str, image: str, output: Path, key: Path,
    lock: Path = DEFAULT_LOCK, schemas: Path = DEFAULT_SCHEMAS, environment: str | None = None,
) -> int:  # fmt: skip
    """Measure a release and write its signed manifest: OUTPUT, and its signature beside it.

    Parameters
    ----------
    configuration
        The TOML document that will run.
    release
        The release's name.
    author
        Who wrote it; this person may not sign its evidence.
    image
        The wheel's file, or the digest sha256:… of the image.
    output
        Where the manifest goes.
    key
        The builder's private key.
    lock
        The file of pinned packages.
    schemas
        The folder of shipped schemas.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    """
    private = private_key(key)
    digests = digests_of(config.load(configuration, environment=environment), image=image, lock=lock, schemas=schemas)
    named = ReleaseManifest(schema="release.manifest@1", release=release, author=author, digests=digests)
    data = msgspec.json.format(msgspec.json.encode(named), indent=1) + b"\n"
    write_durably(output, data)
    seal = output.with_name(output.name + SIGNATURE_SUFFIX)
    write_durably(seal, sealed_release(data, private, at=stamp_of(SystemClock().now())))
    console = _console()
    for name, value in msgspec.structs.asdict(digests).items():
        console.print(f"{name:<14} {value}")
    console.print(f"manifest       {output}\nsignature      {seal}")
    return ExitCode.PASS


@app.command
def judge(
    manifest: Path, configuration: Path, /, *, image: str, store: Path, trust: Path, lock: Path = DEFAULT_LOCK,
    schemas: Path = DEFAULT_SCHEMAS, environment: str | None = None, at: str | None = None,
) -> int:  # fmt: skip
    """Say go (0) or no go (2, with every reason): what is there is the manifest's, and all four proofs hold for it.

    Parameters
    ----------
    manifest
        The signed manifest.
    configuration
        The TOML document that will run.
    image
        The wheel's file, or the digest sha256:… of the image.
    store
        The evidence store with the sealed proofs: start_up, hard_stop_drill, monitoring, alert_delivery.
    trust
        The trust file.
    lock
        The file of pinned packages.
    schemas
        The folder of shipped schemas.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    at
        The time to judge for; now when not given.
    """
    try:
        now = SystemClock().now() if at is None else nanos_of_stamp(at)
    except Malformed as problem:
        raise UsageError(f"--at: {problem}") from None
    known = read_trust(trust)
    named, data = read_release(manifest)
    seal = manifest.with_name(manifest.name + SIGNATURE_SUFFIX)
    console = _console()
    signer = None
    try:
        signer = signer_of(data, seal.read_bytes(), known)
    except (OSError, InvalidInput) as problem:
        console.print(f"signature: {problem}", style="yellow")
    found = digests_of(config.load(configuration, environment=environment), image=image, lock=lock, schemas=schemas)
    findings = judge_release(named, found, proofs_of(items_in(store, known), named, now=now), signer=signer)
    for one in findings:
        console.print(f"fail  {one.code}: {one.message}", style="red")
    if findings:
        console.print(f"no go  {named.release}")
        return ExitCode.FAIL
    console.print(f"go     {named.release}, signed by {signer}")
    return ExitCode.PASS


@app.command
def preflight(
    source: Path, configuration: Path, /, *, run: Path | None = None, gates: Folder = GATES_FOLDER,
    tier: str = "paper",
) -> int:  # fmt: skip
    """Hold a candidate beside the running release: 0 it may take its place, 1 warnings, 2 something breaks, 3 unknown.

    It is looked at in processes of its own: every module is imported, ports and journaled facts are compared, its
    contract suites run, the document is read, and a run is carried on. What was seen is kept as evidence for it.

    Parameters
    ----------
    source
        The source tree of the candidate: the folder that holds its package.
    configuration
        The document of the desk.
    run
        The folder of a run of this desk, whose journal the candidate must carry on.
    gates
        The gates' folder, in which the rehearsal of a rollback is looked for too.
    tier
        The tier that it is for.
    """
    asked, clock = gates_of(gates, configuration, tier), SystemClock()
    code = code_of(source)
    report = preflight_candidate(asked, source, configuration, run=run)
    kept = asked.record(
        report, "upgrade_preflight", run_id=f"upgrade:{clock.now()}", hashes={**asked.binding.hashes, "code": code}
    )  # fmt: skip
    return _told(report, f"upgrade_preflight  {report.severity.name}  {kept.evidence_id}")


@app.command
def fitness(
    configuration: Path, /, *, runs: Path = DEFAULT_RUNS, gates: Folder = GATES_FOLDER, tier: str = "paper"
) -> int:
    """Say whether an adapter is to be looked at again, by incidents, post-trade and live runs: 0 no, 1 yes, 3 unknown.

    Parameters
    ----------
    configuration
        The document of the desk.
    runs
        The folder of all runs.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    """
    asked, clock = gates_of(gates, configuration, tier), SystemClock()
    report = fitness_of(asked, runs, config.load(configuration).desk.name)
    kept = asked.record(report, "upstream_fitness", run_id=f"fitness:{clock.now()}")
    return _told(report, f"upstream_fitness  {report.severity.name}  {kept.evidence_id}")


def _told(report: Report, last: str) -> int:
    console = _console()
    for one in report.checks:
        console.print(f"{one.severity.name:<8} {one.code:<34} {one.observed}; {one.limit}")
        if one.text and one.severity:
            console.print(f"{'':<8} {one.text}")
    console.print(last)
    return EXIT_CODES[report.severity]


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
