"""What one log line costs the caller, through structlog and through `logging`, beside plain `logging` with JSON.

The peer is the standard library alone: a formatter that writes the same fields with `json.dumps`, a `FileHandler`
in the caller's thread, and the same behind a `QueueHandler` with a `QueueListener`. It redacts nothing, rotates
nothing and drops nothing. Ours holds so few lines a turn that its queue never overflows; both write to a file.

Run: `PYTHONPATH=src python benchmarks/log_line.py [--json FILE] [--size small]`.
"""

import json
import logging
import logging.handlers
import queue
import sys
from collections.abc import Callable
from pathlib import Path

from measure import CLOCK, Report, arguments, folder, percentile

from tradeworthy.kernel import redaction
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.logs import open_logs

LINES = {"full": 8_000, "small": 300}
LOG = logging.getLogger("tradeworthy.benchmark")
PEER_LOG = logging.getLogger("peer.benchmark")
EXTRA = {
    "client_order_id": "tw-abcdefghijklmnopqrstuvwxyz", "code": "risk.max_notional", "observed": 10_100, "limit": 1.5,
}  # fmt: skip
STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """The same fields as ours, by the standard library."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        micros = int(record.created * 1_000_000) % 1_000_000
        return json.dumps({
            "timestamp": f"{self.formatTime(record)[:19]}.{micros:06d}Z", "level": record.levelname.lower(),
            "event": record.msg, "message": record.getMessage(), "logger": record.name, "run_id": "run-1",
            "environment": "paper", "tier": None, "release": None, "trace_id": None, "span_id": None,
            "correlation_id": None, **{key: value for key, value in vars(record).items() if key not in STANDARD},
        })  # fmt: skip


def _timed(count: int, log: Callable[[], object]) -> list[int]:
    taken = []
    for _ in range(count):
        began = CLOCK.monotonic()
        log()
        taken.append(CLOCK.monotonic() - began)
    return taken


def _ours(count: int, place: Path, *, structured: bool) -> tuple[list[int], int]:
    logs = open_logs(LogPolicy(), run_id="run-1", environment="paper", clock=CLOCK, folder=place)
    logger = logs.logger("tradeworthy.benchmark")
    begin = CLOCK.monotonic()
    if structured:
        taken = _timed(count, lambda: logger.info("order_refused", **EXTRA))
    else:
        taken = _timed(count, lambda: LOG.info("order_refused", extra=EXTRA))
    logs.close()
    whole = CLOCK.monotonic() - begin
    if logs.dropped:
        raise AssertionError(f"expected no dropped line, found {logs.dropped}")
    _require((place / "tradeworthy.jsonl").read_bytes(), count)
    return taken, whole


def _peer(count: int, place: Path, *, queued: bool) -> tuple[list[int], int]:
    handler = logging.FileHandler(place / "peer.jsonl")
    handler.setFormatter(JsonFormatter())
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(lines, handler) if queued else None
    used = logging.handlers.QueueHandler(lines) if queued else handler
    PEER_LOG.addHandler(used)
    PEER_LOG.setLevel(logging.INFO)
    PEER_LOG.propagate = False
    begin = CLOCK.monotonic()
    if listener is not None:
        listener.start()
    taken = _timed(count, lambda: PEER_LOG.info("order_refused", extra=EXTRA))
    if listener is not None:
        listener.stop()
    handler.close()
    whole = CLOCK.monotonic() - begin
    PEER_LOG.removeHandler(used)
    _require((place / "peer.jsonl").read_bytes(), count)
    return taken, whole


def _require(data: bytes, count: int) -> None:
    if data.count(b"\n") != count:
        raise AssertionError(f"expected {count} lines, found {data.count(bytes([10]))}")


def main() -> int:
    """Print nanoseconds a line for the caller and for the whole, ours and the peer's in turns."""
    words = arguments(__doc__ or "", rounds=7)
    report = Report("log_line", words)
    count = LINES[words.size]
    redaction.register("a-secret-that-is-known")
    report.note(f"{count:,} lines of 17 fields to a file, one secret known, {words.rounds} rounds in turns")
    runs: dict[str, list[tuple[list[int], int]]] = {}
    ways: dict[str, Callable[[Path], tuple[list[int], int]]] = {
        "structlog": lambda place: _ours(count, place, structured=True),
        "logging": lambda place: _ours(count, place, structured=False),
        "plain logging, JSON": lambda place: _peer(count, place, queued=False),
        "plain logging, JSON, queued": lambda place: _peer(count, place, queued=True),
    }
    for _ in range(words.rounds):
        for name, way in ways.items():
            with folder(words.folder) as place:
                runs.setdefault(name, []).append(way(place))
    middle = {name: [float(percentile(taken, 50)) for taken, _ in turns] for name, turns in runs.items()}
    late = {name: [float(percentile(taken, 99)) for taken, _ in turns] for name, turns in runs.items()}
    whole = {name: [took / count for _, took in turns] for name, turns in runs.items()}
    for name in ways:
        peer = name if name.startswith("plain") else ""
        ours = "line" if peer else f"line through {name}"
        report.nanos(f"{ours}, caller p50", middle[name], peer=peer)
        report.nanos(f"{ours}, caller p99", late[name], peer=peer)
        report.nanos(f"{ours}, until all are in the file", whole[name], peer=peer)
    for peer in ("plain logging, JSON", "plain logging, JSON, queued"):
        report.ratio("caller p50 through logging", peer, middle["logging"], middle[peer])
        report.ratio("caller p99 through logging", peer, late["logging"], late[peer])
        report.ratio("until all are in the file", peer, whole["logging"], whole[peer])
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
