"""The end under one deadline: orders, tasks, callbacks, and a seal that is never skipped (SHD-01 to SHD-03)."""

import asyncio
from contextlib import suppress

import pytest
from runtime_scene import Orders, Scene, forever, lasting, stubborn

from tradeworthy.app.runtime.application import SIGNAL
from tradeworthy.app.runtime.policy import ShutdownPolicy
from tradeworthy.kernel.errors import ExitCode

STEPS = ["pause", "orders", "farewell", "tasks", "callbacks", "seal"]


def raising():
    raise ValueError("broken on purpose")


def test_the_steps_go_in_order_and_the_watchdog_hears_farewell_only_when_no_order_works(tmp_path):
    scene = Scene(tmp_path, orders=Orders(3, 2, 1, 0))
    scene.application.on_shutdown("bus", lambda: scene.log.append("bus"))
    scene.add("trading_loop", lasting(1))
    scene.run()
    assert scene.log == ["pause", "withdraw", "farewell", "bus", "seal"]
    assert [one.step for one in scene.told("runtime.shutdown_step")] == STEPS
    assert all(one.ok for one in scene.told("runtime.shutdown_step"))


def test_an_idle_desk_ends_within_two_seconds(tmp_path):
    scene = Scene(tmp_path, orders=Orders(0))
    scene.add("trading_loop", lasting(10))
    scene.add("resources", forever)
    scene.run()
    assert scene.told("runtime.stopped")[0].took_ns <= 2_000_000_000


@pytest.mark.parametrize("left", [4, None])
def test_orders_that_stay_or_cannot_be_seen_end_within_ten_seconds_in_doubt(tmp_path, left):
    scene = Scene(tmp_path, orders=Orders(left))

    async def slow():
        await asyncio.sleep(60)

    scene.application.on_shutdown("slow", slow)
    scene.add("trading_loop", lasting(1))
    scene.add("runtime_board", stubborn)
    ended = scene.run()
    assert ended.exit_code == ExitCode.FAIL
    (stopped,) = scene.told("runtime.stopped")
    assert stopped.working_orders == left
    assert stopped.unknown_orders == ("small-0", "small-1", "small-2", "small-3")[:left or 0]
    assert stopped.took_ns <= 10_000_000_000
    assert "farewell" not in scene.log
    assert scene.log[-1] == "seal"
    assert not scene.steps()["orders"].ok
    assert scene.steps()["orders"].took_ns >= 5_000_000_000


def test_a_venue_that_raises_is_asked_again_and_its_orders_are_in_doubt(tmp_path):
    class Away(Orders):
        def withdraw(self, reason):
            raise OSError("venue is away")

    scene = Scene(tmp_path, orders=Away(0))
    scene.add("trading_loop", lasting(1))
    assert scene.run().exit_code == ExitCode.FAIL
    assert scene.told("runtime.stopped")[0].working_orders is None
    assert scene.steps()["orders"].took_ns >= 5_000_000_000


@pytest.mark.parametrize("hurried", [False, True])
def test_orders_that_nobody_can_count_are_in_doubt_and_the_end_is_sealed(tmp_path, hurried):
    class Blind(Orders):
        def working(self):
            raise OSError("no view of the venue")

    scene = Scene(tmp_path, orders=Blind(0))
    scene.add("trading_loop", forever)
    for second in (1, 1.25) if hurried else (1,):
        scene.at(second, lambda: scene.application.request_stop(SIGNAL, "SIGTERM"))
    ended = scene.run()
    assert ended.exit_code == (ExitCode.INTERRUPTED if hurried else ExitCode.FAIL)
    assert scene.told("runtime.stopped")[0].working_orders is None
    assert "farewell" not in scene.log
    assert scene.log[-1] == "seal"


def test_time_that_the_orders_leave_goes_to_the_tasks(tmp_path):
    scene = Scene(tmp_path, orders=Orders(0), policy=ShutdownPolicy(orders_s=3.0, tasks_s=1.0))

    async def reluctant(pulse):
        try:
            await forever(pulse)
        except asyncio.CancelledError:
            await asyncio.sleep(3.5)
            raise

    scene.add("trading_loop", lasting(1))
    scene.add("runtime_board", reluctant)
    assert scene.run().exit_code == ExitCode.PASS
    assert scene.told("runtime.stopped")[0].abandoned == ()


@pytest.mark.parametrize("kind", ["raises", "awaits_and_raises", "is_slow"])
def test_the_second_of_three_callbacks_fails_and_three_ran_once_in_reverse(tmp_path, kind):
    scene = Scene(tmp_path)

    async def awaits_and_raises():
        scene.log.append("b")
        await asyncio.sleep(0.01)
        raise ValueError("broken on purpose")

    async def is_slow():
        scene.log.append("b")
        await asyncio.sleep(60)

    def raises():
        scene.log.append("b")
        raise ValueError("broken on purpose")

    second = {"raises": raises, "awaits_and_raises": awaits_and_raises, "is_slow": is_slow}[kind]
    for name, act in (("a", lambda: scene.log.append("a")), ("b", second), ("c", lambda: scene.log.append("c"))):
        scene.application.on_shutdown(name, act)
    scene.add("trading_loop", lasting(1))
    ended = scene.run()
    assert scene.log == ["farewell", "c", "b", "a", "seal"]
    assert ended.exit_code == ExitCode.WARN
    results = [(one.name, bool(one.problem)) for one in scene.told("runtime.callback") if one.phase == "shutdown"]
    assert results == [("c", False), ("b", True), ("a", False)]
    assert not scene.steps()["callbacks"].ok


@pytest.mark.parametrize("kind", ["swallows", "blocks"])
def test_a_callback_that_nobody_can_stop_never_hides_the_rest(tmp_path, kind):
    scene = Scene(tmp_path)

    async def swallows():
        scene.log.append("b")
        while scene.log[-1] != "over":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(600)

    def blocks():  # the loop stands still meanwhile: only the watchdog can answer that
        scene.log.append("b")
        scene.clock.advance_to(scene.clock.monotonic() + 3_000_000_000)

    second = {"swallows": swallows, "blocks": blocks}[kind]
    for name, act in (("a", lambda: scene.log.append("a")), ("b", second), ("c", lambda: scene.log.append("c"))):
        scene.application.on_shutdown(name, act)
    scene.add("trading_loop", lasting(1))
    ended = scene.run()
    assert scene.log == ["farewell", "c", "b", "a", "seal"]
    assert ended.exit_code == (ExitCode.WARN if kind == "swallows" else ExitCode.PASS)
    results = [(one.name, one.problem) for one in scene.told("runtime.callback") if one.phase == "shutdown"]
    assert [name for name, _ in results] == ["c", "b", "a"]
    assert ("left behind" in results[1][1]) == (kind == "swallows")
    assert scene.told("runtime.stopped")[0].took_ns <= 10_000_000_000


def test_a_doubt_that_cannot_be_told_by_name_is_a_problem_of_its_own(tmp_path):
    class Nameless(Orders):
        def left(self):
            raise OSError("no list")

    scene = Scene(tmp_path, orders=Nameless(2))
    scene.add("trading_loop", lasting(1))
    assert scene.run().exit_code == ExitCode.FAIL
    assert scene.told("runtime.stopped")[0].unknown_orders == ()


@pytest.mark.parametrize("start", ["raises", "works"])
def test_callbacks_run_also_after_a_start_that_failed(tmp_path, start):
    scene = Scene(tmp_path)
    scene.application.on_startup("a", raising if start == "raises" else lambda: None)
    scene.application.on_shutdown("bus", lambda: scene.log.append("bus"))
    scene.add("trading_loop", lasting(1))
    scene.run()
    assert scene.log.count("bus") == 1
    assert scene.log[-1] == "seal"


def clean(scene):
    scene.add("trading_loop", lasting(1))


def abandoned(scene):
    scene.add("trading_loop", lasting(1))
    scene.add("runtime_board", stubborn)


def order_in_doubt(scene):
    scene.orders.looks = [1]
    scene.add("trading_loop", lasting(1))


def hurried(scene):
    scene.add("trading_loop", forever)
    scene.add("runtime_board", stubborn)
    scene.at(1, lambda: scene.application.request_stop(SIGNAL, "SIGTERM"))
    scene.at(2, lambda: scene.application.request_stop(SIGNAL, "SIGTERM"))


@pytest.mark.parametrize(
    ("case", "code"), [(clean, 0), (abandoned, 1), (order_in_doubt, 2), (hurried, 130)], ids=lambda one: str(one)[:20]
)
def test_the_outcome_is_clean_abandoned_in_doubt_or_interrupted_and_always_sealed(tmp_path, case, code):
    scene = Scene(tmp_path, orders=Orders(0))
    case(scene)
    assert scene.run().exit_code == code
    assert scene.told("runtime.stopped")[0].exit_code == code
    assert scene.log.count("seal") == 1


@pytest.mark.parametrize("sealed", [False, OSError("disk full")])
def test_a_record_that_may_be_lost_is_in_doubt(tmp_path, sealed):
    scene = Scene(tmp_path, orders=Orders(0), sealed=sealed)
    scene.add("trading_loop", lasting(1))
    assert scene.run().exit_code == ExitCode.FAIL
    assert not scene.steps()["seal"].ok


def test_an_abandoned_task_is_named_and_orders_and_journal_are_safe(tmp_path):
    scene = Scene(tmp_path, orders=Orders(0))
    scene.add("trading_loop", lasting(1))
    scene.add("runtime_board", stubborn)
    assert scene.run().exit_code == ExitCode.WARN
    (stopped,) = scene.told("runtime.stopped")
    assert (stopped.abandoned, stopped.working_orders) == (("runtime_board",), 0)
    assert scene.steps()["tasks"].detail == "runtime_board"


@pytest.mark.parametrize("during", ["orders", "tasks", "callbacks"])
def test_a_second_signal_skips_to_the_seal_from_wherever_the_end_is(tmp_path, during):
    scene = Scene(tmp_path, orders=Orders(5) if during == "orders" else Orders(0))

    async def slow():
        scene.log.append("slow")
        await asyncio.sleep(60)

    scene.application.on_shutdown("last", lambda: scene.log.append("last"))
    if during == "callbacks":
        scene.application.on_shutdown("slow", slow)
    scene.add("trading_loop", forever)
    if during == "tasks":
        scene.add("runtime_board", stubborn)
    scene.at(1, lambda: scene.application.request_stop(SIGNAL, "SIGINT"))
    scene.at(1.25, lambda: scene.application.request_stop(SIGNAL, "SIGINT"))
    assert scene.run().exit_code == ExitCode.INTERRUPTED
    assert scene.told("runtime.stopped")[0].took_ns <= 500_000_000
    assert scene.log[-1] == "seal"
    assert scene.log.count("last") == 1


def test_one_signal_while_a_completed_run_ends_hurries_nothing(tmp_path):
    scene = Scene(tmp_path, orders=Orders(*[1] * 50, 0))
    scene.add("trading_loop", lasting(1))
    scene.at(1.5, lambda: scene.application.request_stop(SIGNAL, "SIGTERM"))
    ended = scene.run()
    assert (ended.reason, ended.exit_code) == ("completed", ExitCode.PASS)
    assert scene.told("runtime.stopped")[0].working_orders == 0


@pytest.mark.parametrize("name", ["pause_s", "orders_s", "tasks_s", "callbacks_s", "seal_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_every_share_of_the_deadline_must_be_finite_and_above_nothing(name, value):
    with pytest.raises(ValueError, match=name):
        ShutdownPolicy(**{name: value})


def test_all_shares_together_are_ten_seconds():
    assert ShutdownPolicy().deadline_s == 10.0
