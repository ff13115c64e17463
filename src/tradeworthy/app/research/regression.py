"""Judge a recorded run by the rules that every history must keep: invariants (RP-03), windows (RP-04)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradeworthy.app import config
from tradeworthy.app.bootstrap import build_desk
from tradeworthy.app.config import Document
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import read, read_raw
from tradeworthy.kernel.journal.verify import verify as verify_chain
from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.regression.invariants import InvariantPolicy, judge_lines
from tradeworthy.research.regression.windows import (
    Window,
    WindowPolicy,
    choose,
    judge_windows,
    replay_windows,
    windows_of,
)
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import RunStarted


class Recording(msgspec.Struct, frozen=True):
    """A run folder opened for judging: its journal, the document it ran, and how to build its desk again."""

    directory: Path
    document: Document
    build: Callable[[], Desk]


def open_recording(folder: Path) -> Recording:
    """Return the run in `folder`; raises `UsageError` without a journal that begins with `run.started`."""
    directory = journal_of(folder)
    start = next(read(directory, stop=2), None)
    if start is None or not isinstance(start.payload, RunStarted):
        raise UsageError(f"{folder}: expected a journal that begins with run.started, found {start and start.kind}")
    document = config.parse(msgspec.json.decode(start.payload.document), origin=f"{folder} (journaled configuration)")
    held = msgspec.json.decode(start.payload.guard, type=tuple[HeldReason, ...])
    return Recording(directory, document, lambda: build_desk(document, held))


def source_of(directory: Path, folder: Path, *, head: str | None = None) -> tuple[Source, Check]:
    """Verify the chain; return what the report rests on and the check that says so. `head` pins the journal."""
    signed = any(directory.glob("checkpoint-*.dsse.json"))
    found = verify_chain(directory, checkpoint=directory if signed else None)
    source = Source(folder.name, 1, found.events, found.head)
    if not found.ok:
        bad = () if found.first_bad_seq is None else (found.first_bad_seq,)
        return source, Check("chain.valid", Severity.FAIL, f"bad at seq {bad}", "valid", found.problem, bad)
    if head is not None and head != found.head:
        text = "the journal is not the one that was pinned"
        return source, Check("chain.valid", Severity.FAIL, f"head {found.head[:12]}", f"head {head[:12]}", text)
    return source, Check("chain.valid", Severity.OK, f"head {found.head[:12]}", "valid")


def check_invariants(
    folder: Path, *, no_trade: Sequence[str] = (), head: str | None = None, policy: InvariantPolicy | None = None
) -> Report:
    """Return `regression.json`: the invariants of a run; instances in a no-trade mode are found in its document."""
    directory = journal_of(folder)
    source, chain = source_of(directory, folder, head=head)
    quiet = tuple(dict.fromkeys((*no_trade, *_quiet_instances(directory))))
    checks = judge_lines(read_raw(directory), policy or InvariantPolicy(), no_trade=quiet)
    return Report(
        name="regression", title="Behaviour invariants", sources=(source,), checks=(chain, *checks),
        figures={"events": source.last, "no_trade_instances": list(quiet)},
    )  # fmt: skip


def check_windows(folder: Path, *, windows: Sequence[str] = (), policy: WindowPolicy | None = None) -> Report:
    """Return `replay-windows.json`: the windows given as `label:start:stop`, or those chosen from the journal."""
    policy = policy or WindowPolicy()
    recording = open_recording(folder)
    source, chain = source_of(recording.directory, folder)
    try:
        wanted: tuple[Window, ...] = windows_of(windows)
    except ValueError as problem:
        raise UsageError(f"a window is label:start:stop, e.g. calm:0:500; {problem}") from None
    wanted = wanted or choose(read(recording.directory), policy)
    results = replay_windows(wanted, lambda: read(recording.directory), recording.build, policy)
    return Report(
        name="replay-windows", title="Replay of distinct windows", sources=(source,),
        checks=(chain, *judge_windows(results, policy)),
        figures={"windows": [msgspec.to_builtins(one) for one in results]},
    )  # fmt: skip


def _quiet_instances(directory: Path) -> list[str]:
    """Return the instances of the journaled document that may send nothing."""
    line = next(read_raw(directory, stop=2), None)
    if line is None:
        raise UsageError(f"{directory}: expected events, found none")
    payload = msgspec.json.decode(line).get("payload", {})
    if "document" not in payload:
        return []
    instances = msgspec.json.decode(payload["document"]).get("instances", [])
    return [i["id"] for i in instances if not i.get("enabled", True) or i.get("mode", "").endswith("_notrade")]
