"""Time durable appends of events of about 330 bytes: the journal, a bare file and SQLite, in turns on the same disk.

raw      one write and one fdatasync a commit on a growing file, of the very bytes, encoded before: the disk's limit
SQLite   one insert an event (seq, bytes, encoded as part of the work), WAL, synchronous=FULL, one transaction a commit
ours     accept, refuse repeats, encode, checksum each line, chain and sign nothing, one write and one sync a commit

Ours a second time with each batch synced behind the next, as the desk runs; then ours alone: the cost of accepting;
reading; verifying.
Run: `PYTHONPATH=src python benchmarks/journal_append.py [--json FILE] [--size small] [--folder DISK]`.
"""

import gc
import os
import sqlite3
import sys
from itertools import islice
from pathlib import Path

from measure import CLOCK, Report, arguments, folder, percentile, seconds

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.kernel.journal.codec import ENCODER
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading.model.market import Quote

START = 1_700_000_000 * NANOS_PER_SECOND
BATCH_MAX = 512
FULL = {1: 2_000, 100: 50_000, BATCH_MAX: 200_000}
SMALL = {1: 20, 100: 300, BATCH_MAX: 1_024}
AIM = {1: None, 100: 600_000, BATCH_MAX: None}
"""Events a turn and events a second, by events a commit."""


def quotes(count: int) -> list[Event]:
    """Return `count` numbered quotes of about 330 bytes each."""
    return [
        event_of(
            Quote("BTCUSDT.BINANCE", bid=6_500_000 + n % 100, ask=6_500_001 + n % 100, bid_lots=5, ask_lots=7),
            source="binance.spot", key=n, source_seq=n, ts_event=START + n, ts_init=START + n,
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def ours(place: Path, events: list[Event], each: int) -> list[int]:
    """Return nanoseconds of each durable commit of `each` events."""
    journal = Journal.open(
        place, clock=CLOCK, policy=JournalPolicy(batch_events_max=BATCH_MAX, commit_interval_ns=None)
    )
    took, source, accept, now = [], iter(events), journal.accept, CLOCK.monotonic
    while part := list(islice(source, each)):
        begin = now()
        for event in part:
            accept(event)
        journal.commit()
        took.append(now() - begin)
    journal.close()
    return took


def ours_behind(place: Path, events: list[Event], each: int) -> list[int]:
    """Return nanoseconds of all of `events` in batches of `each`, synced behind one another, durable to the last."""
    journal = Journal.open(place, clock=CLOCK, policy=JournalPolicy(batch_events_max=each, commit_interval_ns=None))
    accept, begin = journal.accept, CLOCK.monotonic()
    for event in events:
        accept(event)
    journal.commit()
    took = CLOCK.monotonic() - begin
    journal.close()
    return [took]


def raw(place: Path, events: list[Event], each: int) -> list[int]:
    """Return nanoseconds of each write and fdatasync of the bytes of `each` events."""
    chunks = [ENCODER.encode_lines(events[at : at + each]) for at in range(0, len(events), each)]
    handle = os.open(place / "raw.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    took, now = [], CLOCK.monotonic
    for chunk in chunks:
        begin = now()
        os.write(handle, chunk)
        os.fdatasync(handle)
        took.append(now() - begin)
    os.close(handle)
    return took


def sqlite(place: Path, events: list[Event], each: int) -> list[int]:
    """Return nanoseconds of each SQLite transaction of `each` events."""
    store = sqlite3.connect(place / "events.sqlite", isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    took, source, encode, now, seq = [], iter(events), ENCODER.encode, CLOCK.monotonic, 1
    while part := list(islice(source, each)):
        begin = now()
        store.execute("BEGIN")
        store.executemany("INSERT INTO event VALUES (?, ?)", ((seq + n, encode(one)) for n, one in enumerate(part)))
        store.execute("COMMIT")
        took.append(now() - begin)
        seq += len(part)
    [(stored,)] = store.execute("SELECT count(*) FROM event")
    if stored != len(events):
        raise SystemExit(f"expected {len(events)} rows, found {stored}")
    store.close()
    return took


BEHIND = "ours, synced behind"
CONTENDERS = {"ours": ours, BEHIND: ours_behind, "raw file": raw, "SQLite WAL FULL": sqlite}


def durable(report: Report, inside: Path, events: list[Event], each: int, turns: int) -> None:
    """Print rates and ratios at `each` events a commit; for single events the latencies as well."""
    commits: dict[str, list[list[int]]] = {name: [] for name in CONTENDERS}
    order = list(CONTENDERS)
    for _ in range(turns):
        for name in order:
            with folder(inside) as place:
                gc.collect()
                commits[name].append(CONTENDERS[name](place, events, each))
        order.append(order.pop(0))  # nobody is always first after a pause of the disk
    times = {name: [sum(took) / NANOS_PER_SECOND for took in turn] for name, turn in commits.items()}
    what = f"append, {each} a durable commit"
    behind_times = times.pop(BEHIND)
    if each > 1:
        report.rate(f"append, {each} a batch, synced behind", len(events), "events", behind_times, aim=AIM[each])
        report.ratio(f"append, {each} a batch, synced behind", "raw file", behind_times, times["raw file"])
    for name in times:
        whose = "" if name == "ours" else name
        report.rate(what, len(events), "events", times[name], aim=None if whose else AIM[each], peer=whose)
    for name in ("raw file", "SQLite WAL FULL"):
        report.ratio(what, name, times["ours"], times[name])
    if each == 1:
        for percent in (50, 99):
            at = {name: [percentile(took, percent) for took in turn] for name, turn in commits.items()}
            for name in times:
                report.nanos(f"one durable append, p{percent}", at[name], peer="" if name == "ours" else name)
            for name in ("raw file", "SQLite WAL FULL"):
                report.ratio(f"one durable append, p{percent}", name, at["ours"], at[name])


def reading_back(report: Report, inside: Path, events: list[Event], turns: int) -> None:
    """Print what accepting alone costs, and the rates of reading and verifying."""
    accepting, reading, verifying = [], [], []
    for _ in range(turns):
        with folder(inside) as place:
            gc.collect()
            journal = Journal.open(
                place, clock=CLOCK, policy=JournalPolicy(batch_events_max=BATCH_MAX, commit_interval_ns=None)
            )
            for event in events:
                journal.accept(event)
            journal.commit()
            journal.close()
            reading.append(seconds(lambda: sum(1 for _ in read(place))))
            begin = CLOCK.monotonic()
            result = verify(place)
            verifying.append((CLOCK.monotonic() - begin) / NANOS_PER_SECOND)
            if not result.ok or result.events != len(events):
                raise SystemExit(f"expected {len(events)} intact events, found {result}")
        with folder(inside) as place:
            journal = Journal.open(
                place, clock=CLOCK, policy=JournalPolicy(batch_events_max=BATCH_MAX, commit_interval_ns=None)
            )
            spent, source = 0, iter(events)
            while part := list(islice(source, BATCH_MAX - 1)):
                begin = CLOCK.monotonic()
                for event in part:
                    journal.accept(event)
                spent += CLOCK.monotonic() - begin
                journal.commit()
            journal.close()
            accepting.append(spent / len(events))
    report.nanos("accept alone", accepting)
    report.rate("read, typed", len(events), "events", reading)
    report.rate("verify", len(events), "events", verifying)


def main() -> int:
    """Print one line a figure."""
    options = arguments(__doc__ or "", rounds=5)
    small = options.size == "small"
    report = Report("journal_append", options)
    turns = 1 if small else options.rounds
    for each, count in (SMALL if small else FULL).items():
        events = quotes(count)
        if each == 1:
            report.note(f"{len(ENCODER.encode_lines(events)) / count:.0f} bytes an event")
        durable(report, options.folder, events, each, turns)
    reading_back(report, options.folder, events, turns)
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
