"""What the harness sees live and what the audit reads afterwards are the same lines, silences and uptime."""

from itertools import pairwise

import audit_logs as logs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.operations.dry_run.audit.coverage import Coverage, covered, runs, silences
from tradeworthy.operations.dry_run.audit.log_section import audit_logs, judge
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, Window
from tradeworthy.operations.dry_run.audit.scan import scan
from tradeworthy.operations.dry_run.audit.tally import Tally
from tradeworthy.operations.dry_run.model import LinePayload, StructuredLine, stamp
from tradeworthy.operations.dry_run.uptime import Uptime

SECOND = logs.SECOND


@given(
    beats=st.lists(st.integers(0, 400), max_size=30), lines=st.lists(st.integers(0, 400), max_size=10),
    stop=st.integers(400, 500),
)  # fmt: skip
def test_uptime_is_the_same_live_and_afterwards(beats, lines, stop):
    policy = AuditPolicy()
    live = Uptime(started=0, silence_ns=policy.silence_nanos)
    tally = Tally(policy, now=logs.NOW_NS)
    for at in sorted([*((one, "line") for one in lines), *((one, "beat") for one in beats)]):
        live.line(at[0] * SECOND)
        if at[1] == "beat":
            live.heartbeat(at[0], at[0] * SECOND)
            tally.take(logs.beat(at[0], at[0]))
        else:
            tally.take(logs.line(at[0]))
    live.end(stop * SECOND)
    window = Window(start=logs.START_NS, stop=logs.START_NS + stop * SECOND)
    found = judge(tally, policy, window)
    read = live.read(stop * SECOND)
    assert found.uptime_ratio == pytest.approx(read.ratio)
    assert found.uptime_source == read.source


@given(moments=st.lists(st.integers(0, 5_000), min_size=1, max_size=40), width=st.sampled_from([1, 7, 100, 1_000]))
def test_cells_and_runs_lose_no_silence_and_no_cover(moments, width):
    coverage = Coverage(width=width, bytes_max=1 << 20)
    for one in moments:
        coverage.note(one)
    ordered = sorted(set(moments))
    limit = max(width, 100)
    exact = [b - a for a, b in pairwise(ordered)]
    spans = list(runs(coverage.cells(), join_max=limit))
    assert [b - a for a, b, _ in silences(iter(spans), None, None)] == [one for one in exact if one > limit]
    assert covered(iter(spans), silence_max=limit) == sum(one for one in exact if one <= limit)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_cells_that_had_to_widen_hold_first_and_last(moments):
    coverage = Coverage(width=1, bytes_max=1)
    for one in moments:
        coverage.note(one)
    cells = list(coverage.cells())
    assert (cells[0][0], cells[-1][1]) == (min(moments), max(moments))
    other = Coverage(width=1, bytes_max=1)
    other.merge(coverage)
    assert list(other.cells()) == cells


def test_the_writers_own_lines_are_all_read_by_the_compiled_kernel(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    rows = [
        msgspec.json.encode(StructuredLine(
            timestamp=stamp(logs.START_NS + n * SECOND // 7), level="info", event="tick", message="tick",
            stream="stdout",
            payload=LinePayload(
                stream="stdout", ingested_at=stamp(logs.START_NS + n * SECOND // 7 + 1_000), monotonic_ns=n,
                **({"structured": {"timestamp": logs.at(n), "level": "info", "n": n}} if n % 2 else {"raw": "text"}),
            ),
        ))
        for n in range(200)
    ]  # fmt: skip
    path = logs.write(tmp_path / "log.jsonl", rows)
    expected = audit_logs([path], AuditPolicy(), now=logs.NOW_NS, compiled=False)
    asked = []
    monkeypatch.setattr(Tally, "take", lambda _self, line: asked.append(line))
    tally = scan([path], AuditPolicy(), now=logs.NOW_NS, compiled=True)
    assert asked == []
    assert judge(tally, AuditPolicy(), None) == expected
