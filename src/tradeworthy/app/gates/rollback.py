"""Rehearse a rollback: the previous release takes over a run's journal in a scratch process, and gives it back (GT-12).

Each look starts an interpreter of its own with one release's source tree. It re-derives every outcome and every open
order from the journal: what both releases agree on is the state that a rollback would go on from.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

import tradeworthy
from tradeworthy.app import identity
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError, RetryLater, UsageError
from tradeworthy.operations.gates.release_checks import ROLLBACK_S_MAX, Rehearsal

LOOK = """
import json, sys
import msgspec
import tradeworthy
from pathlib import Path
from tradeworthy.app import identity
from tradeworthy.app.bootstrap import build_desk
from tradeworthy.app.runs.folder import document_of, journal_of, started_of
from tradeworthy.kernel.journal import read
from tradeworthy.research.regression.windows import inputs_of
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.model.order import TERMINAL, OrderChanged
folder = Path(sys.argv[1])
start = started_of(folder)
document = document_of(folder, start)
desk = build_desk(document, msgspec.json.decode(start.guard, type=tuple[HeldReason, ...]))
digest, orders = OutcomeDigest(), {}
for event in inputs_of(read(journal_of(folder))):
    facts = desk.step(event).facts
    if facts:
        digest.add(event.event_id, facts)
    for one in facts:
        if isinstance(one, OrderChanged):
            orders[one.client_order_id] = one.after
opened = sorted(name for name, state in orders.items() if state not in TERMINAL)
print(json.dumps({
    "release": tradeworthy.__version__, "code": identity.code_hash(), "config": document.hash(),
    "state": digest.hexdigest(), "orders": opened,
}))
"""
ROUNDS = 2
"""Down to the previous release and up again, so often."""
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one release made of the journal: name, digests of code, configuration and state, and open orders."""

    release: str
    code: str
    config: str
    state: str
    orders: tuple[str, ...]


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A release's source tree, the folder that holds the package, and the digest of code that it must have."""

    source: Path
    code: str


def rehearse(
    current: Tree, previous: Tree, run: Path, clock: Clock, *, nodes: Mapping[str, str] | None = None
) -> Rehearsal:
    """Go down to the previous release and up again, twice, over one run; what went wrong is told, never left out.

    nodes  configuration hash by node after it; without them that of the scratch desk alone
    """
    began = clock.monotonic()
    looks: list[Seen] = []
    problem = ""
    order = [current, *([previous, current] * ROUNDS)]
    try:
        for tree in order:
            spent = (clock.monotonic() - began) // NANOS_PER_SECOND
            seen = look(tree.source, run, timeout_s=max(1, ROLLBACK_S_MAX - spent))
            looks.append(seen)
            if seen.code != tree.code:
                raise RetryLater(f"{tree.source}: expected the code {tree.code[:16]}, found {seen.code[:16]}")
    except (DeskError, OSError) as fault:
        problem = str(fault)
    down = looks[1] if len(looks) > 1 else None
    opened = looks[0].orders if looks else None
    found = dict(nodes or {})
    if down is not None:
        found.setdefault("scratch", down.config)
    return Rehearsal(
        previous=previous.code, restored="" if down is None else down.code, nodes=found,
        state_hashes=tuple(one.state for one in looks), open_orders=None if opened is None else len(opened),
        adopted=None if down is None or opened is None else len(set(opened) & set(down.orders)),
        seconds=(clock.monotonic() - began) / NANOS_PER_SECOND, problem=problem,
    )  # fmt: skip


def look(source: Path, run: Path, *, timeout_s: float) -> Seen:
    """Return what the release in `source` makes of a run; raises `RetryLater` where it cannot take it over."""
    environ = {name: value for name, value in os.environ.items() if name in ENVIRONMENT}
    environ |= {"PYTHONPATH": str(source.resolve()), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-c", LOOK, str(run.resolve())]
    try:
        done = subprocess.run(words, env=environ, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise RetryLater(f"{source}: expected an answer within {timeout_s:.0f} s, found none") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
        raise RetryLater(f"{source}: it cannot take the journal over: {last[0]}")
    try:
        return msgspec.json.decode(done.stdout, type=Seen)
    except msgspec.MsgspecError as fault:
        raise RetryLater(f"{source}: expected what it saw, found {fault}") from None


def own_source() -> Path:
    """Return the folder that holds the running package."""
    return Path(tradeworthy.__file__).resolve().parents[1]


def code_of(source: Path) -> str:
    """Return the digest of the package in a source tree; raises `UsageError` where there is none."""
    root = source / tradeworthy.__name__
    if not (root / "__init__.py").is_file():
        raise UsageError(f"{source}: expected a folder that holds the package {tradeworthy.__name__}, found none")
    return identity.code_hash(root)
