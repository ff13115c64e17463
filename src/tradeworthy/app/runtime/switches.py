"""What a start is told on its way, and who watches the desk at work."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tradeworthy.app.runtime.faults import Fault
from tradeworthy.app.runtime.ingesting import DUCKDB_PATH
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.facts import Event
from tradeworthy.trading.desk import Desk


@dataclass(frozen=True)
class Observer:
    """Who sees the desk at work: a terminal, a harness, a guardian; `workload` is what it does beside the desk."""

    on_event: Callable[[Event, int], None] = lambda event, seq: None
    on_progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None
    workload: Workload | None = None


@dataclass(frozen=True)
class Switches:
    """What a start leaves out, and what it breaks on purpose.

    stream       where log lines are shown beside their file, None nowhere
    declared_in  a folder for a process that is only declared, e.g. to summarise it; None for one that runs
    duckdb_path  where embedded ingest keeps what it takes in;  symbols  of which instruments alone, none = all
    """

    no_trading: bool = False
    skip_ingest: bool = False
    faults: tuple[Fault, ...] = ()
    stream: IO[bytes] | None = None
    declared_in: Path | None = None
    duckdb_path: Path = DUCKDB_PATH
    symbols: tuple[str, ...] = ()
