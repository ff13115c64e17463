"""Segments and members of a compressed log read as the plain file does, by any number of readers, in bounded blocks."""

import bz2
import gzip
import lzma
import threading

import audit_logs as logs
import pytest

from tradeworthy.operations.dry_run.audit import sources
from tradeworthy.operations.dry_run.audit.log_section import audit_logs
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, ScanPolicy
from tradeworthy.operations.dry_run.audit.sources import (
    AHEAD_BYTES,
    BLOCK_BYTES_MAX,
    Decompressed,
    Unreadable,
    kind_of,
    made_ahead,
)
from tradeworthy.operations.dry_run.model import Status

SEGMENTS = 5


def rows_of(segment):
    rows = [logs.line(segment * 400 + n, event=f"event_{n % 5}") for n in range(400)]
    return [*rows, logs.beat(segment * 400, segment), logs.line(segment * 400 + 9, level="warning", message="slow")]


def packed(tmp_path, pack=gzip.compress):
    """Write a log of several segments, each compressed alone; return them and the plain whole."""
    rows = [rows_of(segment) for segment in range(SEGMENTS)]
    paths = []
    for number, part in enumerate(rows):
        path = tmp_path / f"log_p{number:03d}.jsonl.packed"
        path.write_bytes(pack(b"".join(row + b"\n" for row in part)))
        paths.append(path)
    return paths, logs.write(tmp_path / "whole.jsonl", [row for part in rows for row in part])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("readers", [1, 2, 3])
def test_segments_side_by_side_read_as_the_whole(tmp_path, pack, readers):
    pytest.importorskip("numba")
    paths, whole = packed(tmp_path, pack)
    policy = AuditPolicy(scan=ScanPolicy(readers=readers))
    expected = audit_logs([whole], policy, now=logs.NOW_NS, compiled=False)
    assert (expected.records, len(expected.warnings)) == (SEGMENTS * 402, 1)
    for order in (paths, paths[::-1]):
        assert audit_logs(order, policy, now=logs.NOW_NS, compiled=True) == expected
        assert audit_logs(order, policy, now=logs.NOW_NS, compiled=False) == expected


@pytest.mark.parametrize("with_isal", [True, False])
def test_members_one_after_the_other_read_as_one_text(tmp_path, monkeypatch, with_isal):
    if not with_isal:
        monkeypatch.setattr(sources, "find_spec", lambda _name: None)
    paths, whole = packed(tmp_path)
    joined = tmp_path / "joined.gz"
    joined.write_bytes(b"".join(path.read_bytes() + bytes(7) for path in paths))
    assert b"".join(Decompressed(joined, kind_of(joined)).blocks()) == whole.read_bytes()


def test_segments_that_are_damaged_are_told_in_one_order(tmp_path):
    paths, _ = packed(tmp_path)
    for path in paths[1:3]:
        data = path.read_bytes()
        path.write_bytes(data[:-8] + bytes([data[-8] ^ 1]) + data[-7:])  # the checksum of a member
    section = audit_logs(paths, AuditPolicy(), now=logs.NOW_NS)
    assert section.status is Status.UNKNOWN
    assert [one.split(" ")[0] for one in section.error.split("; ")] == [path.name for path in paths[1:3]]
    assert audit_logs(paths[::-1], AuditPolicy(), now=logs.NOW_NS).error == section.error


@pytest.mark.parametrize("with_isal", [True, False])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_a_few_bytes_inflate_to_comes_in_bounded_blocks(tmp_path, monkeypatch, with_isal, pack):
    if not with_isal:
        monkeypatch.setattr(sources, "find_spec", lambda _name: None)
    size = 20 * BLOCK_BYTES_MAX + 5
    path = tmp_path / "blank.packed"
    path.write_bytes(pack(bytes(size)))
    sizes = [len(block) for block in Decompressed(path, kind_of(path)).blocks()]
    assert (sum(sizes), max(sizes)) == (size, BLOCK_BYTES_MAX)


def taken(blocks):
    """Return the blocks that came and what ended them."""
    came = []
    try:
        for block in blocks:
            came.append(block)
    except Unreadable as problem:
        return b"".join(came), str(problem)
    return b"".join(came), None


@pytest.mark.parametrize("with_isal", [True, False])
@pytest.mark.parametrize("kept", [1.0, 0.7, 0.0])
def test_a_thread_ahead_gives_the_same_text_and_the_same_end(tmp_path, monkeypatch, with_isal, kept):
    if not with_isal:
        monkeypatch.setattr(sources, "find_spec", lambda _name: None)
    text = b"".join(b"%d " % number for number in range(AHEAD_BYTES // 3))
    data = gzip.compress(text)
    whole, damaged = tmp_path / "whole.gz", tmp_path / "damaged.gz"
    whole.write_bytes(data[: int(len(data) * kept)] if kept else data[:5])
    damaged.write_bytes(gzip.compress(text[:-1]) + data[:-8] + bytes(4) + data[-4:])
    for path in (whole, damaged):
        alone, ahead = Decompressed(path, "gz"), Decompressed(path, "gz")
        expected = taken(alone.blocks())
        assert taken(made_ahead(ahead.blocks())) == expected
        assert ahead.truncated is alone.truncated is (path == whole and kept < 1)
        assert (expected[1] is None) is (path == whole)
        assert text.startswith(expected[0]) or path == damaged


def test_a_thread_ahead_ends_with_who_gives_up(tmp_path):
    path = tmp_path / "blank.gz"
    path.write_bytes(gzip.compress(bytes(3 * AHEAD_BYTES)))
    before = threading.active_count()
    blocks = made_ahead(Decompressed(path, "gz").blocks())
    assert next(blocks) == bytes(BLOCK_BYTES_MAX)
    assert threading.active_count() == before + 1
    blocks.close()
    assert threading.active_count() == before
