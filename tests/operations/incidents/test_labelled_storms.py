"""Storms that people labelled by hand: every root is seen, in twenty messages at most, and soon (AR-11)."""

import asyncio
import tomllib
from pathlib import Path

import pytest
from alert_scene import SECOND, START, Scene, policy_of, signal

from tradeworthy.operations.incidents.model import AlertSeverity, Purpose
from tradeworthy.operations.incidents.policy import RulePolicy

STORMS = tomllib.loads((Path(__file__).parent / "storms.toml").read_text())["storm"]
PAGES_MAX, SOON_S, WINDOW_S = 20, 30.0, 600.0
PEOPLE = (Purpose.ALERT, Purpose.DIGEST)


def told(storm):
    """Return (second, signal) in order of time."""
    found = []
    for second, code, severity, subject, cause, components, repeats, every in storm["rows"]:
        for n in range(repeats):
            for part in range(components):
                found.append((second + n * every, signal(
                    code, severity=AlertSeverity(severity), subject=subject, component=f"{code}-{part}", cause=cause,
                    category=code,
                )))  # fmt: skip
    return sorted(found, key=lambda one: one[0])


def played(storm):
    families = tuple(sorted({f"{row[1].partition('.')[0]}." for row in storm["rows"]} | {"alert_path."}))
    rule = RulePolicy(name="all", categories=families, channels=("one",), suppress_s=300)
    scene = Scene(policy=policy_of(rules=(rule,)))

    async def play():
        now = 0
        for second, one in told(storm):
            if second > now:
                await asyncio.sleep(second - now)
                now = second
            scene.path.tell(one)
        await asyncio.sleep(60.0)

    scene.run(play)
    return scene


@pytest.mark.parametrize("storm", STORMS, ids=lambda one: one["name"])
def test_every_root_of_a_labelled_storm_is_seen_soon_and_in_few_messages(storm):
    scene = played(storm)
    sent = [one for one in scene.transports["one"].notices if one.purpose in PEOPLE]
    first = {}
    for one in sent:
        for alert in one.alerts:
            first.setdefault((alert.code, alert.subject), one.at)
    for code, subject in storm["roots"]:
        began = min(row[0] for row in storm["rows"] if (row[1], row[3]) == (code, subject))
        assert (code, subject) in first, f"{code} of {subject} is hidden: {[one.title for one in sent]}"
        assert first[code, subject] - START <= (began + SOON_S) * SECOND
    stamps = [one.at for one in sent]
    assert all(sum(at <= other < at + WINDOW_S * SECOND for other in stamps) <= PAGES_MAX for at in stamps)
    assert scene.path.facts().overflowed == 0


@pytest.mark.parametrize("storm", STORMS, ids=lambda one: one["name"])
def test_what_a_root_explains_is_listed_in_its_message_and_pages_nobody_of_its_own_again(storm):
    scene = played(storm)
    facts = scene.path.facts()
    assert facts.taken >= len(told(storm))
    assert facts.suppressed + facts.inhibited > facts.taken * 0.8


def test_the_corpus_is_labelled_whole():
    for storm in STORMS:
        assert storm["story"]
        named = {(row[1], row[3]) for row in storm["rows"]}
        assert {tuple(one) for one in storm["roots"]} <= named
        assert sum(row[5] * row[6] for row in storm["rows"]) > 1_000
