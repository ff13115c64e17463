"""Incidents: episodes, fingerprints, bounds (DR-09, DR-17)."""

import tracemalloc

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.incidents import IncidentBook, one_line
from tradeworthy.operations.dry_run.model import IncidentMetadata

META = IncidentMetadata(component="test")


def book(kept_max=1_000):
    told = []
    return IncidentBook(kept_max=kept_max, changed=told.append), told


def test_an_episode_opens_escalates_closes_and_opens_again():
    kept, told = book()
    for severity in (Severity.OK, Severity.WARN, Severity.WARN, Severity.FAIL, Severity.WARN, Severity.OK,
                     Severity.WARN):  # fmt: skip
        kept.judge("diary.stale", severity, "stale", at=0, metadata=META)
    assert [(one.id, str(one.severity), str(one.state)) for one in told] == [
        ("inc-00001", "warn", "open"), ("inc-00001", "fail", "open"), ("inc-00001", "fail", "closed"),
        ("inc-00002", "warn", "open"),
    ]  # fmt: skip
    assert kept.highest is Severity.FAIL


def test_findings_are_counted_by_fingerprint_and_escalate():
    kept, told = book()
    for severity in (Severity.WARN, Severity.WARN, Severity.FAIL):
        kept.report("log", severity, "m", at=0, metadata=META, fingerprint="f")
    assert len(told) == 2
    kept.report("log", Severity.WARN, "m", at=0, metadata=META, fingerprint="f")
    kept.end(0)
    assert (told[-1].count, str(told[-1].severity)) == (4, "fail")
    assert len(kept.all()) == 1


def test_a_million_kinds_of_error_stay_bounded_with_one_overflow():
    kept, told = book(kept_max=100)
    tracemalloc.start()
    for number in range(20_000):
        kept.report("log", Severity.WARN, "m", at=0, metadata=META, fingerprint=str(number))
    kept.report("log", Severity.FAIL, "m", at=0, metadata=META, fingerprint="the worst comes late")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept.all()) == 101
    overflow = kept.all()[-1]
    assert (overflow.code, overflow.count, str(overflow.severity)) == ("incident.overflow", 19_901, "fail")
    assert kept.highest is Severity.FAIL
    assert len(told) == 102
    assert peak < 2_000_000


def test_an_earlier_boot_leaves_its_incidents_and_its_worst():
    first, told = book()
    first.report("log", Severity.FAIL, "m", at=0, metadata=META)
    second, _ = book()
    second.adopt(tuple(told))
    second.report("log", Severity.WARN, "m", at=0, metadata=META)
    assert [one.id for one in second.all()] == ["inc-00001", "inc-00002"]
    assert second.highest is Severity.FAIL
    assert one_line(second.all()[0]).startswith("1970-01-01T00:00:00Z closed log (inc-00001)")
