"""A certificate that lives with a running desk: never waited for, never believed when its evidence is old."""

import asyncio

import msgspec
import pytest
from bundle_maker import key_of, trust_of

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import Context, EvidenceItem, Verdict
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp, sealed_item
from tradeworthy.operations.evidence.living import LivingCertificate
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.trust import write_trust

NOW = nanos_of_stamp("2026-03-05T00:00:00Z")
HASHES = {"code": "a" * 64, "config": "b" * 64, "limits": "c" * 64, "models": "d" * 64}
ONLY_STRESS = msgspec.structs.replace(
    STANDARD, requirements=tuple(one for one in STANDARD.requirements if one.id == "stress")
)


@pytest.fixture
def clock():
    return EventClock(NOW)


@pytest.fixture
def living(tmp_path, clock):
    place = tmp_path / "store"
    (place / "items").mkdir(parents=True)
    context = Context(release="r1", tier="pilot", environment="paper", hashes=HASHES)
    (place / "context.json").write_bytes(msgspec.json.encode(context))
    put(place, Status.PASS, NOW)
    write_trust(tmp_path / "trust.json", trust_of())
    made = LivingCertificate(place, tmp_path / "trust.json", clock, policy=ONLY_STRESS)
    made.place = place
    return made


def put(place, status, at):
    item = EvidenceItem(
        requirement="stress", evidence_id=f"{int(status is Status.PASS)}" * 64, status=status, provenance="measured",
        environment="paper", collected_at=at, recorded_at=at, hashes=HASHES,
    )
    (place / "items" / f"{at}.dsse.json").write_bytes(sealed_item(item, key_of("watcher")))


def look(living):
    living.keep(asyncio.run(living.read()))


def test_before_the_first_look_there_is_none(living):
    assert living.current() is None
    look(living)
    assert living.current().verdict is Verdict.GO


def test_time_alone_ends_it_without_another_look(living, clock):
    look(living)
    ends = living.current().ends_first.at
    living._stale = 1 << 62
    clock.advance_to(ends - 1)
    assert living.current().verdict is Verdict.GO
    clock.advance_to(ends)
    assert living.current().verdict is Verdict.NO_GO


def test_new_evidence_counts_from_the_next_look_on(living, clock):
    look(living)
    clock.sleep(60 * NANOS_PER_SECOND)
    put(living.place, Status.FAIL, clock.now())
    assert living.current().verdict is Verdict.GO
    look(living)
    assert living.current().verdict is Verdict.NO_GO


def test_evidence_that_was_read_too_long_ago_gives_no_certificate(living, clock):
    look(living)
    clock.sleep(300 * NANOS_PER_SECOND - 1)
    assert living.current() is not None
    clock.sleep(1)
    assert living.current() is None


def test_the_task_reads_at_once_and_again_and_outlives_a_store_that_is_away(living, clock, monkeypatch, caplog):
    seconds = []

    async def sleep(interval):
        seconds.append(interval)
        if len(seconds) == 1:
            (living.place / "context.json").rename(living.place / "away.json")
        elif len(seconds) == 2:
            (living.place / "away.json").rename(living.place / "context.json")
            put(living.place, Status.FAIL, clock.now() + 1)
            clock.sleep(1)
        else:
            raise asyncio.CancelledError

    monkeypatch.setattr("tradeworthy.operations.evidence.living.asyncio.sleep", sleep)
    pulse = Pulse(clock, False)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(living.refresh(pulse))
    assert (seconds, pulse.beats) == ([60, 60, 60], 3)
    assert [one.message for one in caplog.records].count("evidence_unread") == 1
    assert living.current().verdict is Verdict.NO_GO


def test_a_store_that_cannot_be_read_is_told_and_the_last_one_stays(living):
    look(living)
    (living.place / "context.json").unlink()
    with pytest.raises(UsageError, match=r"context\.json"):
        asyncio.run(living.read())
    assert living.current().verdict is Verdict.GO
