"""Who is asked when: every stamp exact on a moved clock, quiet hours, acknowledgement, the end of the ladder."""

import msgspec
import pytest
from alert_scene import SECOND, START, policy_of, signal
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.app.configuration.sections import TelemetrySection
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.operations.incidents.book import AlertBook
from tradeworthy.operations.incidents.escalation import Ladder
from tradeworthy.operations.incidents.ladder_policy import TIERS, EscalationPolicy, TierPolicy, reachable
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.path import PathPolicy
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy
from tradeworthy.operations.incidents.routing import Routing

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
MONDAY = 1_699_833_600 * SECOND
"""2023-11-13T00:00Z."""


def alert_of(code="x.y", severity=CRITICAL, at=START):
    policy = policy_of().alerts
    return AlertBook(policy, Routing(policy), run_id="r").take(signal(code, severity=severity), at).alert


def tiers_at(ladder, now):
    return [one.tier for one in ladder.tick(now)]


def test_the_ladder_climbs_at_nought_five_ten_and_fifteen_minutes():
    ladder = Ladder(EscalationPolicy())
    assert [one.tier for one in ladder.begin(alert_of(), START)] == [1]
    seen = {after: tiers_at(ladder, START + after * SECOND) for after in (299, 300, 599, 600, 899, 900, 10_000)}
    assert seen == {299: [], 300: [2], 599: [], 600: [3], 899: [], 900: [0], 10_000: []}


@pytest.mark.parametrize(
    ("code", "first"),
    [("risk_limit.gross", [1, 2]), ("drawdown_hard", [1, 2]), ("surveillance.spoofing", [1, 3]), ("venue.x", [1])],
)
def test_a_hard_limit_starts_with_two_tiers_and_a_matter_of_law_with_compliance(code, first):
    assert [one.tier for one in Ladder(EscalationPolicy()).begin(alert_of(code), START)] == first


def test_an_acknowledgement_stops_it_for_half_an_hour_and_what_still_holds_climbs_again():
    ladder, alert = Ladder(EscalationPolicy()), alert_of()
    ladder.begin(alert, START)
    assert ladder.acknowledge(alert, START + 100 * SECOND)
    again = START + 1_900 * SECOND
    assert tiers_at(ladder, again - 1) == []
    assert tiers_at(ladder, again) == [1]
    assert tiers_at(ladder, again + 900 * SECOND) == [2, 3, 0]
    assert ladder.unanswered
    ladder.resolve(alert.key)
    assert ladder.climbing == ()


def test_a_warning_does_not_climb_and_a_rise_starts_anew():
    ladder = Ladder(EscalationPolicy())
    assert ladder.begin(alert_of(severity=WARNING), START) == []
    assert ladder.climbing == ()
    ladder.begin(alert_of(severity=ERROR), START)
    assert [one.tier for one in ladder.begin(alert_of(severity=CRITICAL), START + HOUR)] == [1]
    assert ladder.begin(alert_of(severity=CRITICAL), START + 2 * HOUR) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (MONDAY + 8 * HOUR - 1, MONDAY + 8 * HOUR), (MONDAY + 8 * HOUR, MONDAY + 8 * HOUR),
        (MONDAY + 18 * HOUR - 1, MONDAY + 18 * HOUR - 1), (MONDAY + 18 * HOUR, MONDAY + DAY + 8 * HOUR),
        (MONDAY + 4 * DAY + 20 * HOUR, MONDAY + 7 * DAY + 8 * HOUR),
    ],
)  # fmt: skip
def test_an_error_waits_for_the_session_and_a_critical_does_not(at, expected):
    policy = EscalationPolicy(session_start_hour=8, session_end_hour=18, session_weekdays=(0, 1, 2, 3, 4))
    ladder = Ladder(policy)
    assert ladder.session_from(at) == expected
    first = ladder.begin(alert_of(severity=ERROR, at=at), at)
    assert bool(first) == (at == expected)
    assert tiers_at(ladder, expected - 1) == []
    assert tiers_at(ladder, expected) == ([] if first else [1])
    assert [one.tier for one in Ladder(policy).begin(alert_of(at=at), at)] == [1]


def test_a_full_ladder_gives_a_milder_climb_up_for_a_critical_and_counts_the_rest():
    ladder = Ladder(EscalationPolicy(open_max=1))
    ladder.begin(alert_of("a.b", ERROR), START)
    ladder.begin(alert_of("a.c", ERROR), START)
    assert ladder.refused == 1
    ladder.begin(alert_of("a.d", CRITICAL), START)
    assert len(ladder.climbing) == 1


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=30))
def test_each_tier_is_asked_once_a_climb_whatever_the_looks(waits):
    ladder, now = Ladder(EscalationPolicy()), START
    tiers = [one.tier for one in ladder.begin(alert_of(), START)]
    for wait in waits:
        now += wait * SECOND
        tiers += tiers_at(ladder, now)
    assert len(tiers) == len(set(tiers))
    assert tiers == [tier for tier in (1, 2, 3, 0) if tier in tiers]


ONE = AlertPolicy(channels=(ChannelPolicy(name="ops", transport="file"),), default_channels=("ops",), rules=())


def test_a_ladder_that_nobody_wrote_asks_over_the_channels_that_there_are():
    assert reachable(AlertPolicy(), EscalationPolicy()).tiers == TIERS
    assert [one.channels for one in reachable(ONE, EscalationPolicy()).tiers] == [("ops",)] * 3
    assert [one.roles for one in PathPolicy(alerts=ONE).escalation.tiers] == [one.roles for one in TIERS]
    mail = ChannelPolicy(name="ops-email", transport="email")
    both = msgspec.structs.replace(ONE, channels=(*ONE.channels, mail))
    assert [one.channels for one in PathPolicy(alerts=both).escalation.tiers] == [("ops-email",)] * 3


def test_a_ladder_that_names_a_channel_that_is_not_there_is_refused():
    written = EscalationPolicy(tiers=(TIERS[0], TIERS[1], TierPolicy(roles=("legal",), channels=("ops", "pager"))))
    with pytest.raises(ConfigurationRefused, match=r"tier 3: expected channels of \['ops'\], found \['pager'\]"):
        PathPolicy(alerts=ONE, escalation=written)
    with pytest.raises(ConfigurationRefused, match="escalation tier 3"):
        TelemetrySection(alerts=ONE, escalation=written)
