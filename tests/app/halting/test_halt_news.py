"""What a running desk hears of halts: trips, certificates, phases, each once, also over restarts (KS-02, KS-07)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.app.halting.flatness import keep
from tradeworthy.app.halting.halts import OWN_LOOK, HaltNews
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.kernel.clock import EventClock
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.certificate import Flatness, Seen, certify
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.halting import FlatnessSeen, Phase, PhaseChanged
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.control.venue_view import OpenOrder, VenueView
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason

SECOND = 1_000_000_000
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def halt(owner="operator", code="kill", scope="desk", at=5, **odd):
    return Halt(owner, code, scope, at, 7, "drill", **odd)


def view(*names, at=9 * SECOND):
    return VenueView(at, 1, tuple(OpenOrder(n, "i", "X.SIM", 1, 1) for n in names), {}, copy_open=names)


class Scene:
    """A flag, a guard and a state folder."""

    def __init__(self, folder):
        self.folder, self.clock, self.guard, self.number = folder, EventClock(10 * SECOND), Guard(), 0
        self.flag, self.shown = HaltFlag(folder / "halt.flag", self.clock), None
        (folder / WATCHDOG).mkdir()
        (folder / WATCHDOG / f"{KEY}.pub").write_text(SIGNER.public_key().public_bytes_raw().hex())

    def news(self):
        return HaltNews(self.flag, self.guard, self.folder, self.clock, lambda: self.shown)

    def certify(self, shown, *halts):
        self.number += 1
        seen = Seen(halts=halts, tripped_at=5, view=shown, after={})
        made = certify(seen, desk="d", run_id="r", token=1, cause="tripped", made_at=self.clock.now())
        keep(self.folder / WATCHDOG / CERTIFICATES, made, self.number, SIGNER)

    def later(self, news, seconds=1):
        self.clock.sleep(seconds * SECOND)
        return [fact for _, fact in news.look()]


@pytest.fixture
def scene(tmp_path):
    one = Scene(tmp_path)
    yield one
    one.flag.close()


def phases(facts):
    return [fact.after for fact in facts if isinstance(fact, PhaseChanged)]


def test_a_desk_without_a_halt_hears_nothing(scene):
    assert scene.later(scene.news()) == []


def test_a_persons_trip_is_a_kill_request_and_anothers_a_reason_of_its_own(scene):
    scene.flag.trip(halt(flatten=True))
    scene.flag.trip(halt("watchdog", "loop_hung"))
    news = scene.news()
    told = [fact for _, fact in news.look()]
    assert told[0] == KillRequest("drill", "halt flag", "desk", True)
    assert told[1] == GuardAsked("watchdog", "loop_hung", GuardLevel.STOPPED, evidence="drill")
    assert phases(told) == [Phase.HALTING]
    assert scene.later(news) == []


def test_what_the_guard_holds_already_is_told_again_only_to_flatten(scene):
    scene.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 1)
    scene.flag.trip(halt())
    assert [type(fact) for _, fact in scene.news().look()] == [PhaseChanged]
    scene.flag.trip(halt(flatten=True))
    assert KillRequest in [type(fact) for _, fact in scene.news().look()]


def test_another_kill_ends_a_flatten(scene):
    scene.flag.trip(halt(flatten=True))
    news = scene.news()
    news.look()
    scene.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 1)
    scene.flag.trip(halt(at=99))
    assert KillRequest("drill", "halt flag") in [fact for _, fact in news.look()]


def test_a_halt_is_unseen_from_the_trip_to_the_certificate(scene):
    news = scene.news()
    assert not news.halts_unseen
    scene.flag.trip(halt())
    assert news.halts_unseen, "also before anybody at the desk looked"
    news.look()
    assert news.halts_unseen
    scene.certify(view(), halt())
    scene.later(news)
    assert not news.halts_unseen
    news.on_snapshot("abc")
    assert (news.halting.phase, news.halts_unseen) == (Phase.REVIEW, False)
    scene.flag.trip(halt("risk", "drawdown"))
    news.look()
    assert news.halts_unseen


def test_a_certificate_is_told_once_and_makes_it_safe_also_after_a_restart(scene):
    scene.flag.trip(halt())
    news = scene.news()
    news.look()
    scene.certify(view(), halt())
    told = scene.later(news)
    assert [(fact.outcome, fact.halts) for fact in told if isinstance(fact, FlatnessSeen)] == [
        (Flatness.VERIFIED, (halt().name,))
    ]
    assert phases(told) == [Phase.SAFE]
    assert scene.later(news) == []
    again = scene.news()
    told = scene.later(again)
    assert FlatnessSeen not in {type(fact) for fact in told}
    assert phases(told) == [Phase.HALTING, Phase.SAFE]


def test_safe_is_when_every_trip_was_seen_through(scene):
    first, second = halt(), halt("watchdog", "loop_hung")
    scene.flag.trip(first)
    scene.flag.trip(second)
    news = scene.news()
    news.look()
    scene.certify(view(), first)
    assert phases(scene.later(news)) == []
    scene.certify(view("a"), first, second)
    assert phases(scene.later(news)) == []
    scene.certify(view(), second)
    assert phases(scene.later(news)) == [Phase.SAFE]


def test_a_certificate_of_an_earlier_trip_moves_nothing(scene):
    scene.flag.trip(halt())
    news = scene.news()
    news.look()
    scene.certify(view(), halt(at=1))
    told = scene.later(news)
    assert [type(fact) for fact in told] == [FlatnessSeen]


def test_a_forged_certificate_is_no_news(scene):
    scene.flag.trip(halt())
    news = scene.news()
    news.look()
    scene.certify(view(), halt())
    (path,) = (scene.folder / WATCHDOG / CERTIFICATES).iterdir()
    path.write_bytes(path.read_bytes().replace(b"payload", b"paylaod"))
    assert scene.later(news) == []


@pytest.mark.parametrize(("shown", "after"), [(None, []), (view("a"), []), (view(), [Phase.SAFE])])
def test_the_desks_own_look_counts_where_nobody_certified_in_time(scene, shown, after):
    scene.flag.trip(halt())
    news = scene.news()
    scene.shown = shown
    news.look()
    assert phases(scene.later(news, 4)) == []
    told = scene.later(news, 1)
    assert phases(told) == after
    assert [fact.cause for fact in told] == [OWN_LOOK] * len(after)


def test_a_rearm_lowers_the_flag_and_arms_by_way_of_the_review(scene):
    scene.flag.trip(halt())
    scene.flag.trip(halt("watchdog", "loop_hung"))
    news = scene.news()
    news.look()
    scene.certify(view(), halt(), halt("watchdog", "loop_hung"))
    scene.later(news)
    news.on_snapshot("hash")
    for name in ("operator.kill", "watchdog.loop_hung"):
        assert scene.flag.halted()
        news.on_guard(GuardChanged(name, "desk", False, GuardLevel.STOPPED, GuardLevel.RUNNING, "incident"))
    assert not scene.flag.halted()
    assert phases(scene.later(news)) == [Phase.REVIEW, Phase.ARMED]
    scene.flag.trip(halt(at=99))
    assert KillRequest in [type(fact) for fact in scene.later(news)], "the same reason, another trip"


def test_a_stop_of_the_desk_itself_raises_the_flag_for_the_watchdog(scene):
    news = scene.news()
    level = GuardLevel.STOPPED
    news.on_guard(GuardChanged("risk.daily_loss", "strategy:maker", True, level, level, "lost 2 %"))
    [raised] = scene.flag.halts()
    assert (raised.owner, raised.code, raised.scope, raised.evidence) == (
        "risk", "daily_loss", "strategy:maker", "lost 2 %",
    )  # fmt: skip
    news.on_guard(GuardChanged("risk.drawdown", "desk", True, GuardLevel.PAUSED, GuardLevel.PAUSED, ""))
    assert scene.flag.halts() == (raised,)


def test_a_stop_that_is_in_force_goes_on_with_its_flatten_when_the_guard_holds_it(scene):
    asked = halt(flatten=True)
    scene.flag.trip(asked)
    news = scene.news()
    news.look()
    news.on_guard(GuardChanged("operator.kill", "desk", True, GuardLevel.STOPPED, GuardLevel.STOPPED, "drill", None))
    assert scene.flag.halts() == (asked,)
    assert scene.later(news) == []


@pytest.mark.parametrize(("set", "level"), [(True, GuardLevel.STOPPED), (False, GuardLevel.PAUSED)])
def test_no_other_change_of_the_guard_lowers_the_flag(scene, set, level):
    scene.flag.trip(halt())
    scene.news().on_guard(GuardChanged("operator.kill", "desk", set, level, level, ""))
    assert scene.flag.halted()
