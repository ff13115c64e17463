"""The phases of a halt: safe is what was seen, never what was sent (KS-04)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.certificate import Flatness
from tradeworthy.trading.control.halting import REPEAT_NS, Halting, Phase, PhaseChanged

NOW = 1_000


def halting(phase=Phase.HALTING):
    one = Halting()
    if phase is not Phase.ARMED:
        one.trip("t", NOW)
    if phase in (Phase.SAFE, Phase.REVIEW):
        one.seen(Flatness.VERIFIED, "c", NOW)
    if phase is Phase.REVIEW:
        one.review("s", NOW)
    assert one.phase is phase
    return one


def test_the_way_round():
    one = Halting()
    told = [
        one.trip("trip", 1), one.seen(Flatness.VERIFIED, "certificate", 2), one.review("snapshot", 3),
        one.rearm("incident", 4),
    ]  # fmt: skip
    assert told == [
        PhaseChanged(Phase.ARMED, Phase.HALTING, "trip", 1), PhaseChanged(Phase.HALTING, Phase.SAFE, "certificate", 2),
        PhaseChanged(Phase.SAFE, Phase.REVIEW, "snapshot", 3), PhaseChanged(Phase.REVIEW, Phase.ARMED, "incident", 4),
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", [Flatness.PARTIAL, Flatness.UNVERIFIED])
def test_what_was_not_verified_stays_halting_and_is_repeated_each_thirty_seconds(outcome):
    one = halting()
    assert one.seen(outcome, "c", NOW) is None
    assert (one.phase, one.safe_at, one.outcome) == (Phase.HALTING, None, outcome)
    assert not one.repeat_due(NOW + REPEAT_NS - 1)
    assert one.repeat_due(NOW + REPEAT_NS)
    assert not one.repeat_due(NOW + REPEAT_NS)
    assert one.repeat_due(NOW + 2 * REPEAT_NS)


def test_the_cool_off_counts_from_the_first_verified_look():
    one = halting(Phase.SAFE)
    assert one.seen(Flatness.VERIFIED, "again", NOW + 5) is None
    assert one.safe_at == NOW
    assert not one.repeat_due(NOW + 10 * REPEAT_NS)


def test_an_order_that_shows_again_makes_it_unsafe_again():
    one = halting(Phase.SAFE)
    assert one.seen(Flatness.PARTIAL, "c", NOW + 1).after is Phase.HALTING
    assert one.safe_at is None


@pytest.mark.parametrize("phase", Phase)
def test_a_trip_halts_from_every_phase(phase):
    one = halting(phase)
    one.trip("again", NOW + 1)
    assert (one.phase, one.safe_at) == (Phase.HALTING, None)


@pytest.mark.parametrize("phase", [Phase.ARMED, Phase.HALTING])
def test_no_review_begins_before_it_is_safe(phase):
    with pytest.raises(InvalidInput, match=f"it is {phase.value}"):
        halting(phase).review("s", NOW)


@pytest.mark.parametrize("phase", [Phase.ARMED, Phase.REVIEW])
def test_a_certificate_moves_no_phase_that_waits_for_none(phase):
    one = halting(phase)
    assert one.seen(Flatness.PARTIAL, "late", NOW + 1) is None
    assert one.phase is phase


acts = st.lists(st.sampled_from(["trip", "verified", "partial", "review", "rearm"]), max_size=30)


@given(acts)
def test_a_fold_of_the_changes_is_the_phase_and_safe_has_its_time(acts):
    one, folded = Halting(), Halting()
    for ts, act in enumerate(acts, 1):
        try:
            match act:
                case "trip":
                    changed = one.trip("t", ts)
                case "verified":
                    changed = one.seen(Flatness.VERIFIED, "c", ts)
                case "partial":
                    changed = one.seen(Flatness.PARTIAL, "c", ts)
                case "review":
                    changed = one.review("s", ts)
                case _:
                    changed = one.rearm("i", ts)
        except InvalidInput:
            continue
        if changed is not None:
            folded.fold(changed)
        assert (folded.phase, folded.safe_at) == (one.phase, one.safe_at)
        assert (one.safe_at is not None) == (one.phase in (Phase.SAFE, Phase.REVIEW))
