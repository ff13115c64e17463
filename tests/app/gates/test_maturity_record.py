"""Log maturity from journals and signed minutes: what nobody saw is unknown, what was lost stays lost."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.gates.log_maturity import beats_of, record_of
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.kernel.journal.records import LossAcknowledged
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.evidence.witness import Look, Minute, WitnessPolicy, WitnessWatch
from tradeworthy.operations.gates.maturity import Rebaselined, judge_maturity, rebased, uptime_s
from tradeworthy.trading.model import Quote

START = 1_772_582_400 * NANOS_PER_SECOND
KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
S = NANOS_PER_SECOND


def trust():
    key = trusted_key(KEY.public_key().public_bytes_raw(), holder="witness", roles=("witness",),
                      valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z")  # fmt: skip
    return with_key(TrustFile(), key)


def journal(folder, numbers, *more):
    clock = EventClock(START)
    kept = Journal.open(folder, clock=clock, policy=JournalPolicy(batch_events_max=1))
    for number in numbers:
        kept.accept(event_of(Quote("X", 100, 101), source="tape.x", key=number, ts_event=START, ts_init=START,
                             source_seq=number))  # fmt: skip
    for key, one in enumerate(more):
        kept.accept(event_of(one, source="people", key=key, ts_event=START + S, ts_init=START + S))
    kept.close()
    return folder


def codes(record, now=START + NANOS_PER_DAY):
    return {one.code.partition(".")[2]: one.severity for one in judge_maturity(record, now) if one.severity}


class Up:
    name = "desk"

    def look(self, now):
        return Look(True, "up")


def minutes(path, count):
    clock = EventClock(START)
    watch = WitnessWatch("run", (Up(),), KEY, path, clock=clock, policy=WitnessPolicy())
    for _ in range(count * 6):
        watch.look()
        clock.sleep(10 * S)
    watch.close()
    return path


def test_uptime_is_what_a_trusted_witness_signed(tmp_path):
    whole = journal(tmp_path / "journal", range(1, 6))
    found = record_of((whole,), minutes(tmp_path / "minutes", 60), trust())
    assert uptime_s(found.beats, start=START, end=START + NANOS_PER_DAY, gap_max_s=30) == 3_590
    assert record_of((whole,), tmp_path / "minutes", TrustFile()).beats == ()
    assert record_of((whole,), None, trust()).beats is None


def test_only_looks_that_saw_all_well_are_beats():
    one = Minute(run_id="r", minute=START, interval_ms=10_000, due=6, ups=4, told={}, prev="0")
    assert list(beats_of([one])) == [START + at * 10 * S for at in range(4)]
    assert list(beats_of([msgspec.structs.replace(one, ups=0)])) == []


def test_without_a_signed_checkpoint_nobody_knows_what_was_lost(tmp_path):
    found = codes(record_of((journal(tmp_path / "journal", range(1, 6)),), None, None))
    assert found["checkpoint"] is Severity.UNKNOWN
    assert found["lost_intents"] is Severity.UNKNOWN
    assert codes(record_of((), None, None))["unknown_causes"] is Severity.UNKNOWN


@pytest.mark.parametrize(("numbers", "lost"), [((1, 2, 7), 4), ((1, 2, 8), 5), ((1, 2, 3), 0)])
def test_market_data_is_counted_by_its_own_numbers(tmp_path, numbers, lost):
    folder = journal(tmp_path / "journal", numbers)
    found = record_of((folder,), None, None)
    assert found.lost["market_data"] == lost
    assert ("lost_market_data" in codes(found)) is (lost > 0)


def test_an_acknowledged_loss_has_its_reason_and_restarts_the_count(tmp_path):
    told = LossAcknowledged("tape.x", 3, 6, "the feed was down", ("ann", "bob"))
    found = record_of((journal(tmp_path / "journal", (1, 2, 7), told),), None, None)
    assert (found.lost["market_data"], found.gap_reasons, found.lost_at) == (4, True, START + S)
    assert "lost_market_data" not in codes(found)


def test_a_count_begun_anew_keeps_the_earlier_loss_and_restarts_no_clock_in_its_favour(tmp_path):
    told = LossAcknowledged("tape.x", 3, 6, "the feed was down", ("ann", "bob"))
    folder = journal(tmp_path / "journal", (1, 2, 7), told)
    anew = Rebaselined("market_data", 9, START + 60 * S, "moved to another feed", ("ann", "bob"))
    found = record_of((folder,), None, None, rebaselined=(anew,))
    assert (found.lost["market_data"], found.lost_at) == (9, START + 60 * S)
    assert codes(found)["lost_market_data"] is Severity.FAIL
    kinder = msgspec.structs.replace(anew, counted=0, at=START)
    again = rebased(found, (kinder,))
    assert (again.lost["market_data"], again.lost_at) == (9, START + 60 * S)


@pytest.mark.parametrize("people", [(), ("ann",), ("ann", " Ann")])
def test_one_person_begins_no_count_anew(people):
    with pytest.raises(ValueError, match="two different people"):
        Rebaselined("market_data", 0, START, "why", people)
    with pytest.raises(ValueError, match="reason"):
        Rebaselined("market_data", 0, START, " ", ("ann", "bob"))
