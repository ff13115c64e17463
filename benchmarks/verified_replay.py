"""Time a replay with comparison: read the journal of the EMA desk, decide again, compare each outcome.

The journal of `desk_ema.py` is written first, outside the timing. Reading and decoding are timed, and the new desk
runs all controls, the ledger and the strategies as the first one did.

Run: `PYTHONPATH=src python benchmarks/verified_replay.py [--size small] [--profile]`.
"""

import cProfile
import pstats
import sys

from desk_ema import Run, bars, build_desk
from measure import arguments, folder, machine, seconds, tell

from tradeworthy.kernel.journal import read
from tradeworthy.trading.replay import ReplayResult, replay

AIM = 1_500_000


def main() -> int:
    """Print events a second of reading alone and of the verified replay."""
    profile = "--profile" in sys.argv
    sys.argv = [one for one in sys.argv if one != "--profile"]
    options = arguments(__doc__ or "", rounds=3)
    rows = bars(2_000 if options.size == "small" else 100_000)
    with folder(options.folder) as place:
        run = Run(place, rows)
        run.play()
        events = run.journal.last_seq
        results: list[ReplayResult] = []

        def again() -> None:
            results.append(replay(read(place), build_desk()))

        if profile:
            profiler = cProfile.Profile()
            profiler.runcall(again)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
            return 0
        rounds = 1 if options.size == "small" else options.rounds
        reading = [seconds(lambda: sum(1 for _ in read(place))) for _ in range(rounds)]
        runs = [seconds(again) for _ in range(rounds)]
        recorded = run.environment.digest.hexdigest()
        for result in results:
            if not result.ok or result.digest != recorded or result.inputs + result.outcomes != events:
                raise SystemExit(f"expected {events} equal events and digest {recorded[:12]}, found {result}")
    print(machine())
    print(f"read, typed: {events / sorted(reading)[len(reading) // 2]:,.0f} events/s")
    tell("verified_replay", events, "events", runs, aim=AIM)
    print(f"  {results[0].inputs:,} inputs, {results[0].equal:,} outcomes equal, digest {recorded[:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
