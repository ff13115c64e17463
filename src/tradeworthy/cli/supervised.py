"""Play a document in a supervised process: signals, the live table, the harness that may observe, the HTTP address."""

import asyncio
import os
import signal
import sys
from functools import partial
from types import FrameType

from rich.console import Console

from tradeworthy.app.config import Document
from tradeworthy.app.observed_run import observed_by
from tradeworthy.app.open_run import RunResult
from tradeworthy.app.runtime.application import SIGNAL, Ended
from tradeworthy.app.runtime.desk_process import DeskProcess, Observer, Switches
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.app.secret_references import store_of
from tradeworthy.cli.live import LiveDesk
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import register_environment

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def require_seconds(timeout: float | None) -> None:
    """Raise `UsageError` unless a timeout is absent or above 0."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise UsageError(f"--timeout must be above 0 seconds, was {timeout:g}")


def play(
    document: Document, start: Start, console: Console, *, no_trading: bool = False, timeout: float | None = None
) -> tuple[Ended, RunResult | None]:
    """Run one life of a desk and return how it ended, with the run's result where one traded to its end."""
    environ = start.environ(dict(os.environ))
    register_environment(environ)
    clock = SystemClock()
    held: list[DeskProcess] = []
    link = observed_by(
        environ, clock=clock, capital=document.desk.capital, emit=_emit,
        folder=lambda: None if not held or held[0].folder is None else held[0].folder,
    )
    live = LiveDesk(console, title=f"{document.desk.name} ({document.desk.environment})", rows_total=None)
    observers = [Observer(on_progress=live.update)]
    if link is not None:
        observers.append(Observer(link.on_event, link.on_progress))
    switches = start.switches(no_trading=no_trading)
    if not console.is_terminal and link is None:
        switches = _echoing(switches)
    process = DeskProcess(
        document, root=start.runs, clock=clock, environ=environ, switches=switches, observers=observers,
        address=http_address,
    )
    held.append(process)
    with live:
        ended = asyncio.run(_signalled(process, timeout))
    if link is not None:
        link.close(ended.detail if ended.reason == SIGNAL else ended.reason)
    return ended, None if process.trading is None else process.trading.report()


def http_address(process: DeskProcess) -> Workload | None:
    """Return the workload that answers HTTP, None where it is switched off."""
    from tradeworthy.web.address import address_of
    from tradeworthy.web.desk_control import DeskControl

    control = DeskControl(process.root, process.document.desk.name, process.clock)
    address = address_of(
        process.board, control, section=process.document.health, environ=process.environ, clock=process.clock,
        resolve=store_of(process.environ).resolve,
    )
    if address.factory is None:
        return None
    where = f"{address.policy.host}:{address.policy.port}{address.policy.path}"
    return Workload(
        "health_server", "health_server", f"health, metrics, summary and control at {where}", address.factory,
        interval_s=1.0,
    )


async def _signalled(process: DeskProcess, timeout: float | None) -> Ended:
    loop = asyncio.get_running_loop()
    before = {}
    for number in SIGNALS:
        name = signal.Signals(number).name
        try:
            loop.add_signal_handler(number, process.application.request_stop, SIGNAL, name)
        except (NotImplementedError, RuntimeError, ValueError):  # no handler can be set on this loop
            before[number] = signal.signal(number, partial(_ask_to_stop, process))
    try:
        return await process.run(timeout)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask_to_stop(process: DeskProcess, number: int, _frame: FrameType | None) -> None:
    process.application.request_stop(SIGNAL, signal.Signals(number).name)


def _echoing(switches: Switches) -> Switches:
    return Switches(switches.no_trading, switches.skip_ingest, switches.faults, sys.stdout.buffer)


def _emit(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
