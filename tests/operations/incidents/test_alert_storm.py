"""A labelled storm: ten thousand alerts leave at most twenty messages, and every root is named in one (AR-11)."""

import asyncio
from random import Random

import pytest
from alert_scene import Scene, policy_of, signal
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.operations.incidents.catalogue import CONSEQUENCES
from tradeworthy.operations.incidents.grouping import Groups
from tradeworthy.operations.incidents.model import AlertSeverity, Purpose

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
SUBJECTS = ("okx", "cme", "host-1", "store-1", "lan-2")


def corpus(seed, count):
    """Return (signals, labels of the roots): roots of the table with their consequences, and noise of the same key."""
    random = Random(seed)
    names = random.sample(sorted(CONSEQUENCES), 5)
    roots = [
        signal(code, severity=CRITICAL, subject=subject, component="root", category=code, cause=f"journal:{n}")
        for n, (code, subject) in enumerate(zip(names, SUBJECTS, strict=True))
    ]
    lone = [signal(f"kill.{n}", severity=CRITICAL, subject="desk", category="kill.step") for n in range(3)]
    found = [*roots, *lone]
    while len(found) < count:
        root = random.choice(roots)
        prefix = random.choice(CONSEQUENCES[root.code])
        code = f"{prefix}e{random.randrange(40)}" if prefix.endswith(".") else prefix
        severity = random.choice((WARNING, ERROR, CRITICAL))
        found.append(signal(
            code, severity=severity, subject=root.subject, component=f"c{random.randrange(30)}", category=code,
            cause=root.cause,
        ))  # fmt: skip
    random.shuffle(found)
    return found, {(one.code, one.subject) for one in (*roots, *lone)}


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.proof) for n in range(2, 12))])
def test_ten_thousand_alerts_are_twenty_messages_at_most_and_hide_no_root(seed):
    signals, labels = corpus(seed, 10_000)
    scene = Scene(policy=policy_of())

    async def play():
        for start in range(0, len(signals), 500):
            for one in signals[start : start + 500]:
                scene.path.tell(one)
            await asyncio.sleep(5.0)
        await asyncio.sleep(400.0)

    scene.run(play)
    sent = [one for one in scene.transports["one"].notices if one.purpose in (Purpose.ALERT, Purpose.DIGEST)]
    assert 0 < len(sent) <= 20, [one.title for one in sent]
    named = {(alert.code, alert.subject) for one in sent for alert in one.alerts}
    assert labels - named == set()
    facts = scene.path.facts()
    assert facts.taken >= 10_000
    assert facts.overflowed == 0


def test_a_storm_without_a_root_is_told_in_digests_that_count_the_rest():
    scene = Scene(policy=policy_of())
    signals = [signal(f"x.e{n}", severity=WARNING, subject=f"s{n % 200}", category="x.e") for n in range(2_000)]
    scene.after(599.0, *signals)
    sent = [one for one in scene.transports["one"].notices if one.purpose in (Purpose.ALERT, Purpose.DIGEST)]
    assert len(sent) <= 20
    digests = [one for one in sent if one.purpose is Purpose.DIGEST]
    assert digests
    assert "more: `tradeworthy alert list`" in digests[0].text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 30), st.sampled_from([WARNING, CRITICAL]), st.booleans()),
        max_size=150,
    )
)
def test_no_window_has_more_messages_than_the_budget_and_nothing_is_lost(rows):
    from alert_scene import SECOND, START

    from tradeworthy.operations.incidents.book import AlertBook
    from tradeworthy.operations.incidents.routing import Routing

    policy = policy_of(storm_pages_max=6).alerts
    book, groups, now = AlertBook(policy, Routing(policy), run_id="r"), Groups(policy), START
    pages, added, left = [], set(), set()

    def look():
        for page in groups.leave(now):
            pages.append(now)
            left.update(one.alert.id for one in page.alerts)

    for wait, subject, severity, fresh in rows:
        now += wait * SECOND
        alert = book.take(signal(f"x.{subject}", severity=severity, subject=f"s{subject}"), now).alert
        groups.add(alert, ("one",), now, fresh=fresh)
        added.add(alert.id)
        look()
    for _ in range(200):
        now += 60 * SECOND
        look()
    window = 600 * SECOND
    assert all(sum(1 for at in pages if start <= at < start + window) <= 6 for start in pages)
    assert left == added
    assert groups.waiting == 0
