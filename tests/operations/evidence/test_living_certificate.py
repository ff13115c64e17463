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
    living.keep(living.read())


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
        clock.sleep(round(interval * NANOS_PER_SECOND))
        if len(seconds) == 1:
            (living.place / "context.json").rename(living.place / "away.json")
        elif len(seconds) == 2:
            (living.place / "away.json").rename(living.place / "context.json")
            put(living.place, Status.FAIL, clock.now())
        else:
            raise asyncio.CancelledError

    monkeypatch.setattr("tradeworthy.operations.evidence.living.asyncio.sleep", sleep)
    pulse = Pulse(clock, False)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(living.refresh(pulse))
    assert (seconds, pulse.beats) == ([5.0, 5.0, 5.0], 3)
    assert [one.message for one in caplog.records].count("evidence_unread") == 1
    assert living.current().verdict is Verdict.NO_GO


def following(living, clock, *, seconds, until=lambda told: False):
    """Follow for so long, as the task does; return what was told with the moment it was."""
    told = []
    end = clock.now() + seconds * NANOS_PER_SECOND
    while clock.now() < end:
        one = living.follow()
        if one is not None:
            told.append((clock.now(), one))
        if one is not None and until(one):
            break
        clock.sleep(round(living.pause() * NANOS_PER_SECOND))
    return told


def test_a_go_turns_no_go_at_the_very_lapse_and_is_told(living, clock):
    living.follow()
    lapse = living.current().ends_first.at
    clock.advance_to(lapse - 90 * NANOS_PER_SECOND)
    told = following(living, clock, seconds=200)
    assert [(at - lapse, one.verdict, one.turned) for at, one in told if one.turned] == [(0, "NO-GO", True)]
    assert told[-1][1].unmet == ("stress stale",)
    assert told[0][1].notice == "page"


def test_each_louder_notice_is_told_once_and_names_what_ends_it(living, clock):
    first = living.follow()
    lapse = living.current().ends_first.at
    assert (first.verdict, first.notice, first.ends_at, first.ends_requirement) == ("GO", "none", lapse, "stress")
    heard = []
    for before in (86_401, 86_400, 3_601, 3_600, 901, 900, 899):
        clock.advance_to(lapse - before * NANOS_PER_SECOND)
        one = living.follow()
        heard.append(None if one is None else (one.notice, one.turned))
    assert heard == [None, ("notice", False), None, ("warn", False), None, ("page", False), None]


@pytest.mark.parametrize("change", ["evidence", "trust", "context", "waiver"])
def test_what_changes_in_the_store_counts_within_seconds(living, clock, tmp_path, change):
    living.follow()
    clock.sleep(NANOS_PER_SECOND)
    if change == "evidence":
        put(living.place, Status.FAIL, clock.now())
    elif change == "trust":
        write_trust(tmp_path / "trust.json", trust_of(watcher={"revoked_at": "2026-01-02T00:00:00Z"}))
    elif change == "context":
        other = Context(release="r1", tier="pilot", environment="paper", hashes=HASHES | {"limits": "9" * 64})
        (living.place / "context.json").write_bytes(msgspec.json.encode(other))
    else:
        (living.place / "items" / f"{NOW}.dsse.json").unlink()
    told = following(living, clock, seconds=60, until=lambda one: one.turned)
    assert [one.verdict for _, one in told] == ["NO-GO"]
    assert told[0][0] - NOW <= 6 * NANOS_PER_SECOND


def test_another_hash_of_what_runs_voids_at_once_without_any_reading(tmp_path, living, clock):
    running = dict(HASHES)
    seen = []
    made = LivingCertificate(
        living.place, tmp_path / "trust.json", clock, policy=ONLY_STRESS, running=lambda: running, tell=seen.append
    )
    assert made.follow().verdict == "GO"
    running["limits"] = "9" * 64
    assert made.current().verdict is Verdict.NO_GO
    assert made.follow().unmet == ("stress voided",)
    assert [(one.verdict, one.turned) for one in seen] == [("GO", True), ("NO-GO", True)]


def test_evidence_that_nobody_could_read_for_too_long_is_unknown_and_never_go(living, clock):
    living.follow()
    (living.place / "context.json").unlink()
    told = following(living, clock, seconds=400)
    assert [(one.verdict, one.turned) for _, one in told] == [("unknown", True)]
    assert (told[0][0] - NOW) / NANOS_PER_SECOND == pytest.approx(300, abs=5)


def test_a_store_that_cannot_be_read_is_told_and_the_last_one_stays(living):
    look(living)
    (living.place / "context.json").unlink()
    with pytest.raises(UsageError, match=r"context\.json"):
        living.read()
    assert living.current().verdict is Verdict.GO
