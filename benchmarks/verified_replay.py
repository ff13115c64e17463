"""Time a replay with comparison: read the journal of the EMA desk, decide again, compare each outcome.

The journal of `desk_ema.py` is written first, outside the timing. Reading and decoding are timed, and the new desk
runs all controls, the ledger and the strategies as the first one did. Beside it, in turns: the journal's own reader,
and what the format allows, the same files line by line through msgspec into typed structs, with no seal looked at and
nothing kept.

Run: `PYTHONPATH=src python benchmarks/verified_replay.py [--json FILE] [--size small] [--profile]`.
"""

import cProfile
import functools
import operator
import pstats
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from desk_ema import bars, ema_desk, run_of
from measure import Report, arguments, folder, seconds

from tradeworthy.kernel.facts import KINDS
from tradeworthy.kernel.journal import read
from tradeworthy.trading.replay import ReplayResult, replay

AIM = 1_500_000


def line_reader(place: Path) -> Callable[[], int]:
    """Return a reader of every event line of the segments, typed by kind, and nothing else; it gives their number."""
    lines = [
        msgspec.defstruct(
            "Line",
            [
                ("seq", int), ("event_id", str), ("ts_event", int), ("ts_init", int), ("schema", str), ("source", str),
                ("source_seq", int | None), ("correlation_id", str), ("causation_id", str | None), ("payload", payload),
            ],
            tag_field="kind", tag=kind, gc=False,
        )
        for kind, payload in KINDS.items()
    ]  # fmt: skip
    decode = msgspec.json.Decoder[Any](functools.reduce(operator.or_, lines)).decode

    def count() -> int:
        events = 0
        for path in sorted(place.glob("journal-*.jsonl")):
            with path.open("rb") as file:
                for line in file:
                    if line.startswith(b'{"seq":'):
                        decode(line)
                        events += 1
        return events

    return count


def main() -> int:
    """Print events a second of the format's limit, of reading alone and of the verified replay."""
    options = arguments(__doc__ or "", rounds=3, profile=True)
    small = options.size == "small"
    rows = bars(2_000 if small else 100_000)
    report = Report("verified_replay", options)
    with folder(options.folder) as place:
        run = run_of(place, rows)
        run.play()
        events = run.journal.last_seq
        results: list[ReplayResult] = []
        counts = {events}

        def again() -> None:
            results.append(replay(read(place), ema_desk()))

        if options.profile:
            profiler = cProfile.Profile()
            profiler.runcall(again)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
            return 0
        by_line = line_reader(place)
        limit, reading, runs = [], [], []
        for _ in range(1 if small else options.rounds):
            limit.append(seconds(lambda: counts.add(by_line())))
            reading.append(seconds(lambda: counts.add(sum(1 for _ in read(place)))))
            runs.append(seconds(again))
        recorded = run.environment.digest.hexdigest()
        if counts != {events}:
            raise SystemExit(f"expected {events} events of every reader, found {sorted(counts)}")
        for result in results:
            if not result.ok or result.digest != recorded or result.inputs + result.outcomes != events:
                raise SystemExit(f"expected {events} equal events and digest {recorded[:12]}, found {result}")
    peer = "msgspec line by line"
    report.rate("read, typed", events, "events", limit, peer=peer)
    report.rate("read, typed", events, "events", reading)
    report.ratio("read, typed", peer, reading, limit)
    report.rate("verified_replay", events, "events", runs, aim=AIM)
    report.ratio("verified_replay", peer, runs, limit)
    report.note(f"{results[0].inputs:,} inputs, {results[0].equal:,} outcomes equal, digest {recorded[:12]}")
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
