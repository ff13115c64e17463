"""Segments: no line lost at a boundary, digests on close, readable to the last flush (DR-12, DR-13)."""

import gzip
import hashlib
import io
import zlib
from pathlib import Path

import pytest
import zstandard

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.dry_run.policy import PumpPolicy
from tradeworthy.operations.dry_run.segments import SegmentedLog

SECOND = NANOS_PER_SECOND
HOUR = 3_600 * SECOND


def log_in(folder, **policy):
    log = SegmentedLog(folder, "final_dry_run_x", PumpPolicy(**policy))
    log.open(now=0, monotonic=0)
    return log


def test_segments_rotate_on_monotonic_age_between_lines(tmp_path):
    log = log_in(tmp_path, rotate_hours=1.0)
    for hour in range(3):
        log.write(b"s%d\n" % hour, b"r%d\n" % hour, 1)
        log.tick(now=0, monotonic=(hour + 1) * HOUR)
    log.close(now=0)
    names = [Path(one.structured_path).name for one in log.segments()]
    assert names == [f"final_dry_run_x_p{n:03d}.jsonl" for n in (1, 2, 3, 4)]
    assert [Path(one.structured_path).read_bytes() for one in log.segments()] == [b"s0\n", b"s1\n", b"s2\n", b""]
    assert [one.lines for one in log.segments()] == [1, 1, 1, 0]
    for one in log.segments():
        assert one.structured_sha256 == hashlib.sha256(Path(one.structured_path).read_bytes()).hexdigest()
        assert one.raw_sha256 == hashlib.sha256(Path(one.raw_path).read_bytes()).hexdigest()


def test_a_plain_run_has_one_unnumbered_segment(tmp_path):
    log = log_in(tmp_path)
    log.tick(now=0, monotonic=1_000 * HOUR)
    log.close(now=0)
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["final_dry_run_x.jsonl", "final_dry_run_x.log"]


def test_plain_lines_are_with_the_system_at_once(tmp_path):
    log = log_in(tmp_path)
    log.write(b"a\n", b"b\n", 1)
    assert (tmp_path / "final_dry_run_x.jsonl").read_bytes() == b"a\n"


def readable(path):
    """Return what can be read of a stream that has no end."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        return zlib.decompressobj(31).decompress(data)
    out = io.BytesIO()
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as reader:
        while block := reader.read(1 << 16):
            out.write(block)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_stream_can_be_read_up_to_the_last_flush_and_whole_after_the_end(tmp_path, kind):
    log = log_in(tmp_path, compress=True, compress_format=kind, flush_seconds=5.0)
    path = tmp_path / f"final_dry_run_x.jsonl.{kind}"
    log.write(b"first\n" * 100, b"raw\n", 100)
    log.tick(now=0, monotonic=5 * SECOND - 1)
    assert path.stat().st_size == 0
    log.tick(now=0, monotonic=5 * SECOND)
    log.write(b"second\n", b"raw\n", 1)
    assert readable(path) == b"first\n" * 100
    log.close(now=0)
    whole = gzip.decompress(path.read_bytes()) if kind == "gz" else readable(path)
    assert whole == b"first\n" * 100 + b"second\n"


def test_evidence_is_never_written_over(tmp_path):
    log_in(tmp_path).close(now=0)
    with pytest.raises(FileExistsError):
        log_in(tmp_path)
