"""Small runs of a made market, and journals with one line changed and sealed anew."""

import msgspec

from tradeworthy.app import config
from tradeworthy.app.runs.runner import RunSession, journal_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal import read_raw
from tradeworthy.kernel.journal.verify import GENESIS, batch_hash, header_line, line_checks, seal_line

START = 1_704_153_600_000_000_000 - 1_500 * 1_000_000_000
"""1 500 s before a midnight of UTC."""

BATCH = 500


def document(*, environment="backtest", steps=6_000, instances=None, **desk):
    """Return a document over a seeded walk: one quote a second, bars of a minute."""
    return config.parse(
        {
            "schema": "desk@1",
            "desk": {"name": "made", "environment": environment, "capital": "1000000", **desk},
            "risk": {"max_order_value": "500000"},
            "tapes": [{
                "name": "made", "format": "synthetic", "instrument": "EURUSD.DEMO", "label": "synthetic",
                "kind": "quotes", "seed": 11, "bar_seconds": 60, "walk": {
                    "ts": START, "start": 110_000, "steps": steps, "step": 6.0, "spread": 10, "size_max": 1_000_000,
                    "pull": 0.0002, "calm_steps": 1_500, "storm": 3.0,
                },
            }],
            "instances": instances if instances is not None else [{
                "id": "quoter", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker",
                "policy": {
                    "lots": 2_000, "inventory_lots_max": 20_000, "interval_ns": 10_000_000_000,
                    "repeat_ns": 30_000_000_000,
                },
            }],
        },
        origin="test",
    )  # fmt: skip


def played(root, **fields):
    return RunSession(document(**fields), root=root, clock=EventClock()).play()


def lines(folder):
    """Return the stored lines as plain data."""
    return [msgspec.json.decode(line) for line in read_raw(journal_of(folder))]


def resealed(folder, target, change):
    """Write the run's lines to `target`, each as `change(line)` gives it (None drops it), under a sound chain."""
    directory = target / "journal"
    directory.mkdir(parents=True)
    kept = [line for line in map(change, lines(folder)) if line is not None]
    rows = [msgspec.json.encode({**line, "seq": seq}) + b"\n" for seq, line in enumerate(kept, 1)]
    out, head = [header_line(1, GENESIS, "2024-01-01")], GENESIS
    for start in range(0, len(rows), BATCH):
        body = b"".join(rows[start : start + BATCH])
        first, last = start + 1, min(start + BATCH, len(rows))
        digest = batch_hash(head, first, last, body)
        out += [body, seal_line(first, last, head, digest, 1, line_checks(body))]
        head = digest
    (directory / "journal-000000000001.jsonl").write_bytes(b"".join(out))
    return target
