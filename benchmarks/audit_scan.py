"""Gigabytes a second of the log audit on the writer's layout, against DuckDB's answer to a smaller question.

Both read the same file in turns, from the page cache, each in a process of its own so that resident memory is its own.
DuckDB counts levels, minutes and the longest gap (a window over time). The audit does that and also checks every byte,
counts events, finds stack traces and keeps uptime. Levels, minutes and gap must be equal or the run is refused.

Run: `PYTHONPATH=src python benchmarks/audit_scan.py [--json FILE] [--size small] [--folder MEMORY]`.
"""

import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from measure import Report, arguments

START = datetime(2026, 3, 2, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
DAYS, GAP_SECONDS = 3, 500.2
FULL_BYTES, SMALL_BYTES = 2_000_000_000, 20_000_000
CHUNK_LINES = 20_000
FOREIGN_SHARE = 4
"""The foreign log is so much smaller."""
FOREIGN_AIM = 0.25e9
EVENTS = ("order_acked", "order_filled", "quote_seen", "bar_closed", "limits_checked", "position_marked")
SEGMENTS = 2
SEGMENTED = f"audit .gz, {SEGMENTS} segments"
COMPRESSED_AIM = 0.9e9
RATIO_AIM, RSS_AIM_MB = 1.5, 200


def stamp(nanos: int) -> str:
    moment = START + timedelta(microseconds=(nanos - START_NS) // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_log(path: Path, size: int, *, packed: Sequence[Path] = ()) -> int:
    """Write about `size` bytes over three days with one gap, one warning in 1,000 lines; return the true size.

    packed   what of it is compressed too, in segments of equal size as a harness that rotates writes them
    """
    rng = random.Random(11)
    lines_about = size // 340
    step = DAYS * 86_400 * 1_000_000_000 // lines_about
    number = total = 0
    with path.open("wb") as file, ExitStack() as open_files:
        segments = [open_files.enter_context(gzip.open(one, "wb", 1)) for one in packed]
        while total < size:
            rows = []
            for _ in range(CHUNK_LINES):
                nanos = START_NS + number * step + (round(GAP_SECONDS * 1e9) if number > lines_about // 2 else 0)
                now = stamp(nanos)
                level = "warning" if number % 1_000 == 7 else "info"
                event = "heartbeat" if number % 300 == 0 else EVENTS[rng.randrange(6)]
                rows.append(
                    f'{{"timestamp":"{now}","level":"{level}","event":"{event}","message":"{event} at {number % 7}"'
                    f',"stream":"stdout","payload":{{"stream":"stdout","ingested_at":"{now}","monotonic_ns":{nanos},'
                    f'"structured":{{"event":"{event}","seq":{number},"client_order_id":"tw-{rng.getrandbits(64):016x}",'
                    f'"latency_ms":{rng.randrange(9000) / 1000},"lots":{rng.randrange(500)},"reduce_only":false}}}}}}\n'
                )
                number += 1
            data = "".join(rows).encode()
            file.write(data)
            if segments:
                segments[min(total * len(segments) // size, len(segments) - 1)].write(data)
            total += len(data)
    return total


def write_foreign(path: Path, size: int) -> int:
    """Write about `size` bytes of another writer's lines: epochs, escapes, letters beyond ASCII; return the size."""
    rng = random.Random(12)
    with path.open("wb") as file:
        number = total = 0
        while total < size:
            rows = []
            for _ in range(CHUNK_LINES):
                moment = (START_NS + number * 50_000_000) / 1e9
                rows.append(json.dumps({
                    "ts": moment, "lvl": "info", "logger": "app.core", "ok": True, "n": number, "path": "C:\\data\\x",
                    "msg": f'Auftrag {number} für "Łukasz" geprüft\nnächste Zeile: {rng.random():.6f} €',
                }, ensure_ascii=number % 2 == 0) + "\n")  # fmt: skip
                number += 1
            data = "".join(rows).encode()
            file.write(data)
            total += len(data)
    return total


AUDIT = """
import json, resource, sys, time
from pathlib import Path
from tradeworthy.operations.dry_run.audit.coverage import silences
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.audit.scan import scan
small, *paths = map(Path, sys.argv[1:])
now = 2_000_000_000_000_000_000
scan([small], AuditPolicy(), now=now, compiled=True)  # loads the compiled code
begin, spent = time.perf_counter(), time.process_time()
tally = scan(paths, AuditPolicy(), now=now, compiled=True)
gap = max(until - since for since, until, _ in silences(tally.coverage.cells(), None, None))
took, spent = time.perf_counter() - begin, time.process_time() - spent
minutes = len({moment // 60_000_000_000 for cell in tally.coverage.cells() for moment in cell})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([took, spent, peak, tally.levels.counts(), minutes, round(gap / 1e9, 3)]))
"""
DUCKDB = """
import json, resource, sys, time
import duckdb
con = duckdb.connect()
con.execute("set threads to 2")
con.execute("set enable_progress_bar to false")
con.execute("set preserve_insertion_order to false")
gap = sys.argv[2] == "gap"
source = (f"read_json('{sys.argv[1]}', format='newline_delimited', "
          "columns={level: 'VARCHAR', timestamp: 'TIMESTAMP'})")
begin, spent = time.perf_counter(), time.process_time()
if gap:
    rows = con.execute(f"create temp table t as select level, timestamp as moment from {source}")
    levels = dict(con.execute("select level, count(*) from t group by 1").fetchall())
    minutes = con.execute("select count(distinct date_trunc('minute', moment)) from t").fetchone()[0]
    before = "lag(moment) over (order by moment) as before"
    longest = con.execute(f"select max(moment - before) from (select moment, {before} from t)").fetchone()[0]
    longest = round(longest.total_seconds(), 3)
else:
    rows = con.execute(f"select level, date_trunc('minute', timestamp), count(*) from {source} group by 1, 2")
    rows = rows.fetchall()
    levels = {}
    for level, _, count in rows:
        levels[level] = levels.get(level, 0) + count
    minutes, longest = len({one[1] for one in rows}), None
took, spent = time.perf_counter() - begin, time.process_time() - spent
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([took, spent, peak, levels, minutes, longest]))
"""


class Run(NamedTuple):
    """One measurement; `spent` is processor time, which neighbours on the machine disturb less than wall time."""

    took: float
    spent: float
    peak: float
    answer: list[object]


def run(code: str, *words: object) -> Run:
    """Run one measurement in its own process."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")},
    )  # fmt: skip
    took, spent, peak, levels, minutes, gap = json.loads(done.stdout)
    return Run(took, spent, peak, [dict(sorted(levels.items())), minutes, gap])


def main() -> int:
    """Print medians, resident memory and the ratio; 2 when the two do not find the same."""
    words = arguments(__doc__ or "", rounds=5, where=Path("/dev/shm"))
    report = Report("audit_scan", words)
    place = Path(tempfile.mkdtemp(prefix="audit-scan-", dir=words.folder if words.folder.is_dir() else None))
    try:
        log, packed, small = place / "log.jsonl", place / "log.jsonl.gz", place / "small.jsonl"
        write_log(small, 200_000)
        segments = [place / f"log_p{number:03d}.jsonl.gz" for number in range(1, SEGMENTS + 1)]
        size = write_log(log, FULL_BYTES if words.size == "full" else SMALL_BYTES, packed=segments)
        with packed.open("wb") as file:  # members one after the other are one valid file
            for one in segments:
                file.write(one.read_bytes())
        report.note(f"{size / 1e9:.2f} GB of JSON Lines in memory, {words.rounds} rounds in turns")
        cases = {
            "audit": (AUDIT, small, log), "DuckDB, levels and minutes": (DUCKDB, log, "plain"),
            "DuckDB with gap": (DUCKDB, log, "gap"), "audit .gz": (AUDIT, small, packed),
            SEGMENTED: (AUDIT, small, *segments),
            "DuckDB .gz": (DUCKDB, packed, "plain"),
        }  # fmt: skip
        seen: dict[str, list[Run]] = {name: [] for name in cases}
        for _ in range(words.rounds):
            for name, (code, *rest) in cases.items():
                seen[name].append(run(code, *rest))
        rates = {name: size / statistics.median(one.took for one in runs) for name, runs in seen.items()}
        busy = {name: size / statistics.median(one.spent for one in runs) for name, runs in seen.items()}
        for name, runs in seen.items():
            peak = max(one.peak for one in runs)
            report.rate(f"{name}, bytes of text", size, "B", [one.took for one in runs])
            report.note(f"{busy[name] / 1e9:.2f} GB a processor second, {peak:.0f} MB resident")
        reference = seen["DuckDB with gap"][0].answer
        for name, runs in seen.items():
            for one in runs:
                if one.answer[:2] != reference[:2] or (one.answer[2] is not None and one.answer[2] != reference[2]):
                    print(f"refused: {name} found {one.answer}, DuckDB with gap found {reference}")
                    return 2
        peer = "DuckDB, levels and minutes"
        peak = max(one.peak for name in ("audit", "audit .gz", SEGMENTED) for one in seen[name])
        took = {name: [one.took for one in runs] for name, runs in seen.items()}
        foreign = place / "foreign.jsonl"
        foreign_size = write_foreign(foreign, size // FOREIGN_SHARE)
        runs = [run(AUDIT, small, foreign) for _ in range(words.rounds)]
        report.rate(
            "audit, foreign lines with escapes and beyond ASCII", foreign_size, "B", [one.took for one in runs],
            aim=FOREIGN_AIM,
        )
        spent = statistics.median(one.spent for one in runs)
        report.note(f"{foreign_size / spent / 1e9:.2f} GB a processor second, {max(one.peak for one in runs):.0f} MB")
        zipped = "DuckDB .gz"
        pairs = ("audit", peer), ("audit", "DuckDB with gap"), ("audit .gz", zipped), (SEGMENTED, zipped)
        for name, other in pairs:
            report.ratio(name, other, took[name], took[other])
        report.note(
            f"{rates['audit'] / rates[peer]:.2f} x {peer} (aim {RATIO_AIM}), by processor time "
            f"{busy['audit'] / busy[peer]:.2f} x; .gz {rates['audit .gz'] / COMPRESSED_AIM:.2f} of its aim; "
            f"{peak:.0f} MB (aim {RSS_AIM_MB})"
        )
        report.close()
    finally:
        shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
