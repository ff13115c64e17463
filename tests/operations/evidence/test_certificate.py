"""The certificate: fails closed, ends on time, is the same for a past time, and never begins by waiting."""

import itertools
from fractions import Fraction
from random import Random

import msgspec
import pytest

from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import (
    NANOS,
    Context,
    EvidenceItem,
    Notice,
    RowStatus,
    Session,
    Verdict,
    WaiverInForce,
    certify,
    ends_before_close,
    notice_of,
    recompute_at,
)
from tradeworthy.operations.evidence.requirements import DAY, HOUR, STANDARD, CertificatePolicy, Requirement

START = 1_772_582_400 * NANOS  # 2026-03-04T00:00:00Z
HASHES = {"code": "a", "config": "b", "limits": "c", "models": "d"}
CONTEXT = Context(release="r1", tier="pilot", environment="paper", hashes=HASHES)
TIMELINES = 100_000


def item(requirement, *, age=0, **changes):
    at = START - round(age * NANOS)
    plain = {
        "evidence_id": "e", "status": Status.PASS, "provenance": "measured", "environment": "paper",
        "collected_at": at, "recorded_at": at, "hashes": HASHES, "signed": True, "signers": ("witness",),
    }  # fmt: skip
    return EvidenceItem(requirement=requirement, **(plain | changes))


def whole(*, but=(), **ages):
    return [item(one.id, age=ages.get(one.id, 0)) for one in STANDARD.requirements if one.id not in but]


def ask(evidence, *, now=START, waivers=(), policy=STANDARD, context=CONTEXT):
    return certify(evidence, waivers, policy, "p", context, now)


def row(certificate, name):
    return next(one for one in certificate.requirements if one.id == name)


def test_everything_fresh_is_go_and_the_clock_ends_it_first():
    certificate = ask(whole())
    assert (certificate.verdict, certificate.exit_code) == (Verdict.GO, 0)
    assert (certificate.ends_first.requirement, certificate.ends_first.seconds) == ("clock_offset", 10.0)
    assert "time service" in certificate.ends_first.remedy
    assert ask(whole(), now=START + 10 * NANOS - 1).verdict is Verdict.GO
    assert ask(whole(), now=START + 10 * NANOS).verdict is Verdict.NO_GO


@pytest.mark.parametrize("requirement", [one for one in STANDARD.requirements if one.lifetime_seconds])
def test_each_lifetime_ends_at_its_edge(requirement):
    seconds = requirement.lifetime_seconds
    inside = ask(whole(**{requirement.id: seconds - Fraction(1, NANOS)}))
    reached = ask(whole(**{requirement.id: seconds}))
    assert (inside.verdict, row(inside, requirement.id).status) == (Verdict.GO, RowStatus.MET)
    assert (reached.verdict, row(reached, requirement.id).status) == (Verdict.NO_GO, RowStatus.STALE)


@pytest.mark.parametrize("requirement", STANDARD.requirements)
def test_without_the_evidence_of_any_row_there_is_no_go(requirement):
    certificate = ask(whole(but=(requirement.id,)))
    assert (certificate.verdict, certificate.exit_code) == (Verdict.NO_GO, 2)
    assert row(certificate, requirement.id).status is RowStatus.ABSENT
    assert certificate.ends_first is None


@pytest.mark.parametrize("name", sorted(HASHES))
def test_a_changed_hash_voids_exactly_what_depends_on_it(name):
    context = msgspec.structs.replace(CONTEXT, hashes=HASHES | {name: "changed"})
    certificate = ask(whole(), context=context)
    voided = {one.id for one in certificate.requirements if one.status is RowStatus.VOIDED}
    assert voided == {one.id for one in STANDARD.requirements if name in one.depends_on}
    assert certificate.verdict is Verdict.NO_GO


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": Status.FAIL}, RowStatus.FAILED), ({"status": Status.UNKNOWN}, RowStatus.UNKNOWN),
        ({"status": Status.RUNNING}, RowStatus.UNKNOWN), ({"signed": False}, RowStatus.UNSIGNED),
        ({"environment": "simulated"}, RowStatus.LOWER), ({"environment": "moon"}, RowStatus.LOWER),
        ({"provenance": "attested"}, RowStatus.ATTESTED), ({"collected_at": START + 1}, RowStatus.FUTURE),
        ({"hashes": {}}, RowStatus.VOIDED),
    ],
)  # fmt: skip
def test_evidence_that_does_not_count_gives_no_go_with_its_reason(changes, status):
    certificate = ask([*whole(but=("dry_run",)), item("dry_run", **changes)])
    assert (certificate.verdict, row(certificate, "dry_run").status) == (Verdict.NO_GO, status)


def test_what_people_say_is_enough_only_where_the_table_says_so_and_shows():
    certificate = ask([*whole(but=("roster",)), item("roster", provenance="attested")])
    assert (certificate.verdict, row(certificate, "roster").status) == (Verdict.GO, RowStatus.WARNED)
    assert certificate.exit_code == 1


def test_the_newest_evidence_counts_and_an_older_pass_does_not_come_back():
    failed = item("restore", status=Status.FAIL, evidence_id="f")
    older = item("restore", age=60)
    assert ask([*whole(but=("restore",)), older, failed]).verdict is Verdict.NO_GO


def test_a_roster_gap_ends_go_before_the_lifetime_does():
    gap = START + 5 * NANOS
    certificate = ask([*whole(but=("roster",)), item("roster", ends_at=gap, end_reason="nobody is on duty")])
    ends = certificate.ends_first
    assert (ends.requirement, ends.at, ends.reason) == ("roster", gap, "nobody is on duty")


def waiver(requirement, *, seconds):
    return WaiverInForce(
        waiver_id="w-1", requirement=requirement, issued_at=START, recorded_at=START, expires_at=START + seconds * NANOS
    )


def test_a_waiver_stands_in_until_its_second_and_only_where_the_row_may_be_waived():
    evidence = whole(but=("stress",))
    held = ask(evidence, waivers=[waiver("stress", seconds=5)])
    assert (held.verdict, held.exit_code, held.waivers) == (Verdict.GO, 1, ("w-1",))
    assert held.ends_first.requirement == "stress"
    ended = ask(evidence, waivers=[waiver("stress", seconds=5)], now=START + 5 * NANOS)
    assert row(ended, "stress").status is RowStatus.ABSENT
    never = ask(whole(but=("kill_switch_drill",)), waivers=[waiver("kill_switch_drill", seconds=5)])
    assert never.verdict is Verdict.NO_GO


SIMPLE = CertificatePolicy(
    requirements=tuple(Requirement(id=f"r{n}", lifetime_seconds=DAY, remedy="redo") for n in range(6))
)


def simple(count):
    return msgspec.structs.replace(SIMPLE, requirements=SIMPLE.requirements[:count])


@pytest.mark.parametrize("count", range(7))
def test_every_vector_of_statuses_gives_go_only_when_none_is_unknown_or_failed(count):
    words = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)
    for vector in itertools.product(words, repeat=count):
        evidence = [item(f"r{n}", status=one) for n, one in enumerate(vector)]
        good = count > 0 and set(vector) <= {Status.PASS, Status.WARN}
        assert (ask(evidence, policy=simple(count)).verdict is Verdict.GO) == good


def timeline(random):
    """Return random evidence and waivers of three rows over ten hours, with stamps that may lie."""
    policy = CertificatePolicy(requirements=tuple(
        Requirement(id=f"r{n}", lifetime_seconds=random.choice([HOUR, 3 * HOUR, None]), remedy="redo", waivable=n == 0,
                    critical=random.random() < 0.9, depends_on=("code",) if random.random() < 0.3 else ())
        for n in range(3)
    ))  # fmt: skip
    evidence = []
    for _ in range(3 + random.randrange(15)):
        recorded = START + random.randrange(10 * HOUR) * NANOS
        evidence.append(item(
            f"r{random.randrange(3)}", status=random.choice([*Status, *[Status.PASS] * 20]), recorded_at=recorded,
            collected_at=recorded + random.randrange(-2 * HOUR, 200) * NANOS, signed=random.random() < 0.95,
            ends_at=random.choice([None, None, None, START + random.randrange(12 * HOUR) * NANOS]),
            environment=random.choice(["paper", "live"] * 9 + ["simulated"]), evidence_id=str(random.random()),
        ))  # fmt: skip
    waivers = []
    for _ in range(random.randrange(2)):
        issued = START + random.randrange(10 * HOUR) * NANOS
        waivers.append(WaiverInForce(
            waiver_id="w", requirement="r0", issued_at=issued + random.choice([0, HOUR * NANOS]), recorded_at=issued,
            expires_at=issued + 3 * HOUR * NANOS,
        ))  # fmt: skip
    return policy, evidence, waivers


def check_timelines(count):
    goes = 0
    for number in range(count):
        random = Random(number)
        policy, evidence, waivers = timeline(random)
        news = {one.recorded_at for one in (*evidence, *waivers)}
        moments = sorted(START + random.randrange(12 * HOUR) * NANOS for _ in range(6))
        before = None
        for now in moments:
            certificate = ask(evidence, now=now, waivers=waivers, policy=policy)
            go = certificate.verdict is Verdict.GO
            goes += go
            critical = [one for one in certificate.requirements if one.critical]
            assert go == (bool(critical) and all(one.status in ("met", "warned", "waived") for one in critical))
            if go:
                assert all(one.expires_at is None or one.expires_at > now for one in critical)
                ends = certificate.ends_first
                later = None if ends is None else ends.at
                if later is not None and not any(now < one <= later for one in news):
                    assert ask(evidence, now=later, waivers=waivers, policy=policy).verdict is Verdict.NO_GO
                    assert ask(evidence, now=later - 1, waivers=waivers, policy=policy).verdict is Verdict.GO
            if before is not None and go and not before[1]:
                assert any(before[0] < one <= now for one in news), "time alone turned NO-GO into GO"
            before = (now, go)
    return goes


def test_over_random_timelines_time_alone_never_begins_a_go_and_ends_it_when_it_said():
    assert check_timelines(1_500) > 100


@pytest.mark.proof
def test_over_a_hundred_thousand_timelines_the_certificate_fails_closed():
    print(f"\n{check_timelines(TIMELINES)} times GO")


def test_a_past_time_is_answered_as_it_was_then():
    evidence = whole()
    later = [*evidence, item("restore", status=Status.FAIL, recorded_at=START + DAY * NANOS)]
    assert ask(later, now=START) == ask(evidence, now=START)


def short(seconds):
    """Return a certificate whose GO ends in so many seconds."""
    policy = CertificatePolicy(requirements=(Requirement(id="r0", lifetime_seconds=seconds, remedy="redo"),))
    return ask([item("r0")], policy=policy), policy


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(DAY + 1, Notice.NONE), (DAY, Notice.NOTICE), (HOUR + 1, Notice.NOTICE), (HOUR, Notice.WARN),
     (901, Notice.WARN), (900, Notice.PAGE)],
)  # fmt: skip
def test_the_end_is_told_a_day_an_hour_and_a_quarter_before(seconds, level):
    certificate, policy = short(seconds)
    assert notice_of(certificate, policy, CONTEXT) is level


def test_a_lapse_in_the_night_before_a_session_pages_the_evening_before():
    evening, night, opening = START + 19 * HOUR * NANOS, 27 * HOUR, START + 32 * HOUR * NANOS
    context = msgspec.structs.replace(CONTEXT, next_session=Session(opens_at=opening, closes_at=opening + HOUR * NANOS))
    policy = CertificatePolicy(requirements=(Requirement(id="r0", lifetime_seconds=night, remedy="redo"),))
    told = [notice_of(ask([item("r0")], policy=policy, now=now, context=context), policy, context)
            for now in (evening - 1, evening)]  # fmt: skip
    assert told == [Notice.NOTICE, Notice.PAGE]
    assert ends_before_close(ask([item("r0")], policy=policy, context=context), context)


def test_it_is_asked_again_each_minute_and_at_the_moment_of_the_lapse():
    certificate, policy = short(HOUR)
    assert recompute_at(certificate, policy) == START + 60 * NANOS
    certificate, policy = short(20)
    assert recompute_at(certificate, policy) == START + 20 * NANOS
