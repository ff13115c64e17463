"""The packet: the same bytes at every build, every changed byte found, nothing foreign touched (DR-37)."""

import tarfile

import audit_logs as logs
import pytest
from test_review_and_backlog import messy_run

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.packet import RawEvidence, build_packet, verify_packet


def raw(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    log = logs.write(tmp_path / "log.jsonl", [logs.line(n) for n in range(50)])
    diary, performance = tmp_path / "d.jsonl", tmp_path / "p.json"
    diary.write_text("{}\n")
    performance.write_text("{}")
    return RawEvidence(logs=(log,), diary=diary, performance=performance)


def test_a_packet_holds_its_files_and_is_sound(tmp_path):
    manifest = build_packet(tmp_path / "packet", messy_run(), raw(tmp_path / "raw"))
    assert [one.path for one in manifest.files] == [
        "dry_run_sign_off.json", "dry_run_summary.json", "dry_run_summary.md", "raw/decision_diary.jsonl",
        "raw/logs/log.jsonl", "raw/performance_metrics.json",
    ]  # fmt: skip
    assert verify_packet(tmp_path / "packet") == ()


def test_raw_files_can_be_left_out(tmp_path):
    manifest = build_packet(tmp_path / "packet", messy_run(), raw(tmp_path / "raw"), skip_raw=True)
    assert not [one for one in manifest.files if one.path.startswith("raw")]


def test_two_builds_are_equal_to_the_byte(tmp_path):
    first, second = tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"
    build_packet(tmp_path / "one", messy_run(), raw(tmp_path / "raw"), archive=first)
    build_packet(tmp_path / "two", messy_run(), raw(tmp_path / "raw"), archive=second)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        names = tar.getnames()
        assert names == sorted(names)
        assert {(one.mtime, one.uid, one.gid, one.uname) for one in tar} == {(0, 0, 0, "")}


@pytest.mark.parametrize(("name", "code"), [
    ("raw/logs/log.jsonl", "packet.file.changed"), ("dry_run_summary.json", "packet.file.changed"),
])  # fmt: skip
def test_a_changed_byte_is_found(tmp_path, name, code):
    folder = tmp_path / "packet"
    build_packet(folder, messy_run(), raw(tmp_path / "raw"))
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert [(one.code, name in one.message) for one in verify_packet(folder)] == [(code, True)]


def test_a_missing_and_an_added_file_are_found(tmp_path):
    folder = tmp_path / "packet"
    build_packet(folder, messy_run(), raw(tmp_path / "raw"))
    (folder / "dry_run_summary.md").unlink()
    (folder / "extra.txt").write_text("x")
    assert {one.code for one in verify_packet(folder)} == {"packet.file.missing", "packet.file.unlisted"}


def test_an_earlier_packet_is_replaced_and_foreign_files_are_not(tmp_path):
    folder = tmp_path / "packet"
    build_packet(folder, messy_run(), raw(tmp_path / "raw"))
    build_packet(folder, messy_run(), raw(tmp_path / "raw"), skip_raw=True)
    assert verify_packet(folder) == ()
    (folder / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match=r"mine\.txt"):
        build_packet(folder, messy_run(), raw(tmp_path / "raw"))
    assert (folder / "mine.txt").read_text() == "keep"


def test_a_raw_file_that_is_gone_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot pack"):
        build_packet(tmp_path / "packet", messy_run(), RawEvidence(logs=(tmp_path / "none.jsonl",)))
