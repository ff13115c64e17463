"""A desk at work in the terminal: progress, positions and P&L while it runs, a summary when it is done."""

from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.desk import Desk, InstanceLine

BAR_WIDTH = 40


class LiveDesk:
    """Draw the desk at most `per_second` times a second; plain lines where the output is no terminal."""

    def __init__(self, console: Console, *, title: str, rows_total: int | None, per_second: int = 8) -> None:
        self._title, self._total = title, rows_total
        self._live = Live(console=console, refresh_per_second=per_second, transient=True)
        self._console = console

    def __enter__(self) -> "LiveDesk":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def update(self, desk: Desk, rows: int, ts: int) -> None:
        """Show the desk after `rows` rows at tape time `ts`."""
        if self._console.is_terminal:
            self._live.update(Group(self._progress(rows, ts), instance_table(desk.lines(), str(desk.currency))))

    def _progress(self, rows: int, ts: int) -> Text:
        stamp = datetime.fromtimestamp(ts / NANOS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M")
        if not self._total:
            return Text(f"{self._title}  {rows:,} rows  {stamp}", style="bold")
        done = min(1.0, rows / self._total)
        bar = "━" * round(done * BAR_WIDTH)
        return Text.assemble(
            (f"{self._title}  ", "bold"), (bar, "cyan"), ("━" * (BAR_WIDTH - len(bar)), "dim"),
            f"  {done:4.0%}  {rows:,} rows  tape {stamp}",
        )


def instance_table(lines: list[InstanceLine], currency: str) -> Table:
    """Return one row an instance; money in `currency`. Where the terminal is narrow, names are cut, never numbers."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    for name, side in (
        ("instance", "left"), ("instrument", "left"), ("position", "right"), ("orders", "right"), ("fills", "right"),
        ("gross", "right"), ("fees", "right"), (f"net {currency}", "right"), ("guard", "left"),
    ):
        table.add_column(name, justify=side, no_wrap=side == "right", overflow="ellipsis")  # type: ignore[arg-type]
    for line in lines:
        gross = None if line.unrealized is None else line.realized + line.unrealized
        table.add_row(
            line.instance, line.instrument, f"{line.position.normalize():,f}", f"{line.orders:,}", f"{line.fills:,}",
            money(gross), money(line.fees), money(None if gross is None else gross - line.fees), line.state,
        )
    return table


def money(value: object) -> str:
    """Return two decimals with separators; what nobody knows is said to be unknown."""
    return "unknown" if value is None else f"{value:,.2f}"
