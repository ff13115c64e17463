"""What the benchmarks share: repeated timing, the machine's name, ratios against a peer."""

import argparse
import gc
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock

SIZES = ("small", "full")
CLOCK = SystemClock()


def arguments(description: str, *, rounds: int) -> argparse.Namespace:
    """Parse `--size`, `--rounds` and `--folder`, where journals are written: a real disk, not a memory file system."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    return parser.parse_args()


@contextmanager
def folder(inside: Path) -> Iterator[Path]:
    """Yield a fresh folder inside `inside` and take it away afterwards."""
    path = Path(tempfile.mkdtemp(prefix=".bench-", dir=inside))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall seconds of one call; earlier garbage is collected first."""
    gc.collect()
    begin = CLOCK.monotonic()
    work()
    return (CLOCK.monotonic() - begin) / NANOS_PER_SECOND


def tell(
    name: str, count: int, unit: str, runs: list[float], *, aim: float, peer: tuple[str, float] | None = None
) -> float:
    """Print one line: the median rate, the spread, the aim, and the ratio to the peer; returns the rate."""
    rate = count / statistics.median(runs)
    spread = f"{count / max(runs):,.0f} to {count / min(runs):,.0f}"
    verdict = "reached" if rate >= aim else f"missed, {rate / aim:.2f} of it"
    line = f"{name}: {rate:,.0f} {unit}/s ({len(runs)} runs, {spread}); aim {aim:,.0f} {verdict}"
    if peer is not None:
        line += f"; {rate / peer[1]:.2f} x {peer[0]} ({peer[1]:,.0f})"
    print(line, flush=True)
    return rate


def machine() -> str:
    """Return processor, core count and Python version."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
