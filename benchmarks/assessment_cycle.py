"""Time what a running desk pays for its assessments as its journal grows: 10 thousand, 100 thousand, a million events.

The benchmark desk (`desk_ema.py`) is played into a journal, and its events are fed to the folds of a running desk as
its trading loop does. At each length: the cost of an event, of a whole cycle (collect, judge, journal by one sync,
render, publish to a bus in memory), of each check alone, all in processor time of this thread, and the memory that
the folds grew by. A cost that does not grow with history is the same at each length.

There is no peer: no engine that we compare with judges itself.
Run: `PYTHONPATH=src python benchmarks/assessment_cycle.py [--json FILE] [--size small] [--folder DISK]`.
"""

import gc
import random
import sys
from itertools import islice
from pathlib import Path
from time import thread_time_ns

import msgspec
from desk_ema import MINUTE, START
from measure import Report, arguments, folder, percentile
from one_desk import Play

from tradeworthy.app import bootstrap, config
from tradeworthy.app.assessing.live import LiveSource, measured
from tradeworthy.app.assessing.live_folds import LiveFolds
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.resources import ResourceLedger, Usage
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.operations.assessments.framework.collect import collect
from tradeworthy.operations.assessments.framework.cycle import Assessor, judged
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.pipeline import Pipeline
from tradeworthy.operations.assessments.framework.ports import AlertEvent
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import markdown
from tradeworthy.operations.health.facts import RuntimeFacts
from tradeworthy.operations.health.judge import judge as judge_health
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.trading.environment import Row
from tradeworthy.trading.model import Bar
from tradeworthy.trading.simulation.venue import Matching

LENGTHS = {"full": (10_000, 100_000, 1_000_000), "small": (1_000, 2_000, 3_000)}
EVENTS_PER_BAR = 1.6
CYCLES = {"full": 100, "small": 5}
NEW_EVENTS = {"full": 50, "small": 5}
"""Events that arrive between two looks."""
CHECK_MS_MAX = 5.0
INSTRUMENT = "EURUSD.DEMO"
DOCUMENT = {
    "schema": "desk@1",
    "desk": {"name": "bench", "environment": "paper", "capital": "10000000", "minute_seconds": 60},
    "tapes": [{"name": "walk", "format": "demo", "instrument": INSTRUMENT}],
    "instances": [{"id": "ema", "strategy": "ema_trend", "instrument": INSTRUMENT}],
    "risk": {"throttle_quoting": 1_000, "messages_per_second": 100, "messages_per_minute": 600, "quoting": ["ema"],
             "repeated_executions": 1_000},
}  # fmt: skip


BUS = BusFacts(
    expected=True, running=True, depth=0, bound=1_000, published=5, dropped=0, handler_errors=0, subscribers=2,
    last_published_age_seconds=1.0, oldest_waiting_seconds=0.0, open_dead_letters=0, published_total=5,
    delivered_total=5, dropped_total=0, handler_errors_total=0, duplicates_total=0, dead_letters_total=0,
)  # fmt: skip


class Silent:
    """Alerts, gates and the desk's halt, all unheard."""

    def alert(self, event: AlertEvent) -> None:
        """Hear nothing."""

    def renewed(self, assessment: str, snapshot: str) -> None:
        """Hear nothing."""

    @property
    def failed_over(self) -> bool:
        """Whether the spool stands in."""
        return False

    def publish(self, topic: str, payload: object, *, event_id: str) -> None:
        """Encode a payload, as a bus does."""
        msgspec.json.encode(payload)

    def read(self) -> Usage:
        """Use little."""
        return Usage(100 << 20, 0.0, 10, 1_024, 4, 10, 100)

    def halt(self, reason: str) -> None:
        """End the benchmark: its journal must take everything."""
        raise SystemExit(reason)

    def escalate(self, one: object, cause: object) -> None:
        """Hear nothing."""


def rows(count: int) -> list[Row]:
    """Return a seeded walk of one-minute bars."""
    draw, price, found = random.Random(7), 110_000, []
    for number in range(1, count + 1):
        opened, price = price, max(50_000, min(200_000, price + draw.randint(-20, 20)))
        bar = Bar(INSTRUMENT, MINUTE, opened, max(opened, price) + 3, min(opened, price) - 3, price)
        ts = START + number * MINUTE
        found.append(Row("tape.walk", number, ts, ts, bar))
    return found


def resident_bytes() -> int:
    """Return the process's resident memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def source_of(document: config.Document, place: Path, clock: EventClock) -> LiveSource:
    """Return a process that runs nothing but the folds of one run."""
    source = LiveSource(
        clock, environment="paper", supervisor=TaskSupervisor(clock, random.Random(7), Silent(), run_id="bench"),
        bus=lambda: BUS,
        health=lambda: judge_health(RuntimeFacts(run_id="bench", environment="paper"), HealthPolicy(), clock.now()),
        checked=lambda: None, machine=ResourceLedger(clock, Silent()), audited=lambda: None,
        running=lambda: "0" * 64, root=place,
    )  # fmt: skip
    source.follow(LiveFolds(document, place / "run", clock))
    return source


def assessor_of(source: LiveSource, place: Path, clock: EventClock) -> tuple[Assessor, SnapshotJournal, History]:
    """Return what judges, over a journal on disk and a bus in memory."""
    silent, journal, history, known = Silent(), SnapshotJournal(place / "snapshots", clock), History(), registry()
    pipeline = Pipeline(
        journal, silent, silent, silent, silent, renderers={"md": markdown}
    )
    return Assessor(
        known, known.policies({}), pipeline, history, clock, probes=source.probes(), environment="paper",
        code_version="bench",
    ), journal, history  # fmt: skip


def main() -> int:
    """Feed, look, print."""
    options = arguments(__doc__ or "", rounds=1, peer=False)
    report = Report("assessment_cycle", options)
    lengths, looks, new = LENGTHS[options.size], CYCLES[options.size], NEW_EVENTS[options.size]
    document = config.parse(DOCUMENT, origin="benchmark")
    instrument = bootstrap.instruments_of(document)[INSTRUMENT]
    with folder(options.folder) as place:
        clock = EventClock()
        desk = bootstrap.build_desk(document, ())
        bars = rows(int(lengths[-1] / EVENTS_PER_BAR) + 5_000)
        play = Play(place / "run", bars, desk, instrument, matching=Matching.BARS, latency_ns=NANOS_PER_MILLI)
        play.play()
        del play, desk, bars
        source = source_of(document, place, clock)
        assessor, journal, history = assessor_of(source, place, clock)
        events, fed, before = read(place / "run"), 0, resident_bytes()
        policies = registry().policies({})
        for length in lengths:
            spent = thread_time_ns()
            begun = fed
            for event in islice(events, max(0, length - fed)):
                clock.advance_to(event.ts_init)
                source.on_event(event, event.seq)
                fed += 1
            each = (thread_time_ns() - spent) / max(1, fed - begun)
            cycles, checks = [], {}
            for _ in range(looks):
                for event in islice(events, new):
                    clock.advance_to(event.ts_init)
                    source.on_event(event, event.seq)
                    fed += 1
                clock.advance_to(clock.now() + NANOS_PER_SECOND)
                spent = thread_time_ns()
                assessor.cycle()
                cycles.append(thread_time_ns() - spent)
                for name, probes in source.probes().items():
                    spent = thread_time_ns()
                    one = registry().get(name)
                    judged(
                        one, collect(probes, clock.now()), measured(policies[name]), clock.now(), history,
                        environment="paper", code_version="bench",
                    )  # fmt: skip
                    checks.setdefault(name, []).append(thread_time_ns() - spent)
            report.nanos(f"fold one event, up to {length:,}", [each])
            report.nanos(f"one cycle of {len(checks)} checks at {length:,}", cycles)
            worst = sorted(((percentile(took, 99), name) for name, took in checks.items()), reverse=True)
            aim = CHECK_MS_MAX * NANOS_PER_MILLI
            report.nanos(f"p99 of the slowest check at {length:,}: {worst[0][1]}", [worst[0][0]], aim=aim)
            report.note(", ".join(f"{name} {took / NANOS_PER_MILLI:.2f} ms" for took, name in worst[:5]))
            grown = resident_bytes() - before
            report.note(f"memory at {length:,}: {grown / 1e6:+.1f} MB since the folds were empty")
        journal.close()
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
