"""What the benchmarks share: turns, one line a figure, ratios against a peer of the same run, one JSON file.

A ratio is speed over the peer's speed: above one means faster than the peer. It is formed turn by turn, ours and the
peer's one after the other, and the median of the turns is printed. Figures of another day or machine are never
divided.
"""

import argparse
import gc
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock

ROOT = Path(__file__).resolve().parents[1]
SIZES = ("small", "full")
CLOCK = SystemClock()
PEER_SECONDS_MAX = 1_800


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One printed figure: the median of `runs`, its spread, and what it was compared with."""

    name: str
    value: float
    unit: str
    runs: int
    low: float
    high: float
    aim: float | None = None
    peer: str = ""


class Section(msgspec.Struct, frozen=True):
    """All figures of one benchmark; `absent` names the peers that were not there."""

    machine: str
    desk: str
    load: float
    size: str
    figures: list[Figure]
    notes: list[str]
    absent: list[str]


class PeerRun(msgspec.Struct, frozen=True):
    """What a peer's program prints as its last line: `{"peer": ..., ...}`; times of the run alone, no set-up."""

    peer: str
    seconds: float = 0.0
    count: int = 0
    orders: int = 0
    fills: int = 0
    p50_ns: int = 0
    p99_ns: int = 0


Peer = Callable[..., PeerRun]


def arguments(
    description: str, *, rounds: int, peer: bool = True, profile: bool = False, where: Path | None = None,
    numbers: Mapping[str, int] = MappingProxyType({}),
) -> argparse.Namespace:
    """Parse what every benchmark takes; `peer` is the default of `--peer`, `profile` offers `--profile`.

    numbers  further options of one benchmark, each with its default

    `--folder` is where files are written, by default here: a real disk, not a memory file system.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--rounds", type=int, default=rounds, help="turns, the peer after ours in each")
    parser.add_argument("--folder", type=Path, default=where or Path(__file__).parent, help="where files are written")
    parser.add_argument("--json", type=Path, help="add the figures to this file, one section a benchmark")
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=peer, help="run the peer in turns")
    if profile:
        parser.add_argument("--profile", action="store_true", help="show where the time of one run goes instead")
    for option, default in numbers.items():
        parser.add_argument(option, type=int, default=default, help=f"default {default:,}")
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


def percentile(samples: Sequence[int], percent: int) -> int:
    """Return the sample below which `percent` of a hundred lie."""
    return sorted(samples)[len(samples) * percent // 100]


def machine() -> str:
    """Return processor, core count and Python version."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def desk_file() -> Path:
    """Return the file the desk is loaded from."""
    found = importlib.util.find_spec("tradeworthy.trading.desk")
    if found is None or found.origin is None:
        raise SystemExit("expected tradeworthy on the path, found no desk: set PYTHONPATH=src or build/native")
    return Path(found.origin)


def compiled() -> bool:
    """Tell whether the desk is machine code (`PYTHONPATH=build/native` after `make native`)."""
    return desk_file().suffix == ".so"


class Report:
    """Prints each figure as it is known and keeps it for the JSON file."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self._name, self._options = name, options
        self._figures: list[Figure] = []
        self._notes: list[str] = []
        self._absent: list[str] = []
        self._machine, self._load = machine(), os.getloadavg()[0]
        self._desk = f"{'compiled' if compiled() else 'interpreted'} ({desk_file().name})"
        print(f"{name}: {self._machine}; desk {self._desk}; load {self._load:.1f}", flush=True)

    def rate(
        self, name: str, count: int, unit: str, runs: Sequence[float], *, aim: float | None = None, peer: str = ""
    ) -> float:
        """Print and return the median of `count` a second; `runs` are seconds. `peer` says whose figure it is."""
        rates = [count / run for run in runs]
        verdict = ""
        if aim is not None:
            rate = statistics.median(rates)
            verdict = f"; aim {aim:,.0f} " + ("reached" if rate >= aim else f"missed, {rate / aim:.2f} of it")
        return self._add(Figure(
            name, statistics.median(rates), f"{unit}/s", len(runs), min(rates), max(rates), aim, peer
        ), verdict)  # fmt: skip

    def nanos(self, name: str, samples: Sequence[float], *, aim: float | None = None, peer: str = "") -> float:
        """Print and return the median of samples in nanoseconds, one a turn; less is better."""
        middle = statistics.median(samples)
        verdict = "" if aim is None else f"; aim {aim:,.0f} " + ("reached" if middle <= aim else "missed")
        return self._add(Figure(name, middle, "ns", len(samples), min(samples), max(samples), aim, peer), verdict)

    def ratio(self, name: str, peer: str, ours: Sequence[float], theirs: Sequence[float]) -> float:
        """Print and return how many times faster than the peer: the median over the turns; both are times."""
        turns = [their / our for our, their in zip(ours, theirs, strict=True)]
        return self._add(Figure(
            f"{name} against {peer}", statistics.median(turns), "x", len(turns), min(turns), max(turns), None, peer
        ), "")  # fmt: skip

    def note(self, text: str) -> None:
        """Print a line that is no figure: counts and digests that make a run worth believing."""
        self._notes.append(text)
        print(f"  {text}", flush=True)

    def peer(self, oracle: str, script: str) -> Peer | None:
        """Return how to run `peers/<script>` in the oracle's environment; None, said loudly, when that is missing."""
        if not self._options.peer:
            return None
        python = ROOT / ".oracles" / oracle / "bin" / "python"
        if not python.exists():
            self.missing(script, f"{python.relative_to(ROOT)} is missing, `make oracle-environments` makes it")
            return None

        def run(*words: object) -> PeerRun:
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            done = subprocess.run(
                [str(python), str(Path(__file__).parent / "peers" / script), *map(str, words)], env=environment,
                stdout=subprocess.PIPE, text=True, check=True, timeout=PEER_SECONDS_MAX,
            )  # fmt: skip
            return msgspec.json.decode(done.stdout.splitlines()[-1], type=PeerRun)

        return run

    def missing(self, peer: str, why: str) -> None:
        """Say loudly that a peer could not be run."""
        self._absent.append(peer)
        print(f"!!! PEER ABSENT: {peer}: {why}. OURS ALONE, NO RATIO.", flush=True)

    def close(self) -> None:
        """Put the section into the file of `--json`; other sections and the other kind of desk stay."""
        path: Path | None = self._options.json
        if path is None:
            return
        sections = msgspec.json.decode(path.read_bytes(), type=dict[str, Section]) if path.exists() else {}
        sections[self._name + (" compiled" if compiled() else "")] = Section(
            self._machine, self._desk, self._load, self._options.size, self._figures, self._notes, self._absent
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(sections), indent=1) + b"\n")

    def _add(self, figure: Figure, verdict: str) -> float:
        self._figures.append(figure)
        digits = 2 if figure.unit == "x" else 0
        whose = f" [{figure.peer}]" if figure.peer and figure.unit != "x" else ""
        print(
            f"{figure.name}{whose}: {figure.value:,.{digits}f} {figure.unit} ({figure.runs} runs, "
            f"{figure.low:,.{digits}f} to {figure.high:,.{digits}f}){verdict}", flush=True,
        )  # fmt: skip
        return figure.value
