"""Files move from hot to warm to cold, nothing is deleted that was not listed, journaled and copied."""

import hashlib
import os

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.retention import (
    ColdFolder,
    RetentionPolicy,
    cited_by,
    compress_durably,
    plan,
    retain,
)
from tradeworthy.kernel.journal.verify import verify


@pytest.fixture
def place(tmp_path, opened, quote_event):
    """A journal of several segments, all last changed on day 0; and their names."""
    directory = tmp_path / "journal"
    journal = opened(directory, segment_bytes_max=10_000, batch_events_max=10)
    journal.append_many([quote_event(n) for n in range(1, 201)])
    journal.close()
    for path in directory.glob("journal-*"):
        os.utime(path, ns=(0, 0))
    return directory, sorted(path.name for path in directory.glob("journal-*"))


def modified(path):
    return path.stat().st_mtime_ns


def planned(directory, days, **odd):
    return plan(directory, now=days * NANOS_PER_DAY, modified=modified, **odd)


def names(steps, act):
    return [step.name for step in steps if step.act == act]


def listing(directory):
    return sorted(path.name for path in directory.iterdir())


def aged(directory, days, **odd):
    """Carry out what is due after `days` until nothing is; return what was deleted."""
    out = []
    while steps := planned(directory, days, **odd):
        deleted, problems = retain(steps, record=out.append, cold=odd.get("cold"))
        assert problems == ()
        if not deleted and not any(step.act == "compress" for step in steps):
            break
    return out


@pytest.mark.parametrize(("days", "due"), [(6, False), (7, True)])
def test_a_closed_segment_is_compressed_after_seven_days_and_stays_hot(place, days, due):
    directory, segments = place
    steps = planned(directory, days)
    assert names(steps, "compress") == (segments[:-1] if due else [])
    before = listing(directory)
    assert retain((), record=pytest.fail) == ((), ())
    assert listing(directory) == before, "a plan alone changes nothing"
    deleted, problems = retain(steps, record=pytest.fail)
    assert (deleted, problems) == ((), ())
    assert listing(directory) == sorted([*before, *(f"{name}.zst" for name in names(steps, "compress"))])
    assert planned(directory, days) == ()


@pytest.mark.parametrize(("days", "due"), [(89, False), (90, True)])
def test_the_original_is_released_after_ninety_days_and_reading_goes_on(place, days, due):
    directory, segments = place
    retain(planned(directory, 7), record=pytest.fail)
    steps = planned(directory, days)
    assert names(steps, "release") == (segments[:-1] if due else [])
    digests = [hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in segments[:-1]]
    recorded = []
    deleted, problems = retain(steps, record=recorded.append)
    assert problems == ()
    assert list(deleted) == recorded
    assert [(fact.name, fact.sha256) for fact in deleted] == (list(zip(segments, digests, strict=False)) if due else [])
    assert [event.seq for event in read(directory)] == list(range(1, 201))
    assert verify(directory).ok


def test_each_deletion_is_recorded_before_the_file_goes(place):
    directory, _ = place
    retain(planned(directory, 7), record=pytest.fail)
    seen = []
    retain(planned(directory, 90), record=lambda fact: seen.append((directory / fact.name).exists()))
    assert seen
    assert all(seen)


def test_a_record_that_fails_deletes_nothing(place):
    directory, _ = place
    retain(planned(directory, 7), record=pytest.fail)
    before = listing(directory)

    def full_disk(_fact):
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        retain(planned(directory, 90), record=full_disk)
    assert listing(directory) == before


def test_a_damaged_copy_keeps_the_original_when_made_and_when_released(place):
    directory, segments = place

    def torn(source, target):
        compress_durably(source, target)
        target.write_bytes(target.read_bytes()[:-9])

    before = listing(directory)
    _, problems = retain(planned(directory, 7)[:1], record=pytest.fail, compress=torn)
    assert len(problems) == 1
    assert listing(directory) == before
    retain(planned(directory, 7), record=pytest.fail)
    copy = directory / f"{segments[0]}.zst"
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    deleted, problems = retain(planned(directory, 90), record=lambda fact: None)
    assert problems == (f"{copy.name}: the copy does not give the original's bytes, the original stays",)
    assert (directory / segments[0]).exists()
    assert [fact.name for fact in deleted] == segments[1:-1]


@pytest.mark.parametrize(("days", "due"), [(364, False), (365, True)])
def test_a_warm_copy_moves_to_the_write_once_store_after_a_year(place, tmp_path, days, due):
    directory, segments = place
    cold = ColdFolder(tmp_path / "cold")
    aged(directory, 90)
    warm = {name: (directory / f"{name}.zst").read_bytes() for name in segments[:-1]}
    assert names(planned(directory, days), "archive") == [], "without a cold store nothing leaves"
    steps = planned(directory, days, cold=cold)
    assert names(steps, "archive") == ([f"{name}.zst" for name in segments[:-1]] if due else [])
    retain(steps, record=lambda fact: None, cold=cold)
    if due:
        assert listing(directory)[0] == segments[-1]
        assert {path.name: path.read_bytes() for path in cold.files()} == {
            f"{name}.zst": data for name, data in warm.items()
        }
        assert {path.stat().st_mode & 0o777 for path in cold.files()} == {0o440}
        assert verify(directory).ok


def test_the_cold_store_never_overwrites_and_other_bytes_keep_the_warm_copy(place, tmp_path):
    directory, segments = place
    cold = ColdFolder(tmp_path / "cold")
    aged(directory, 90)
    (tmp_path / "cold").mkdir()
    (tmp_path / "cold" / f"{segments[0]}.zst").write_bytes(b"something else")
    deleted, problems = retain(planned(directory, 365, cold=cold), record=lambda fact: None, cold=cold)
    assert problems == (f"{segments[0]}.zst: the cold store holds other bytes, the warm copy stays",)
    assert (directory / f"{segments[0]}.zst").exists()
    assert (tmp_path / "cold" / f"{segments[0]}.zst").read_bytes() == b"something else"
    assert [fact.name for fact in deleted] == [f"{name}.zst" for name in segments[1:-1]]


@pytest.mark.parametrize(("days", "due"), [(2_554, False), (2_555, True)])
def test_what_is_cold_is_deleted_in_its_seventh_year(place, tmp_path, days, due):
    directory, _ = place
    cold = ColdFolder(tmp_path / "cold")
    aged(directory, 365, cold=cold)
    stored = [path.name for path in cold.files()]
    steps = planned(directory, days, cold=cold)
    assert names(steps, "expire") == (stored if due else [])
    deleted, _ = retain(steps, record=lambda fact: None, cold=cold)
    assert [fact.name for fact in deleted] == (stored if due else [])
    assert [path.name for path in cold.files()] == ([] if due else stored)


@pytest.mark.parametrize("by", ["name", "digest"])
def test_what_a_live_bundle_cites_is_never_deleted_and_leaves_no_hole(place, tmp_path, by):
    directory, segments = place
    third = segments[2]
    digest = hashlib.sha256((directory / third).read_bytes()).hexdigest()
    bundles = tmp_path / "bundles"
    (bundles / "b1").mkdir(parents=True)
    mention = {"files": [{"path": f"run/journal/{third}"} if by == "name" else {"sha256": digest}]}
    (bundles / "b1" / "bundle.json").write_bytes(msgspec.json.encode(mention))
    deleted = aged(directory, 4_000, cold=(cold := ColdFolder(tmp_path / "cold")), cited=cited_by(bundles))
    assert (directory / third).exists()
    assert hashlib.sha256((directory / third).read_bytes()).hexdigest() == digest
    assert third not in {fact.name for fact in deleted}
    assert verify(directory).ok, "plain segments are still one chain"
    assert [event.seq for event in read(directory)][-1] == 200
    assert len(cold.files()) <= 2


@pytest.mark.parametrize(
    ("family", "days"),
    [("developer", 14), ("reconciliation", 30), ("parity", 30), ("risk", 30), ("soak", 30), ("gate", 60),
     ("replay", 60), ("readiness", 90)],
)  # fmt: skip
def test_each_family_of_reports_has_its_age(place, tmp_path, family, days):
    directory, _ = place
    reports = tmp_path / "reports"
    reports.mkdir()
    for name in (f"{family}-1.json", f"{family}-2.json", "other-1.json"):
        (reports / name).write_text("{}")
        os.utime(reports / name, ns=(0, 0))
    cited = {f"{family}-2.json"}
    assert names(planned(directory, days - 1, reports=[reports], cited=cited), "delete") == []
    steps = [one for one in planned(directory, days, reports=[reports], cited=cited) if one.act == "delete"]
    assert names(steps, "delete") == [f"{family}-1.json"]
    retain(steps, record=lambda fact: None)
    assert listing(reports) == sorted([f"{family}-2.json", "other-1.json"])


def test_tiers_out_of_order_are_refused():
    with pytest.raises(ValueError, match="warm_after_days <= hot_days"):
        RetentionPolicy(warm_after_days=91)
