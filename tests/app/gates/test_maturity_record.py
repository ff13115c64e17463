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
from tradeworthy.trading.model import (
    Abstained,
    OrderState,
    OrderType,
    Quote,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.model.order import ApprovedIntent, Intent, OrderChanged

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


def desk_journal(folder, *lost):
    """Write a run of two orders, each approved, made and sent, and an abstention; `lost` are numbers that are missing.

    1, 2, 3 and 4, 5, 6  an intent approved, its order made, its order sent;  7  the abstention
    """
    kept = Journal.open(folder, clock=EventClock(START), policy=JournalPolicy(batch_events_max=1))
    facts = [fact for name in ("a", "b") for fact in order_of(name)] + [Abstained("one", "quiet")]
    for number, fact in enumerate(facts, 1):
        if number not in lost:
            event = event_of(fact, source="desk", key=number, ts_event=START, ts_init=START, source_seq=number)
            kept.accept(event)
    kept.close()
    return folder


def order_of(name):
    intent = Intent(name, "strategy", "one", "test", f"d{name}", "X", Side.BUY, 1, START + S)
    moved = OrderChanged(f"c{name}", "one", "X", OrderState.CREATED, OrderState.SUBMITTED, 0)
    sent = SubmitOrder(f"c{name}", name, "one", "X", Side.BUY, 1, OrderType.MARKET, TimeInForce.IOC)
    return ApprovedIntent(intent, "h", 1, opening_lots=1), moved, sent


@pytest.mark.parametrize(("lost", "kind"), [(4, "intents"), (6, "orders"), (5, "decisions"), (None, "")])
def test_one_lost_outcome_is_told_by_its_kind_and_as_nothing_else(tmp_path, lost, kind):
    found = record_of((desk_journal(tmp_path / "journal", lost),), None, None)
    assert {name for name, count in found.lost.items() if count} == ({kind} if kind else set())
    assert sum(found.lost.values()) == (1 if kind else 0)
    assert (codes(found).get(f"lost_{kind}") is Severity.FAIL) is bool(kind)


def test_lost_outcomes_are_counted_each_by_its_kind(tmp_path):
    found = record_of((desk_journal(tmp_path / "journal", 2, 4),), None, None)
    assert {name: count for name, count in found.lost.items() if count} == {"intents": 1, "decisions": 1}


@pytest.mark.parametrize(("last", "lost", "severity"), [(7, 4, None), (8, 5, Severity.FAIL), (9, 6, Severity.FAIL)])
def test_four_market_events_may_be_lost_with_a_reason_and_six_may_not(tmp_path, last, lost, severity):
    told = LossAcknowledged("tape.x", 3, last - 1, "the feed was down", ("ann", "bob"))
    found = record_of((journal(tmp_path / "journal", (1, 2, last), told),), None, None)
    assert (found.lost["market_data"], codes(found).get("lost_market_data")) == (lost, severity)


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
