"""Play a document in a supervised process: signals, the live table, the harness that may observe, the HTTP address."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from rich.console import Console

from tradeworthy.app.alerts.answers import AlertAnswers
from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.secret_references import store_of
from tradeworthy.app.evidence.certified import SOURCE, CertificateVoice, running_hashes
from tradeworthy.app.evidence.observed_run import ObservedRun, observed_by
from tradeworthy.app.runs.open_run import RunResult
from tradeworthy.app.runtime.application import SIGNAL, Ended
from tradeworthy.app.runtime.desk_process import DeskProcess, Observer, Switches
from tradeworthy.app.runtime.event_loop import run_to_end
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.cli.live import LiveDesk
from tradeworthy.cli.signals import Signals
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import register_environment
from tradeworthy.operations.health.policy import HealthPolicy, of_environment
from tradeworthy.trading.desk import Desk


def require_seconds(timeout: float | None) -> None:
    """Raise `UsageError` unless a timeout is absent or above 0."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise UsageError(f"--timeout must be above 0 seconds, was {timeout:g}")


def play(
    document: Document, start: Start, console: Console, *, no_trading: bool = False, timeout: float | None = None,
    read: Callable[[], Document] | None = None, company: Sequence[Observer] = (),
    attach: Callable[[DeskProcess], object] = lambda process: None,
) -> tuple[Ended, RunResult | None]:  # fmt: skip
    """Run one life of a desk and return how it ended, with the run's result where one traded to its end.

    read     reads the document anew at SIGHUP, None where it is not reloaded
    company  who else sees the desk at work;  attach  may add workloads to the process before it runs
    """
    with Signals() as signals:
        return _played(
            document, start, console, signals, no_trading=no_trading, timeout=timeout, read=read, company=company,
            attach=attach,
        )  # fmt: skip


def _played(
    document: Document, start: Start, console: Console, signals: Signals, *, no_trading: bool,
    timeout: float | None, read: Callable[[], Document] | None, company: Sequence[Observer],
    attach: Callable[[DeskProcess], object],
) -> tuple[Ended, RunResult | None]:  # fmt: skip
    environ = start.environ(dict(os.environ))
    register_environment(environ)
    clock = SystemClock()
    held: list[DeskProcess] = []
    link = observed_by(
        environ, clock=clock, capital=document.desk.capital, emit=_emit,
        folder=lambda: None if not held or held[0].folder is None else held[0].folder,
    )
    live = LiveDesk(console, title=f"{document.desk.name} ({document.desk.environment})", rows_total=None)
    observers = [Observer(on_progress=live.update), *company]
    if link is not None:
        writer = _performance_writer(link, lambda: None if held[0].trading is None else held[0].trading.desk)
        observers.append(Observer(link.on_event, link.on_progress, writer))
    switches = start.switches(no_trading=no_trading)
    if not console.is_terminal and not console.quiet and (link is None or not link.harnessed):
        switches = _echoing(switches)
    process = DeskProcess(
        document, root=start.runs, clock=clock, environ=environ, switches=switches, observers=observers,
        address=http_address,
    )
    held.append(process)
    attach(process)
    again = None if read is None else partial(process.application.call_soon, partial(process.reload, read))
    signals.pass_to(partial(process.application.request_stop, SIGNAL), again)
    with live:
        ended = run_to_end(process.run(timeout))
    if link is not None:
        link.close(ended.detail if ended.reason == SIGNAL else ended.reason)
    return ended, None if process.trading is None else process.trading.report()


def _performance_writer(link: ObservedRun, desk: Callable[[], Desk | None]) -> Workload | None:
    """Return the workload that keeps the performance file young, None where nobody asked for one (APP-14)."""
    if link.performance is None:
        return None
    return Workload(
        "performance_writer", "performance_writer", f"what the desk has earned so far, in {link.performance}",
        partial(link.writes, desk), interval_s=link.report_seconds,
    )  # fmt: skip


def http_address(process: DeskProcess) -> Workload | None:
    """Return the workload that answers HTTP, None where it is switched off."""
    policy = of_environment(process.environ, policy_of(HealthPolicy, "health", process.document.health))
    if not policy.enabled:
        return None
    from tradeworthy.web.address import address_of
    from tradeworthy.web.desk_control import DeskControl

    control = DeskControl(process.root, process.document.desk.name, process.clock)
    address = address_of(
        process.board, control, section=process.document.health, environ=process.environ, clock=process.clock,
        resolve=store_of(process.environ).resolve, supervisor=process.supervisor,
        alerts=AlertAnswers(process.alerting, process.clock), judged=process.judging,
        certified=CertificateVoice(
            lambda topic, told: process.publishing.publisher.publish(topic, told, source=SOURCE), process.alerting.tell
        ),
        running=running_hashes(lambda: process.document, process.code),
    )
    if address.factory is None:
        return None
    process.application.on_shutdown("http_control", control.close)
    where = f"{address.policy.host}:{address.policy.port}{address.policy.path}"
    return Workload(
        "health_server", "health_server", f"health, metrics, summary and control at {where}", address.factory,
        interval_s=1.0,
    )


def _echoing(switches: Switches) -> Switches:
    return replace(switches, stream=sys.stdout.buffer)


def _emit(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
