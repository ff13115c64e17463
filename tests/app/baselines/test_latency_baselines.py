"""How a new latency baseline comes to be: figures from a report, three people's keys, used once (PBL-03, APR-04)."""

import json

import pytest
from trusted import NOW, SECOND, key, trusting

from tradeworthy.app.baselines.latency_baselines import NAME, BaselineWatch, LatencyBaselines
from tradeworthy.app.people.approvals import signed
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode, InvalidInput, UsageError
from tradeworthy.operations.performance_baseline.approved import BaselineApproved, figures_of
from tradeworthy.operations.performance_baseline.decision_latency import LatencyBaseline
from tradeworthy.trading.control.approvals import Act, SignedPack, draft

HERE = "linux-x86_64-2-ab"


def report_of(root, *, machine=HERE, p50=1.5):
    path = root / "report.json"
    latency = {"samples": 200, "p50_ms": p50, "p99_ms": 3.25}
    path.write_text(json.dumps({"schema": "performance_baseline@1", "machine": machine, "decision_latency": latency}))
    return path


def opened(root, clock=None):
    trusting(root / "state" / NAME)
    return LatencyBaselines(root, clock=clock or EventClock(NOW))


def proposed(baselines, root, **report):
    return baselines.propose(report_of(root, **report), reason="a new release", key=key(1))


def test_figures_are_in_force_once_two_other_people_signed_and_the_pack_was_used(tmp_path):
    baselines = opened(tmp_path)
    pack = signed(proposed(baselines, tmp_path), key(2), key(3))
    assert baselines.of(HERE) is None
    assert baselines.accept(pack).people == ("bob", "carol")
    assert baselines.of(HERE) == LatencyBaseline(HERE, 1_500_000, 3_250_000)
    assert baselines.of("another") is None


@pytest.mark.parametrize("signers", [(), (2,), (1,), (2, 2), (2, 9)])
def test_fewer_than_two_other_people_are_refused(tmp_path, signers):
    baselines = opened(tmp_path)
    pack = signed(proposed(baselines, tmp_path), *(key(one) for one in signers))
    with pytest.raises(ConfigurationRefused, match="baseline"):
        baselines.accept(pack)
    assert baselines.of(HERE) is None


def test_a_pack_lives_an_hour_and_the_skew_of_clocks(tmp_path):
    clock = EventClock(NOW)
    baselines = opened(tmp_path, clock)
    pack = signed(proposed(baselines, tmp_path), key(2), key(3))
    clock.sleep(3_605 * SECOND)
    with pytest.raises(ConfigurationRefused, match="expired"):
        baselines.accept(pack)


def test_a_pack_counts_once_and_only_against_the_baseline_it_was_proposed_against(tmp_path):
    clock = EventClock(NOW)
    baselines = opened(tmp_path, clock)
    first = signed(proposed(baselines, tmp_path), key(2), key(3))
    second = signed(proposed(baselines, tmp_path, p50=1.0), key(2), key(3))
    baselines.accept(first)
    for stale in (first, second):
        with pytest.raises(ConfigurationRefused, match="approved meanwhile"):
            baselines.accept(stale)
    clock.sleep(SECOND)
    baselines.accept(signed(proposed(baselines, tmp_path, p50=1.0), key(2), key(3)))
    assert baselines.of(HERE).p50_ns == 1_000_000


def test_a_pack_of_another_act_is_none(tmp_path):
    baselines = opened(tmp_path)
    details = figures_of(report_of(tmp_path).read_bytes()).details()
    other = draft(desk=NAME, act=Act.RESUME, subject=HERE, details=details, reason="r", now=NOW)
    with pytest.raises(ConfigurationRefused, match="is for resume"):
        baselines.accept(signed(SignedPack(other), key(1), key(2)))


def test_an_approval_that_nobody_signed_is_passed_over_and_a_damaged_journal_is_no_evidence(tmp_path):
    baselines = opened(tmp_path)
    baselines._book.append((BaselineApproved(figures_of(report_of(tmp_path).read_bytes()), "d" * 64, ("x", "y")),))
    assert baselines.of(HERE) is None
    baselines.accept(signed(proposed(baselines, tmp_path), key(2), key(3)))
    (segment,) = (tmp_path / "state" / NAME / "approvals").glob("journal-*")
    segment.write_bytes(segment.read_bytes().replace(b"1500000", b"9500000"))
    with pytest.raises(InvalidInput, match="damaged at seq"):
        baselines.of(HERE)


def test_without_a_reason_or_a_report_nothing_is_proposed(tmp_path):
    baselines = opened(tmp_path)
    with pytest.raises(UsageError, match="reason"):
        baselines.propose(report_of(tmp_path), reason=" ", key=key(1))
    with pytest.raises(UsageError, match="cannot read"):
        baselines.propose(tmp_path / "absent.json", reason="r", key=key(1))


def test_the_verbs_refuse_what_is_not_signed(tmp_path, capsys):
    runs, keys = tmp_path, tmp_path / "keys"
    trusting(runs / "state" / NAME)
    keys.mkdir()
    call(["evidence", "key", str(keys / "ann.pem")])
    pack = tmp_path / "pack.json"
    words = ["--reason", "first", "--key", str(keys / "ann.pem"), "--write", str(pack), "--runs", str(runs)]
    assert call(["performance-baseline", "propose", str(report_of(tmp_path)), *words]) == ExitCode.PASS
    assert call(["approve", str(pack), "--runs", str(runs)]) == ExitCode.WARN
    assert call(["performance-baseline", "accept", str(pack), "--runs", str(runs)]) == ExitCode.FAIL


def counting(baselines):
    """Return a watch of this machine's baseline, and the list of times at which the journal was read."""
    read, of = [], baselines.of

    def counted(machine):
        read.append(machine)
        return of(machine)

    baselines.of = counted
    return BaselineWatch(baselines, HERE), read


def test_a_watch_reads_the_journal_again_only_when_it_went_on(tmp_path):
    clock = EventClock(NOW)
    baselines = opened(tmp_path, clock)
    watch, read = counting(baselines)
    assert watch.look() is None
    baselines.accept(signed(proposed(baselines, tmp_path), key(2), key(3)))
    read.clear()
    assert [watch.look().p50_ns for _ in range(5)] == [1_500_000] * 5
    assert len(read) == 1
    clock.sleep(SECOND)
    baselines.accept(signed(proposed(baselines, tmp_path, p50=1.0), key(2), key(3)))
    assert [watch.look().p50_ns for _ in range(5)] == [1_000_000] * 5
    assert len(read) == 2


def test_a_watch_of_a_damaged_journal_fails_at_each_look(tmp_path):
    baselines = opened(tmp_path)
    baselines.accept(signed(proposed(baselines, tmp_path), key(2), key(3)))
    watch, read = counting(baselines)
    assert watch.look() is not None
    (segment,) = baselines.directory.glob("journal-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"1500000", b"1500001"))
    for _ in range(2):
        with pytest.raises(InvalidInput, match="damaged"):
            watch.look()
    assert len(read) == 3


def test_a_watch_lists_no_files_while_nothing_moves(tmp_path, monkeypatch):
    baselines = opened(tmp_path)
    baselines.accept(signed(proposed(baselines, tmp_path), key(2), key(3)))
    watch, _ = counting(baselines)
    found = watch.look()
    monkeypatch.setattr("pathlib.Path.glob", lambda *_: pytest.fail("files were listed"))
    assert watch.look() == found
