"""A watched gate tells each turn once, its end in time, and pauses a session whose gate lapsed."""

import gate_scene as scene
import pytest
from gate_scene import DAY, HOUR, NOW, S, ask, gate, need, say

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.certificate import Notice
from tradeworthy.operations.gates.model import SessionTimes
from tradeworthy.operations.gates.store import GateTurned
from tradeworthy.operations.gates.watcher import Watcher, WatchPolicy, notice_of

TABLE = gate(need("a", age_max_s=30 * DAY))
PERIOD = 300 * S
SESSION = SessionTimes(opens_at=NOW, closes_at=NOW + 8 * HOUR * S)


class World:
    """Evidence that can be changed, and what the watcher kept and noted."""

    def __init__(self, session=SESSION, before=None, status=Severity.OK):
        self.status, self.session, self.kept, self.noted = status, session, [], []
        self.watcher = Watcher(self.judge, self.keep, self.noted.append, before=before)

    def judge(self, now):
        return ask(TABLE, [say("a", self.status)], now=now, session=self.session)

    def keep(self, verdict):
        self.kept.append(verdict)
        return f"v{len(self.kept)}"

    def run(self, *statuses):
        found = []
        for at, status in enumerate(statuses):
            self.status = status
            found.append(self.watcher.tick(NOW + at * PERIOD))
        return found


OK, FAIL = Severity.OK, Severity.FAIL


def codes(ticks):
    return [(one.code, one.firing) for tick in ticks for one in tick.signals]


def test_one_incident_begins_with_the_turn_and_ends_with_the_return():
    world = World()
    ticks = world.run(OK, FAIL, FAIL, FAIL, OK)
    assert codes(ticks) == [("gate_lapse", True), ("gate_lapse", False)]
    assert [(one.before, one.after, one.rows) for one in world.noted] == [
        ("", "GO", ()), ("GO", "NO-GO", ("a",)), ("NO-GO", "GO", ("a",)),
    ]  # fmt: skip
    assert len(world.kept) == 3


def test_a_gate_that_begins_with_no_go_is_told_once():
    assert codes(World().run(FAIL, FAIL)) == [("gate_lapse", True)]


def test_a_restarted_watcher_does_not_tell_what_was_told():
    before = GateTurned("small", "GO", "NO-GO", "v", ("a",))
    assert codes(World(before=before).run(FAIL, FAIL, OK)) == [("gate_lapse", False)]


def test_a_session_is_paused_after_the_grace_and_only_the_own_reason_taken_back():
    ticks = World().run(OK, FAIL, FAIL, FAIL, OK, OK)
    asked = [(at, one.asked.owner, one.asked.level.name, one.asked.active) for at, one in enumerate(ticks) if one.asked]
    assert asked == [(2, "gate", "PAUSED", True), (4, "gate", "PAUSED", False)]


@pytest.mark.parametrize(("later", "paused"), [(300 * S - 1, False), (300 * S, True)])
def test_the_grace_is_reached_to_the_nanosecond(later, paused):
    world = World(status=FAIL)
    world.watcher.tick(NOW)
    assert (world.watcher.tick(NOW + later).asked is not None) == paused


def test_outside_a_session_nothing_is_paused_as_the_next_start_is_refused():
    closed = SessionTimes(opens_at=NOW + 9 * HOUR * S, closes_at=NOW + 10 * HOUR * S)
    assert [one.asked for one in World(session=closed).run(FAIL, FAIL, FAIL)] == [None, None, None]
    assert World(session=None).run(FAIL, FAIL)[-1].asked is not None


def test_a_missed_tick_is_a_finding():
    world = World()
    world.watcher.tick(NOW)
    assert world.watcher.tick(NOW + 2 * PERIOD - 1).signals == ()
    late = world.watcher.tick(NOW + 4 * PERIOD)
    assert [one.code for one in late.signals] == ["gate.watch_missed"]


@pytest.mark.parametrize(("left_s", "level"), [
    (DAY + 1, Notice.NONE), (DAY, Notice.NOTICE), (HOUR + 1, Notice.NOTICE), (HOUR, Notice.WARN), (901, Notice.WARN),
    (900, Notice.PAGE), (1, Notice.PAGE),
])  # fmt: skip
def test_a_coming_end_is_told_louder_the_nearer_it_is(left_s, level):
    table = gate(need("a", age_max_s=2 * DAY))
    verdict = ask(table, [say("a", age_s=2 * DAY - left_s)])
    assert notice_of(verdict, NOW, WatchPolicy()) is level


@pytest.mark.parametrize(("opens_s", "closes_h", "level"), [
    (600, 9, Notice.PAGE), (1_800, 9, Notice.WARN), (600, 1, Notice.NOTICE), (2 * HOUR, 9, Notice.NOTICE),
])  # fmt: skip
def test_an_end_inside_the_next_session_is_told_before_its_open(opens_s, closes_h, level):
    table = gate(need("a", age_max_s=6 * HOUR))
    session = SessionTimes(opens_at=NOW + opens_s * S, closes_at=NOW + closes_h * HOUR * S)
    assert notice_of(ask(table, [say("a")], session=session), NOW, WatchPolicy()) is level


def test_what_a_desk_renews_by_itself_is_told_when_it_lapses_and_not_before():
    table = gate(need("a", age_max_s=1_200), need("b", age_max_s=2 * DAY))
    verdict = ask(table, [say("a", age_s=1_199), say("b")])
    assert (verdict.ends_first.requirement, notice_of(verdict, NOW, WatchPolicy())) == ("a", Notice.NONE)


def test_each_loudness_is_told_once():
    table = gate(need("a", age_max_s=2 * HOUR))
    watcher = Watcher(lambda now: ask(table, [say("a")], now=now), lambda verdict: "v", lambda turned: None)
    told = [one.severity.value for at in range(0, 2 * HOUR, 300) for one in watcher.tick(NOW + at * S).signals]
    assert told == ["info", "warning", "critical"]
    assert scene.BINDING.scope == "desk"


@pytest.mark.parametrize(("grace_s", "asked_at"), [(0, 0), (60, 60), (None, 300), (600, 600)])
def test_each_row_has_a_grace_of_its_own(grace_s, asked_at):
    table = gate(need("a", age_max_s=30 * DAY, grace_s=grace_s), need("b", age_max_s=30 * DAY, grace_s=900))
    bad = [say("a", FAIL), say("b", FAIL)]
    watcher = Watcher(lambda now: ask(table, bad, now=now, session=SESSION), lambda verdict: "v", lambda turned: None)
    asked = [at for at in range(0, 901, 30) if watcher.tick(NOW + at * S).asked is not None]
    assert asked == [asked_at]


def test_a_row_that_came_back_begins_its_grace_anew():
    table, said = gate(need("a", age_max_s=30 * DAY), need("b", age_max_s=30 * DAY)), {}
    watcher = Watcher(
        lambda now: ask(table, [say(one, said[one]) for one in "ab"], now=now, session=SESSION), lambda verdict: "v",
        lambda turned: None,
    )  # fmt: skip
    found = []
    for at, first, second in ((0, FAIL, OK), (240, OK, FAIL), (300, OK, FAIL), (539, OK, FAIL), (540, OK, FAIL)):
        said.update(a=first, b=second)
        found.append(watcher.tick(NOW + at * S).asked is not None)
    assert found == [False, False, False, False, True]
