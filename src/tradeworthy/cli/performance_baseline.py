"""`tradeworthy performance-baseline`: drive a desk, measure it, and keep what it is later held to."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app.baselines.latency_baselines import LatencyBaselines
from tradeworthy.app.baselines.performance_baseline import performance_baseline
from tradeworthy.app.people.approvals import read_signed
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.regression import STYLES
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.report import EXIT_CODES, severities_named
from tradeworthy.operations.performance_baseline.model import BaselineReport
from tradeworthy.operations.performance_baseline.options import BaselineOptions, ScopeField
from tradeworthy.operations.performance_baseline.resources import PsutilProcess

INDENT_MAX = 16
app = App(name="performance-baseline", help="Measure a driven desk: throughput, lag, backlog, resources, throttle.")


@app.default
def measure(
    *, trades: int = 3, throttle_max_trades: int = 1, throttle_window_seconds: float = 60.0,
    throttle_cooldown_seconds: float = 0.0, throttle_min_spacing_seconds: float = 0.0,
    throttle_max_notional: float | None = None, throttle_multiplier: float | None = None,
    throttle_scope_field: Annotated[tuple[ScopeField, ...], Parameter(negative="")] = ("strategy", "instrument"),
    backlog_threshold_ms: float | None = None, max_processing_ms: float = 250.0, max_lag_ms: float = 250.0,
    max_cpu_percent: float | None = None, max_memory_mb: float | None = None,
    max_memory_percent: float | None = None, output: Path | None = None, indent: int = 2,
    require_latency_baseline: Annotated[bool, Parameter(negative="")] = False, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Drive a desk with trades and report how it coped; exit 0 healthy, 1 slower, 2 a limit reached, 3 not judged.

    Parameters
    ----------
    trades
        How many openings are asked of the desk.
    throttle_max_trades
        Openings that one throttle window takes.
    throttle_window_seconds
        Length of the window, on the desk's clock; trades come one a second.
    throttle_cooldown_seconds
        Pause after a full window.
    throttle_min_spacing_seconds
        Least time between two openings.
    throttle_max_notional
        Money that one window takes, in base currency.
    throttle_multiplier
        Money that one window takes, as a multiple of the instance's budget.
    throttle_scope_field
        What openings must share to share a window: strategy, instrument, venue or side; may be given several times.
    backlog_threshold_ms
        A lag that reaches it counts as a breach of the backlog; --max-lag-ms if absent.
    max_processing_ms
        A decision that takes so long is unhealthy.
    max_lag_ms
        A trade that is taken up so late is unhealthy.
    max_cpu_percent
        Percent of one core, over the measured time.
    max_memory_mb
        Resident memory, MB of 10^6 bytes.
    max_memory_percent
        Resident memory, percent of the machine's.
    output
        Where the JSON report goes, Markdown beside it; standard output if absent.
    indent
        Spaces a level of the JSON, 0 = one line.
    require_latency_baseline
        A decision latency that cannot be judged is unhealthy too; a worse one always is.
    runs
        Where run folders go; the approved latency baselines are kept in state/performance-baseline there.
    """
    if not 0 <= indent <= INDENT_MAX:
        raise UsageError(f"--indent must be 0 to {INDENT_MAX}, was {indent}")
    options = BaselineOptions(
        trades=trades, throttle_max_trades=throttle_max_trades, throttle_window_seconds=throttle_window_seconds,
        throttle_cooldown_seconds=throttle_cooldown_seconds, throttle_min_spacing_seconds=throttle_min_spacing_seconds,
        throttle_max_notional=throttle_max_notional, throttle_multiplier=throttle_multiplier,
        throttle_scope_fields=throttle_scope_field, backlog_threshold_ms=backlog_threshold_ms,
        max_processing_ms=max_processing_ms, max_lag_ms=max_lag_ms, max_cpu_percent=max_cpu_percent,
        max_memory_mb=max_memory_mb, max_memory_percent=max_memory_percent,
    )  # fmt: skip
    report = performance_baseline(
        options, clock=SystemClock(), process=PsutilProcess(), require_latency=require_latency_baseline,
        baseline_of=LatencyBaselines(runs, clock=SystemClock()).of,
    )  # fmt: skip
    text = encoded(report, indent)
    if output is None:
        sys.stdout.write(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_durably(output, text.encode())
        write_durably(output.with_suffix(".md"), redact(report.reports["page"]).encode())
        _present(report, output)
    return EXIT_CODES[report.severity]


@app.command
def propose(report: Path, /, *, reason: str, key: Path, write: Path, runs: Path = DEFAULT_RUNS) -> int:
    """Propose the decision latency of a report of at least 100 trades as its machine's baseline.

    Two other people of `state/performance-baseline/trust.json` sign the pack with `tradeworthy approve`; `accept` uses
    it, within the hour.

    Parameters
    ----------
    report
        A report that `performance-baseline --output` wrote.
    reason
        Why this is what the desk should be held to.
    key
        The proposer's private key; who proposes approves nothing of it.
    write
        Where the pack goes.
    runs
        Where run folders go.
    """
    held = LatencyBaselines(runs, clock=SystemClock()).propose(report, reason=reason, key=private_key(key))
    write_durably(write, held.encoded())
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"pack        {write}\ndigest      {held.pack.digest()}\nnext        tradeworthy approve {write}")
    return ExitCode.PASS


@app.command
def accept(pack: Path, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Use a signed pack: from then on its machine is judged by it; exit 2 tells every reason against it.

    Parameters
    ----------
    pack
        A pack that `propose` wrote and two other people signed.
    runs
        Where run folders go.
    """
    found = LatencyBaselines(runs, clock=SystemClock()).accept(read_signed(pack))
    figures = found.figures
    Console(highlight=False, markup=False, soft_wrap=True).print(
        f"{figures.machine}: p50 {figures.p50_ns / 1e6:g} ms, p99 {figures.p99_ns / 1e6:g} ms, approved by "
        f"{' and '.join(found.people)}"
    )
    return ExitCode.PASS


def encoded(report: BaselineReport, indent: int) -> str:
    """Return the report as JSON without secrets and with a final line end."""
    data = msgspec.json.encode(redact(severities_named(msgspec.to_builtins(report))))
    return (msgspec.json.format(data, indent=indent) if indent else data).decode() + "\n"


def _present(report: BaselineReport, output: Path) -> None:
    console = Console()
    console.print(f"[{STYLES[report.severity]} bold]{report.severity.name}[/]  {report.machine}", highlight=False)
    for one in report.checks:
        console.print(f"{one.code}: {one.observed}, {one.limit} {one.text}", highlight=False, markup=False)
    console.print(f"\nreport  {output}", highlight=False, soft_wrap=True)
