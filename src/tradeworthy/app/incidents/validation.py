"""Prove that an incident can be answered: kill switch, nightly replay, a throttle's rollback, really done (IN-09)."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.app import config, identity
from tradeworthy.app.config import Document
from tradeworthy.app.halting.kill_drill import drill_trip
from tradeworthy.app.halting.watchdog_process import watchdog_lives
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession, replay_run
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError, RetryLater
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst

PACK = "incident_playbook_validation"
DESK = "validation"
START_WAIT_NS, LOOK_NS = 60 * NANOS_PER_SECOND, 50 * NANOS_PER_MILLI
END_WAIT_S = 30.0
ROWS = 3_000
TRIP_SPEED = 36_000.0
"""How fast the tape goes while the desk is tripped."""
ORDERS_MIN = 5
DAY_NS = 86_400 * NANOS_PER_SECOND
TIGHT, LOOSE = 5, 1_000
"""Openings a day of the throttle: in force, and as it was changed to."""
ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One drill: its checks, worst first, and how long it took."""

    name: str
    severity: str
    took_s: float
    checks: tuple[Check, ...]


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """The pack: three drills, on this code, at a moment (ns UTC)."""

    schema: str = PACK + "@1"
    at: int
    code: str
    passed: bool
    drills: tuple[Drill, ...]


def validate(folder: Path, clock: Clock, *, environ: Mapping[str, str]) -> Validation:
    """Run the three drills below a folder; a drill that breaks has failed, whatever broke it."""
    drills = (
        _drill("kill_switch", clock, lambda: kill_switch(folder / "kill_switch", clock, environ)),
        _drill("nightly_replay", clock, lambda: nightly_replay(folder / "nightly_replay", clock)),
        _drill("throttle_rollback", clock, lambda: throttle_rollback(folder / "throttle_rollback", clock)),
    )
    passed = all(one.severity == Severity.OK.name for one in drills)
    return Validation(at=clock.now(), code=identity.code_hash(), passed=passed, drills=drills)


def kill_switch(folder: Path, clock: Clock, environ: Mapping[str, str]) -> tuple[Check, ...]:
    """Start a venue and a paper desk in processes of their own, trip the desk really, and take the certificate."""
    folder.mkdir(parents=True)
    path, address = folder / "desk.json", f"unix://{folder}/v"
    raw = _raw("paper", rows=0, throttle=LOOSE, speed=TRIP_SPEED)
    venue = {"connection": address, "submit_ms": 5.0, "cancel_ms": 5.0}
    write_durably(path, msgspec.json.encode(raw | {"venue": venue}))
    state = state_of(folder / "runs", DESK)
    with _verb(("venue", "serve", "--config", str(path), "--listen", address), environ):
        line = EmergencyLine(address, clock, name="validation", scope="view")
        _await(lambda: _view(line) is not None, clock, "a venue that answers")
        with _verb(("run", str(path), "--runs", str(folder / "runs")), environ):
            _await(lambda: watchdog_lives(state) and _trades(line), clock, "a desk that trades under a watchdog")
            report, _ = drill_trip(state, desk=DESK, reason="validation", scope="desk", flatten=False, clock=clock)
        line.close()
    return report.checks


def nightly_replay(folder: Path, clock: Clock) -> tuple[Check, ...]:
    """Play a day, and derive every outcome of it again from its journal."""
    run = _played(folder, clock, throttle=LOOSE)
    found = replay_run(run.folder)
    equal = Severity.OK if found.ok and found.digest == run.digest else Severity.FAIL
    some = Severity.OK if found.outcomes else Severity.FAIL
    return (
        Check("nightly_replay.digest", equal, found.digest, run.digest),
        Check("nightly_replay.outcomes", some, str(found.outcomes), "some"),
    )


def throttle_rollback(folder: Path, clock: Clock) -> tuple[Check, ...]:
    """Loosen a throttle, go back, and see that the desk does what it did before, to the byte."""
    before = _played(folder / "before", clock, throttle=TIGHT)
    changed = _played(folder / "changed", clock, throttle=LOOSE)
    after = _played(folder / "after", clock, throttle=TIGHT)
    orders = {name: sum(line.orders for line in one.lines) for name, one in (
        ("before", before), ("changed", changed), ("after", after),
    )}  # fmt: skip
    back = Severity.OK if orders["after"] == orders["before"] and _money(after) == _money(before) else Severity.FAIL
    acts = Severity.OK if orders["changed"] > orders["before"] else Severity.FAIL
    return (
        Check("throttle_rollback.back", back, f"{orders['after']} orders", f"{orders['before']} as before"),
        Check("throttle_rollback.acts", acts, f"{orders['changed']} orders loosened", f"above {orders['before']}"),
    )


def _drill(name: str, clock: Clock, play: Callable[[], tuple[Check, ...]]) -> Drill:
    began = clock.monotonic()
    try:
        checks = play()
    except (DeskError, OSError, subprocess.SubprocessError) as problem:
        checks = (Check(f"{name}.done", Severity.FAIL, str(problem), "a drill that comes to its end"),)
    severity = worst(one.severity for one in checks) if checks else Severity.UNKNOWN
    took = (clock.monotonic() - began) / NANOS_PER_SECOND
    return Drill(name=name, severity=severity.name, took_s=round(took, 3), checks=checks)


def _await(there: Callable[[], bool], clock: Clock, what: str) -> None:
    until = clock.monotonic() + START_WAIT_NS
    while not there():
        if clock.monotonic() >= until:
            raise RetryLater(f"expected {what} within {START_WAIT_NS // NANOS_PER_SECOND} s, found none")
        clock.sleep(LOOK_NS)


@contextmanager
def _verb(words: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[None]:
    """Run a verb beside, and end it gracefully."""
    with subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", *words], env={**environ, **ALONE}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _view(line: EmergencyLine) -> Any:
    try:
        return line.view()
    except OSError:
        return None


def _trades(line: EmergencyLine) -> bool:
    view = _view(line)
    return view is not None and view.orders > ORDERS_MIN and bool(view.open_orders)


def _played(folder: Path, clock: Clock, *, throttle: int) -> Any:
    return RunSession(_document("backtest", throttle), root=folder, clock=clock, environ=os.environ).play()


def _money(run: Any) -> Decimal | None:
    equity: Decimal | None = run.equity
    return equity


def _document(environment: str, throttle: int) -> Document:
    return config.parse(_raw(environment, rows=ROWS, throttle=throttle, speed=0), origin="the validation's desk")


def _raw(environment: str, *, rows: int, throttle: int, speed: float) -> dict[str, Any]:
    return {
        "schema": "desk@1",
        "desk": {"name": DESK, "environment": environment, "capital": "1000000", "seed": 7}
        | ({"speed": speed} if environment == "paper" else {}),
        "risk": {"max_order_value": "500000", "throttle_quoting": throttle, "throttle_window": DAY_NS},
        "tapes": [{
            "name": "eurusd_quotes", "format": "demo", "instrument": "EURUSD.DEMO", "label": "derived",
            **({"rows_max": rows} if rows else {}),
        }],
        "instances": [{
            "id": "touch", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker",
            "policy": {"lots": 1000, "inventory_lots_max": 20000},
        }],
    }  # fmt: skip
