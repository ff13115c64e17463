"""Builders of logs for the tests of the audit."""

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
SECOND = 1_000_000_000
NOW_NS = START_NS + 400 * 86_400 * SECOND


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(seconds, *, level="info", event="tick", message="tick done", structured=None, stream="stdout", **more):
    """One line in the writer's own layout."""
    payload = {"stream": stream, "ingested_at": at(seconds), "monotonic_ns": 1_000 + int(seconds * SECOND)}
    payload |= {"structured": {"event": event, "ok": True} if structured is None else structured}
    record = {"timestamp": at(seconds), "level": level, "event": event, "message": message, "stream": stream}
    return encode(record | more | {"payload": payload})


def encode(record):
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def beat(seconds, seq):
    return line(seconds, event="heartbeat", message="alive", structured={"event": "heartbeat", "seq": seq})


def write(path, lines, *, end=b"\n"):
    path.write_bytes(b"".join(one + end for one in lines))
    return path
