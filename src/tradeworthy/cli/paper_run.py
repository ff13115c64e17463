"""`tradeworthy paper-run CONFIG`: a paper desk for hours or days, guarded and judged."""

import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app import config
from tradeworthy.app.paper_run import PaperRun
from tradeworthy.cli.live import LiveDesk
from tradeworthy.cli.run import DEFAULT_RUNS, parsed
from tradeworthy.operations.paper_run.files import encoded
from tradeworthy.operations.paper_run.model import PaperRunReport, Status
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

STYLES = {Status.COMPLETED: "green", Status.FAILED: "red"}
MET = {True: "[green]met[/]", False: "[red]not met[/]", None: "[yellow]could not be judged[/]"}
SECONDS_PER_MINUTE = 60


def paper_run(
    configuration: Annotated[Path, Parameter(name="--config")], *, duration_hours: float = 0.0,
    progress_interval: float = 60.0,
    latency_p99_max: float | None = None, memory_growth_max: float | None = None,
    minimum_runtime_hours: float = 168.0, min_orders: int = 0,
    allow_invariant_errors: Annotated[bool, Parameter(negative="")] = False, report_path: Path | None = None,
    errors_path: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False,
    memory_warmup_minutes: float = 10.0, runs: Path = DEFAULT_RUNS,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
) -> int:  # fmt: skip
    """Run a paper desk under its guardian; exit 0 completed, 1 degraded or stopped, 2 failed.

    Parameters
    ----------
    configuration
        A TOML document whose environment is paper, e.g. config/paper.toml.
    duration_hours
        How long to run; 0 = until a signal or the end of the tapes.
    progress_interval
        Seconds between two samples, and between two writes of the report.
    latency_p99_max
        Seconds; a p99 that reaches it degrades the run. Judged for decisions and for the venue's first answers.
    memory_growth_max
        MB of resident memory above the baseline; growth that reaches it fails and stops the run.
    minimum_runtime_hours
        A shorter run is degraded; 0 = off.
    min_orders
        A run with fewer orders is degraded.
    allow_invariant_errors
        A broken invariant degrades the run instead of failing and stopping it.
    report_path
        Where the JSON report goes, Markdown and page beside it; paper_run.json in the run folder if absent.
    errors_path
        Where the errors go; paper_run_errors.json in the run folder if absent.
    json
        Print the report as JSON and nothing else.
    memory_warmup_minutes
        The baseline of memory is taken this long after the start.
    runs
        Where run folders go.
    set_
        Override one key, e.g. --set desk.speed=10; may be given several times.
    """
    policy = PaperRunPolicy(
        duration_hours=duration_hours, progress_interval_s=progress_interval, latency_p99_max_s=latency_p99_max,
        memory_growth_max_mb=memory_growth_max, minimum_runtime_hours=minimum_runtime_hours, min_orders=min_orders,
        allow_invariant_errors=allow_invariant_errors, memory_warmup_s=memory_warmup_minutes * SECONDS_PER_MINUTE,
    )  # fmt: skip
    document = config.load(configuration, overrides=parsed(set_))
    guarded = PaperRun(document, root=runs, policy=policy, report=report_path, errors=errors_path)
    console = Console()
    with ExitStack() as stack:
        _stop_on_signals(guarded, stack)
        if json:
            report = guarded.play()
        else:
            session = guarded.session
            live = stack.enter_context(LiveDesk(console, title=session.title, rows_total=session.rows_total))
            report = guarded.play(live.update)
    if json:
        sys.stdout.write(encoded(report).decode() + "\n")
    else:
        _present(report, guarded.files.report, console)
    return report.status.exit_code


def _stop_on_signals(guarded: PaperRun, stack: ExitStack) -> None:
    """Turn SIGINT and SIGTERM into an orderly end, for as long as the stack is open."""

    def stop(number: int, _frame: FrameType | None) -> None:
        guarded.request_stop(f"signal {signal.Signals(number).name}")

    for number in (signal.SIGINT, signal.SIGTERM):
        stack.callback(signal.signal, number, signal.signal(number, stop))


def _present(report: PaperRunReport, path: Path | None, console: Console) -> None:
    style = STYLES.get(report.status, "yellow")
    reasons = "; ".join(report.stop_reasons)
    console.print(f"[{style} bold]{report.status.value}[/]  ", end="")
    console.print(reasons, highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("objective", "threshold", "met"):
        table.add_column(name)
    for name, limit in report.metrics.objective_thresholds.items():
        table.add_row(name, f"{limit:g}", MET[report.metrics.objective_compliance[name]])
    console.print(table)
    for one in report.breaches:
        console.print(f"{one.code}: {one.observed}, limit {one.limit}; {one.message}", highlight=False, markup=False)
    if path is not None:
        console.print(f"\nreport  {path}", highlight=False, soft_wrap=True)
        console.print(f"page    {path.with_suffix('.html')}", highlight=False, soft_wrap=True)
