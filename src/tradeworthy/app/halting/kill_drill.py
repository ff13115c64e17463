"""A kill switch that is tried on purpose: really tripped, or only looked at; what came of it stays for seven days."""

from collections.abc import Callable
from pathlib import Path

from tradeworthy.app import identity
from tradeworthy.app.halting.flatness import public_key
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.kill import await_certificate, kill_desk
from tradeworthy.app.halting.watchdog_process import KEY, WATCHDOG, watchdog_lives
from tradeworthy.app.runtime.facts import RuntimeBegan
from tradeworthy.app.runtime.life import lives_of
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.report import Check, Report, Written, write
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.drills.kill_switch import (
    DRILLS,
    REHEARSAL,
    KillDrillPolicy,
    Standing,
    reports_in,
    standing,
    trip_report,
)
from tradeworthy.trading.control import sentinel

MARK = "DRILL: "
"""How the reason of a drill begins, in flag, sentinel, certificate and journal."""


def drill_trip(
    state: Path, *, desk: str, reason: str, scope: str, flatten: bool, clock: Clock
) -> tuple[Report, Written]:
    """Trip a desk really, see it flat, and keep what was seen; the desk stays stopped until two people re-arm it."""
    policy = KillDrillPolicy()
    halt = kill_desk(state, reason=MARK + reason, scope=scope, flatten=flatten, clock=clock)
    found = await_certificate(state, halt, clock) if watchdog_lives(state) else None
    judged = None if found is None else found[1]
    report = trip_report(
        None if judged is None else judged.certificate, () if judged is None else judged.faults,
        digest="" if judged is None else judged.digest, at=clock.now(), desk=desk, hashes=_hashes(state),
        policy=policy,
    )  # fmt: skip
    return report, write(report, state / DRILLS)


def rehearse(state: Path, *, desk: str, clock: Clock) -> tuple[Report, Written]:
    """Look whether a trip would work, and trip nothing: the dry run of a kill, which is evidence of no trip."""
    checks = (
        Check("kill_rehearsal.watchdog", Severity.OK if watchdog_lives(state) else Severity.FAIL,
              "lives" if watchdog_lives(state) else "none lives", "one that can certify"),
        _tried("kill_rehearsal.key", lambda: public_key(state / WATCHDOG / f"{KEY}.pub").hex()[:16], "a readable key"),
        _tried("kill_rehearsal.flag", lambda: _armed(state, clock), "armed, nothing halted"),
        _tried("kill_rehearsal.memory", lambda: _readable(state, clock), "a readable sentinel"),
    )  # fmt: skip
    report = Report(
        name=REHEARSAL, title=f"Kill rehearsal of {desk}, nothing was tripped", sources=(), checks=checks,
        figures={"desk": desk, "at": clock.now(), "hashes": _hashes(state)},
    )  # fmt: skip
    return report, write(report, state / DRILLS)


def kill_evidence(state: Path, clock: Clock, *, proofs: Path | None = None, code: str = "") -> Standing:
    """Return what the newest trip of a desk and the newest proof of a release say now.

    proofs  where a release's proofs lie, None: beside the desk's drills;  code  the release, empty: this one
    """
    reports = reports_in(state / DRILLS) + (() if proofs is None else reports_in(proofs))
    return standing(reports, now=clock.now(), code_hash=code or identity.code_hash(), policy=KillDrillPolicy())


def _hashes(state: Path) -> dict[str, str]:
    """Return code and configuration of the desk's last life; this code where it never lived."""
    for life in reversed(lives_of(state)):
        first = next(iter(read(life / "journal")), None)
        if first is not None and isinstance(first.payload, RuntimeBegan):
            return {"code": first.payload.code_hash, "config": first.payload.config_hash}
    return {"code": identity.code_hash()}


def _tried(code: str, look: Callable[[], str], limit: str) -> Check:
    try:
        return Check(code, Severity.OK, look(), limit)
    except (DeskError, OSError) as problem:
        return Check(code, Severity.FAIL, str(problem), limit)


def _armed(state: Path, clock: Clock) -> str:
    flag = halt_flag(state, clock)
    try:
        halts = flag.halts()
    finally:
        flag.close()
    if halts:
        raise DeskError(f"halted by {', '.join(one.name for one in halts)}")
    return "armed"


def _readable(state: Path, clock: Clock) -> str:
    held = sentinel.restore((), guard_memory(state).read(), first_run=True, now=clock.now())
    return f"{len(held)} reasons"
