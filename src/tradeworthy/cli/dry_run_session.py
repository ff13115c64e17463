"""What the dry run's verbs share: signals, the chain under a command, what is printed at the end."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import msgspec

from tradeworthy.app.evidence.desk_evidence import keep_desk_evidence, ran_of
from tradeworthy.app.evidence.observed_desks import DeskJournals, keep_configuration
from tradeworthy.app.identity import account_here, code_hash, commit_at
from tradeworthy.cli.dry_run_evidence import give, give_json
from tradeworthy.cli.dry_run_switches import HarnessSwitches, ReviewSwitches, command_environment, shown
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import ExitCode, HaltTrading, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact, register_environment
from tradeworthy.operations.dry_run.artefacts import EvidenceReference, RunState, Summary
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain, ChainResult
from tradeworthy.operations.dry_run.command import ChildCommand
from tradeworthy.operations.dry_run.deliver import Bundled, Deliveries, deliver
from tradeworthy.operations.dry_run.model import RunClass
from tradeworthy.operations.dry_run.one_harness import alone_in
from tradeworthy.operations.dry_run.plan import LOG_STEM, hashes_of, require, require_run_id, run_id_of, stamp_name
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.preflight import RunPaths, resolve
from tradeworthy.operations.dry_run.recover import Left, has_verdict, reasons_against_resuming, still_running
from tradeworthy.operations.dry_run.release_manifest import read_release
from tradeworthy.operations.dry_run.run_folder import RunFolder, refuse_known_run
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.evidence.build import build
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.collect import Inputs, gather
from tradeworthy.operations.evidence.relaxations import waived
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.evidence.vocabulary import ENVIRONMENTS
from tradeworthy.operations.evidence.witness_source import WitnessSource, require_witness_key


class Artefact(NamedTuple):
    """A file or folder that the end of a run names."""

    name: str
    path: Path


def play(settings: RunSettings, *, clock: Clock, summary: Path | None, carried: RunState | None = None) -> ChainResult:
    """Run a command to its verdict; SIGINT and SIGTERM end it in order, a second one at once."""
    environment = command_environment(settings.injected())
    program = resolve(settings.command[0], environment, None if settings.folder is None else Path(settings.folder))
    if program is None:
        raise UsageError(f"expected a command that can be run, found {settings.command[0]!r}")
    words = (program, *settings.command[1:])

    def make(failed: Callable[[str, BaseException], None]) -> ChildCommand:
        return ChildCommand(
            words, environment, settings.paths.log_dir, clock=clock, policy=settings.policy.pumps, pump_failed=failed,
            started_in=settings.folder,
        )  # fmt: skip

    chain = Chain(
        settings, AuditJudges(), clock=clock, say=say, summary_path=summary, desks=DeskJournals(),
        witness=_witness_of(settings, clock, hurried=lambda: chain.interrupted),
    )  # fmt: skip
    with _Signals(chain):
        try:
            with alone_in(settings.paths.run_state.parent):
                return chain.run(make, carried=carried)
        except OSError as problem:
            if not chain.spawned:
                raise UsageError(f"could not run {shown(settings.command)}: {problem}") from None
            place = settings.paths.run_state.parent
            raise HaltTrading(
                f"the run failed: expected to be able to write its evidence in {place}, found {problem}. The command "
                f"was ended. Make room, then --recover {place} judges what is there"
            ) from None


def recover(left: Left, *, clock: Clock, deliveries: Deliveries) -> ChainResult:
    """Complete the artefacts of a run whose harness died; one that has its verdict and all artefacts is left alone."""
    chain = Chain(
        left.settings, AuditJudges(), clock=clock, say=say, summary_path=deliveries.summary_json, desks=DeskJournals(),
        witness=_witness_of(left.settings, clock),
    )  # fmt: skip
    with alone_in(left.settings.paths.run_state.parent):
        if left.state.complete and has_verdict(left.settings.paths.progress) and deliveries.delivered():
            raise UsageError(
                f"expected a run whose harness died, found one that ended with its verdict in "
                f"{left.settings.paths.progress}; nothing was changed. final-dry-run-audit judges its files again"
            )
        return chain.recover(left)


def planned(
    command: tuple[str, ...], switches: HarnessSwitches, paths: RunPaths, policy: HarnessPolicy, *, now: int,
    label: str | None, folder: Path,
) -> RunSettings:  # fmt: skip
    """Return the settings of a fresh run; raises `UsageError` with every reason why it may not start."""
    pairs = switches.environment_pairs()
    metadata = switches.metadata_pairs()
    require(policy, paths, command, command_environment(pairs), more=switches.unverifiable())
    run_id = run_id_of(now, command, folder) if switches.run_id is None else require_run_id(switches.run_id)
    settings = RunSettings(
        run_id=run_id, name=f"{LOG_STEM}_{stamp_name(now)}", command=command, policy=policy,
        paths=paths, folder=str(Path.cwd()), label=label, metadata=metadata, user_environment=pairs,
        hashes=hashes_of(command, code=code_hash()),
        trust=None if switches.trust is None else str(switches.trust.absolute()), witness=switches.witness_place(),
        operator=switches.operator or account_here(), account=account_here(), commit=commit_at(Path.cwd()),
        gathered=None if switches.evidence is None else str(switches.evidence.absolute()),
    )  # fmt: skip
    if switches.evidence is not None and not switches.evidence.is_dir():
        raise UsageError(f"--evidence: expected a folder, found none at {switches.evidence}")
    if switches.trust is not None and settings.witness is not None:
        require_witness_key(read_trust(switches.trust), at=stamp_of(now))
    if switches.run_id is not None:
        refuse_known_run(folder.parent, run_id)
    if switches.waiver:
        settings = _with_waivers(settings, switches, now=now, folder=folder)
    if switches.release is not None:
        release, data = read_release(switches.release)
        places = RunFolder(settings.paths.run_state.parent)
        places.evidence.mkdir(parents=True, exist_ok=True)
        write_durably(places.release_manifest, data)
        settings = msgspec.structs.replace(settings, release=release.hashes(), author=release.author)
    return settings


def _witness_of(
    settings: RunSettings, clock: Clock, *, hurried: Callable[[], bool] = lambda: False
) -> WitnessSource | None:
    if settings.witness is None or settings.trust is None:
        return None
    place = RunFolder(settings.paths.run_state.parent).witness
    trust = read_trust(Path(settings.trust))
    return WitnessSource(settings.witness, place, trust, run_id=settings.run_id, clock=clock, hurried=hurried)


def _with_waivers(settings: RunSettings, switches: HarnessSwitches, *, now: int, folder: Path) -> RunSettings:
    """Return the settings with what signed waivers cover, under the id that they were issued for."""
    given = waived(switches.waiver, switches.trust, settings.policy.relaxations(), at=stamp_of(now))
    if switches.run_id not in (None, given.scope):
        raise UsageError(f"the waivers are for the run {given.scope}, this is {switches.run_id}")
    refuse_known_run(folder.parent, given.scope)
    given.keep(RunFolder(settings.paths.run_state.parent).waivers)
    return msgspec.structs.replace(settings, run_id=given.scope, waivers=given.documents, waived=given.covers)


def continued(left: Left, command: tuple[str, ...], switches: HarnessSwitches) -> RunSettings:
    """Return the settings of a run to go on with; raises `UsageError` when it may not."""
    pairs = switches.environment_pairs()
    settings = left.settings
    folder = None if settings.folder is None else Path(settings.folder)
    hashes = hashes_of(settings.command, code=code_hash(), folder=folder)
    require(
        settings.policy, settings.paths, settings.command, command_environment(pairs), resumed=True, folder=folder,
        more=(*reasons_against_resuming(left, command, hashes, frozenset(pairs)), *still_running(settings)),
    )  # fmt: skip
    return msgspec.structs.replace(settings, user_environment=pairs)


def hide_secrets(switches: HarnessSwitches) -> None:
    """Register the secrets of the environment and of `--env`, so that they reach no artefact."""
    if switches.resume is not None and switches.recover is not None:
        raise UsageError("--resume and --recover cannot both be given")
    given = (
        ("--waiver", switches.waiver or None), ("--run-id", switches.run_id), ("--witness", switches.witness),
        ("--release", switches.release), ("--trust", switches.trust),
    )  # fmt: skip
    fixed = [switch for switch, value in given if value is not None]
    if fixed and (switches.resume is not None or switches.recover is not None):
        raise UsageError(f"{', '.join(fixed)}: a run that goes on keeps what it was started with")
    register_environment({**os.environ, **switches.environment_pairs()})


def finish(
    result: ChainResult, settings: RunSettings, deliveries: Deliveries, review: ReviewSwitches, *,
    now: int | None = None, bundled: RunFolder | None = None,
) -> int:  # fmt: skip
    """Write what goes after the verdict, print the end and return the exit code.

    now      ns UTC of the writing; the machine's clock when not given
    bundled  the run folder whose evidence is packed in a bundle; None packs nothing
    """
    with _Writing():
        return _finished(result, settings, deliveries, review, now=now, bundled=bundled)


def _finished(
    result: ChainResult, settings: RunSettings, deliveries: Deliveries, review: ReviewSwitches, *,
    now: int | None, bundled: RunFolder | None,
) -> int:  # fmt: skip
    paths = settings.paths
    places = msgspec.structs.replace(deliveries, diary=paths.diary, performance=paths.performance)
    done = deliver(
        result.summary, places, code=result.exit_code, now=now or SystemClock().now(),
        bundle=None if bundled is None else lambda summary: _bundle(bundled, summary, settings),
    )  # fmt: skip
    if review.review_output is not None and done.review_page is not None:
        place = Path(review.review_output)
        if review.review_format == "json":
            give_json(done.review_document or {}, place)
        else:
            give(done.review_page, place)
    named = (
        ("logs", paths.log_dir), ("progress", paths.progress), ("timeline", paths.timeline_dir),
        ("incidents", paths.incidents), ("summary", deliveries.summary_json), ("page", deliveries.summary_markdown),
        ("review", deliveries.review_markdown), ("review json", deliveries.review_json),
        ("wrap-up", deliveries.wrap_up_markdown), ("backlog", deliveries.backlog),
        ("packet", None if deliveries.packet is None else deliveries.packet.folder),
        ("archive", None if deliveries.packet is None else deliveries.packet.archive),
        ("bundle", None if bundled is None else bundled.bundle),
        ("bundle page", None if bundled is None else bundled.bundle_page),
    )  # fmt: skip
    announce(result, done.exit_code, tuple(Artefact(name, path) for name, path in named if path is not None))
    return done.exit_code


def _bundle(folder: RunFolder, summary: Summary, settings: RunSettings) -> Bundled:
    """Pack the run's evidence; a run whose parts are not all there has no bundle, and leaves with 1 at least."""
    desk = summary.summary.metadata.desk
    try:
        gather(folder.evidence, None if settings.gathered is None else Path(settings.gathered), settings.paths.log_dir)
        if desk is not None:
            keep_configuration(Path(desk.folders[-1]), folder.configuration)
            missing = keep_desk_evidence(desk, folder.evidence, ran_of(summary))
            for line in missing if summary.run_class is RunClass.RELEASE else ():
                say(line)
        inputs = Inputs(
            environment=ENVIRONMENTS[0] if desk is None else desk.evidence_environment, author=settings.author,
            operator=settings.operator, desk=settings.account, commit=settings.commit,
            journal=None if desk is None else Path(desk.journals[-1]),
            trust=None if settings.trust is None else read_trust(Path(settings.trust)).encoded(),
        )  # fmt: skip
        built = build(folder.root, folder.bundle, inputs, page=folder.bundle_page)
    except UsageError as problem:
        say(f"no evidence bundle was built, so this run can support no gate: {problem}")
        return Bundled(EvidenceReference(), ExitCode.WARN)
    except OSError as problem:
        say(f"the evidence bundle could not be written: {problem}")
        return Bundled(EvidenceReference(), ExitCode.FAIL)
    say(f"evidence bundle {built.bundle_id}, {built.entries} entries, not signed yet")
    return Bundled(EvidenceReference(bundle_id=built.bundle_id, merkle_root=built.merkle_root), ExitCode.PASS)


def say(line: str) -> None:
    """Print one line for people on standard error."""
    sys.stderr.write(f"{redact(line)}\n")
    sys.stderr.flush()


def announce(result: ChainResult, code: int, artefacts: tuple[Artefact, ...]) -> None:
    """Print relaxations, status, exit code and where everything is."""
    summary = result.summary
    lines = [f"relaxed      {one.told()}" for one in summary.relaxations]
    lines += [f"waiver       {one['waiver_id']} of {one['finding_code']} until {one['expires_at']}: {one['reason']}"
              for one in summary.waivers]  # fmt: skip
    lines += [f"status       {summary.status}", f"class        {summary.run_class}", f"exit code    {code}"]
    if summary.sign_off is not None:
        lines.append(f"sign-off     {summary.sign_off.status}")
        lines += [f"  {one.severity} {one.code}: {one.message}" for one in summary.sign_off.findings]
    lines += [f"rehearsal    {reason}" for reason in result.rehearsal_reasons]
    lines += [f"{one.name:<12} {one.path}" for one in artefacts if one.path.exists()]
    sys.stdout.write(redact("\n".join(lines)) + "\n")
    sys.stdout.flush()


class _Signals:
    """Turn SIGINT and SIGTERM into an orderly end of the chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._chain.interrupt()


class _Writing:
    """Let the first SIGINT or SIGTERM wait until what goes after the verdict is written; the second ends at once."""

    def __enter__(self) -> None:
        self._heard = 0
        self._before = {number: signal.signal(number, self._wait) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _wait(self, number: int, _frame: FrameType | None) -> None:
        self._heard += 1
        if self._heard > 1:
            raise KeyboardInterrupt
        say("the run is over and has its verdict; its artefacts are being written, a second signal leaves them undone")
