"""`tradeworthy paper-run CONFIG`: a paper desk for hours or days, guarded and judged."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.runs.paper_run import guardian_of, require_paper
from tradeworthy.app.runtime.application import COMPLETED, SIGNAL, TIMEOUT, Ended
from tradeworthy.app.runtime.desk_process import DeskProcess, Observer
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.cli.start_switches import Start
from tradeworthy.cli.supervised import play
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.paper_run.files import ReportFiles, encoded
from tradeworthy.operations.paper_run.model import PaperRunReport, Status
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

STYLES = {Status.COMPLETED: "green", Status.FAILED: "red"}
MET = {True: "[green]met[/]", False: "[red]not met[/]", None: "[yellow]could not be judged[/]"}
SECONDS_PER_MINUTE = 60
USUAL = Start()


def paper_run(
    configuration: Path | None = None, /, *, duration_hours: float = 0.0,
    progress_interval: float = 60.0,
    latency_p99_max: float | None = None, memory_growth_max: float | None = None,
    minimum_runtime_hours: float = 168.0, min_orders: int = 0,
    allow_invariant_errors: Annotated[bool, Parameter(negative="")] = False, report_path: Path | None = None,
    errors_path: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False,
    memory_warmup_minutes: float = 10.0, start: Start = USUAL,
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
    """
    policy = PaperRunPolicy(
        duration_hours=duration_hours, progress_interval_s=progress_interval, latency_p99_max_s=latency_p99_max,
        memory_growth_max_mb=memory_growth_max, minimum_runtime_hours=minimum_runtime_hours, min_orders=min_orders,
        allow_invariant_errors=allow_invariant_errors, memory_warmup_s=memory_warmup_minutes * SECONDS_PER_MINUTE,
    )  # fmt: skip
    document = start.document(configuration)
    require_paper(document)
    console = Console(quiet=json)
    held: list[DeskProcess] = []
    places: list[Path] = []

    def folder() -> Path | None:
        if held and held[0].folder is not None:
            places[:] = [held[0].folder]
        return places[0] if places else None

    files = ReportFiles(folder, report=report_path, errors=errors_path)
    guardian = guardian_of(
        document, policy=policy, clock=SystemClock(), write=files.write, folder=folder,
        stop=lambda reason: held[0].application.request_stop(TIMEOUT, reason),
    )  # fmt: skip

    def attach(process: DeskProcess) -> None:
        held.append(process)
        process.application.add(Workload(
            "paper_guardian", "paper_guardian", "samples, judges and reports the run", guardian.samples,
            interval_s=progress_interval,
        ))  # fmt: skip

    ended, _ = play(document, start, console, company=[Observer(guardian.observe)], attach=attach)
    report = guardian.finish(_reason_of(ended))
    if json:
        sys.stdout.write(encoded(report).decode() + "\n")
    else:
        _present(report, files.report, console)
    return report.status.exit_code


def _reason_of(ended: Ended) -> str:
    """Return the reason as a run tells it: `completed`, or in words what ended it."""
    if ended.reason == SIGNAL:
        return f"signal {ended.detail}"
    return ended.reason if ended.reason == COMPLETED else ended.detail or ended.reason


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
