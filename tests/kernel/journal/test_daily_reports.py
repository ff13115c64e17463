"""What the two health files say: missing numbers by name, silence, coverage, and losses with both names."""

import json

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.daily import end_of, write_continuity, write_integrity
from tradeworthy.kernel.journal.integrity import SLOT_NANOS, ExpectedSource, continuity, integrity, load_sources
from tradeworthy.kernel.journal.records import Heartbeat, LossAcknowledged
from tradeworthy.kernel.severity import Severity

SECOND = NANOS_PER_SECOND
EXPECTED = {"feed": ExpectedSource(period_ns=10 * SECOND)}


def loss(first, last, ts):
    fact = LossAcknowledged(source="feed", first=first, last=last, reason="disk", people=("ann", "bob"))
    return event_of(fact, source="people", key=ts, ts_event=ts, ts_init=ts)


def beat(slot):
    return event_of(Heartbeat(slot=slot), source="desk", key=slot, ts_event=1, ts_init=slot * SLOT_NANOS)


def test_six_dropped_events_fail_by_name_and_a_trimmed_bus_passes(tmp_path, opened, quote_event):
    journal = opened(tmp_path / "j")
    bus = [quote_event(n) for n in range(1, 51)]
    journal.append_many(bus)
    journal.close()
    del bus[:40]  # the bus keeps its last ten: the journal is complete by its own numbers
    _, report = write_integrity(tmp_path / "j", tmp_path, sources=EXPECTED)
    assert (report.severity, report.gaps) == (Severity.OK, ())
    journal = opened(tmp_path / "k")
    journal.append_many([quote_event(n) for n in range(1, 51) if n not in (7, 8, 20, 21, 22, 40)])
    journal.close()
    path, report = write_integrity(tmp_path / "k", tmp_path, sources=EXPECTED)
    assert path.name == "integrity-2023-11-14.json"
    said = json.loads(path.read_text())
    assert (said["severity"], said["gaps"]) == ("FAIL", [["feed", 7, 8], ["feed", 20, 22], ["feed", 40, 40]])


def test_a_gap_in_a_conflatable_class_only_warns(quote_event):
    events = [quote_event(n) for n in (1, 2, 5)]
    report = integrity(events, {"feed": ExpectedSource(zero_loss=False)}, now=None)
    assert (report.severity, report.gaps) == (Severity.WARN, (("feed", 3, 4),))


def test_late_numbers_close_their_gap_and_a_wide_gap_costs_no_memory(quote_event):
    events = [quote_event(n, ts=10**18) for n in (1, 10**15, 5, 3, 4, 2)]
    report = integrity(events, {}, now=None)
    assert report.gaps == (("feed", 6, 10**15 - 1),)


@pytest.mark.parametrize(("waited", "silent"), [(20 * SECOND - 1, ()), (20 * SECOND, ("feed",))])
def test_a_source_is_silent_after_two_periods(quote_event, waited, silent):
    event = quote_event(1)
    assert integrity([event], EXPECTED, now=event.ts_init + waited).silent == silent


def test_a_source_without_rhythm_is_silent_only_when_nothing_ever_came(quote_event):
    sources = {"feed": ExpectedSource(), "bus": ExpectedSource()}
    report = integrity([quote_event(1)], sources, now=1 << 62)
    assert (report.silent, report.severity) == (("bus",), Severity.FAIL)


def test_each_counter_counts_its_own(quote_event):
    first, second = quote_event(1), quote_event(2)
    orphan = event_of(
        second.payload, source="other", key=1, ts_event=1, ts_init=1, cause=quote_event(99)
    )
    older = quote_event(3, ts=first.ts_init - 5)
    report = integrity([first, second, second, orphan, older], {}, now=None)
    assert (report.repeats, report.unknown_cause, report.time_backwards, report.unknown_schema) == (1, 1, 1, 0)
    assert orphan.causation_id == "feed:99", "stored as received"


@pytest.mark.parametrize(
    ("ahead_ns", "counted", "severity"), [(SECOND - 1, 0, Severity.OK), (SECOND, 1, Severity.FAIL)]
)
def test_an_event_from_the_future_fails_when_its_source_is_a_second_ahead(quote_event, ahead_ns, counted, severity):
    first = quote_event(1)
    report = integrity([msgspec.structs.replace(first, ts_event=first.ts_init + ahead_ns)], {}, now=None)
    assert (report.ahead, report.severity) == (counted, severity)


def test_nothing_to_judge_is_unknown():
    assert integrity([], {}, now=None).severity is Severity.UNKNOWN


def test_a_damaged_chain_fails(filled):
    directory = filled(60, 10)
    [segment] = directory.glob("journal-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"bid_lots":42', b'"bid_lots":43'))
    _, report = write_integrity(directory, directory, sources={})
    assert report.severity is Severity.FAIL
    assert report.chain.startswith("seq 42:")


def test_a_day_ends_at_midnight_and_earlier_losses_stay(tmp_path, opened, quote_event):
    journal = opened(tmp_path)
    day = end_of("2026-03-01")
    journal.append_many([quote_event(1, ts=day - 2), loss(5, 9, day - 1), quote_event(2, ts=day)])
    journal.close()
    path, report = write_integrity(tmp_path, tmp_path, sources={}, day="2026-03-01")
    assert (path.name, report.events) == ("integrity-2026-03-01.json", 2)
    path, report = write_integrity(tmp_path, tmp_path, sources={})
    assert (path.name, report.events) == ("integrity-2026-03-02.json", 3)
    said = json.loads(path.read_text())["losses"]
    assert said == [{"source": "feed", "first": 5, "last": 9, "reason": "disk", "people": ["ann", "bob"]}]
    with pytest.raises(UsageError, match="expected events up to 2026-02-01, found none"):
        write_integrity(tmp_path, tmp_path, sources={}, day="2026-02-01")
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        write_integrity(tmp_path, tmp_path, sources={}, day="yesterday")


def test_an_acknowledged_gap_is_still_a_failure(quote_event):
    events = [quote_event(1), quote_event(4), loss(2, 3, 10**18)]
    report = integrity(events, {}, now=None)
    assert (report.severity, report.gaps) == (Severity.FAIL, (("feed", 2, 3),))
    assert report.losses[0].people == ("ann", "bob")


@pytest.mark.parametrize(
    ("missing", "severity"), [(0, Severity.OK), (8, Severity.OK), (9, Severity.FAIL), (3_600, Severity.FAIL)]
)
def test_coverage_is_slots_with_a_heartbeat(tmp_path, opened, missing, severity):
    journal = opened(tmp_path)
    slots = range(8_640, 17_280 - missing)
    journal.append_many([beat(slot) for slot in slots])
    journal.close()
    path, report = write_continuity(tmp_path, tmp_path, end=2 * NANOS_PER_DAY)
    assert (report.present, report.severity) == (8_640 - missing, severity)
    said = json.loads(path.read_text())
    assert (path.name, said["severity"]) == ("continuity.json", severity.name)
    if missing == 3_600:
        assert round(said["coverage"], 3) == 0.583


def test_time_that_passed_without_heartbeats_never_counts():
    assert continuity([], end=NANOS_PER_DAY).coverage == 0
    assert continuity([beat(1), beat(1), beat(1)], end=NANOS_PER_DAY).present == 1
    report = continuity([beat(n) for n in range(8_640)], end=NANOS_PER_DAY, recorded=True)
    assert (report.coverage, report.severity) == (1.0, Severity.UNKNOWN)
    assert "recorded tape" in report.note


def test_the_manifest_names_each_sources_rhythm_and_class(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[sources."tape.x"]\nperiod_seconds = 2.5\nzero_loss = false\n[sources.desk]\n')
    assert load_sources(path) == {
        "tape.x": ExpectedSource(2_500_000_000, False), "desk": ExpectedSource(None, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "sources = 1", "[sources.x]\nperiod = 1", "[sources.x]\nperiod_seconds = 0", "[sources"]
)
def test_another_manifest_is_usage(tmp_path, text):
    path = tmp_path / "sources.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="expected a manifest of sources"):
        load_sources(path)
    with pytest.raises(UsageError, match="expected a manifest of sources"):
        load_sources(tmp_path / "absent")
