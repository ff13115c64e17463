"""The process around a desk: its order, its isolation, its ends (APP-03 to APP-05, APP-07, APP-09)."""

import asyncio
import itertools
import threading

import pytest
from runtime_scene import Orders, Scene, failing, forever, lasting, stubborn

from tradeworthy.app.runtime.application import SIGNAL
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.supervision.policy import Response


def test_startup_goes_before_ingest_trading_auxiliary_and_readiness(tmp_path):
    scene = Scene(tmp_path)
    application = scene.application
    application.on_startup("first", lambda: None)
    application.on_startup("second", lambda: asyncio.sleep(0.1))
    scene.add("resources", forever)
    scene.add("trading_loop", lasting(3))
    scene.add("data_backbone", lasting(2))
    ended = scene.run()
    assert (ended.reason, ended.exit_code) == ("completed", ExitCode.PASS)
    told = [
        f"{event.kind.removeprefix('runtime.')} {getattr(event.payload, 'name', '')}".strip()
        for event in scene.events() if event.kind.startswith("runtime.")
    ]  # fmt: skip
    begun = told[: told.index("ready") + 1]
    assert begun == [
        "callback first", "callback second", "workload_started data_backbone", "workload_started trading_loop",
        "workload_started resources", "ready",
    ]  # fmt: skip
    assert told[-1] == "stopped"
    assert told.count("stopped") == told.count("ready") == 1
    assert scene.told("runtime.ready")[0].workloads == ("resources", "trading_loop", "data_backbone")


@pytest.mark.parametrize("awaits", [False, True])
def test_a_failing_startup_undoes_what_ran_in_reverse_and_starts_nothing(tmp_path, awaits):
    scene = Scene(tmp_path, orders=Orders(0))
    log = scene.log

    async def broken_later():
        await asyncio.sleep(0.1)
        raise ValueError("no journal")

    def broken():
        raise ValueError("no journal")

    for name in ("a", "b"):
        scene.application.on_startup(name, lambda name=name: log.append(name), lambda name=name: log.append(f"-{name}"))
    scene.application.on_startup("c", broken_later if awaits else broken, lambda: log.append("-c"))
    scene.application.on_startup("d", lambda: log.append("d"))
    scene.add("trading_loop", failing(0, log=log))
    ended = scene.run()
    assert (ended.reason, ended.exit_code) == ("failed", ExitCode.FAIL)
    assert ended.detail == "c: ValueError: no journal"
    assert log[:4] == ["a", "b", "-b", "-a"]
    assert "attempt" not in log
    assert log[-1] == "seal"
    assert not scene.told("runtime.workload_started")
    assert not scene.told("runtime.ready")
    (stopped,) = scene.told("runtime.stopped")
    assert (stopped.reason, stopped.exit_code) == ("failed", 2)
    phases = [(one.phase, one.name, bool(one.problem)) for one in scene.told("runtime.callback")]
    assert phases == [("startup", "a", False), ("startup", "b", False), ("startup", "c", True), ("undo", "b", False),
                      ("undo", "a", False)]  # fmt: skip


def test_an_undo_that_fails_does_not_hide_those_before_it(tmp_path):
    scene = Scene(tmp_path)

    def broken():
        raise ValueError("broken")

    scene.application.on_startup("a", lambda: None, lambda: scene.log.append("-a"))
    scene.application.on_startup("b", lambda: None, broken)
    scene.application.on_startup("c", broken)
    assert scene.run().exit_code == ExitCode.FAIL
    assert scene.log[0] == "-a"


def test_a_secret_in_a_problem_is_not_journaled(tmp_path):
    scene = Scene(tmp_path)

    def broken():
        raise ValueError("no login with password=hunter2hunter2")

    scene.application.on_startup("store", broken)
    assert "hunter2" not in scene.run().detail
    assert all("hunter2" not in one.problem for one in scene.told("runtime.callback"))


def test_a_failing_ingest_is_restarted_and_trading_keeps_its_beat(tmp_path):
    scene = Scene(tmp_path)
    scene.add("data_backbone", failing(2, lasting(1)))
    scene.add("trading_loop", lasting(90))
    ended = scene.run()
    assert (ended.reason, ended.exit_code) == ("completed", ExitCode.PASS)
    by_name = {one.name: one for one in scene.told("runtime.workload_ended")}
    assert (by_name["data_backbone"].restarts, by_name["data_backbone"].state) == (2, "finished")
    assert by_name["data_backbone"].problem == ""
    assert (by_name["trading_loop"].restarts, by_name["trading_loop"].state) == (0, "finished")
    assert scene.seconds() >= 90


def test_an_optional_workload_that_gives_up_warns_and_stops_nothing(tmp_path):
    scene = Scene(tmp_path)
    scene.add("drift_monitor", failing(99), interval_s=1.0)
    scene.add("trading_loop", lasting(60))
    ended = scene.run()
    assert (ended.reason, ended.exit_code) == ("completed", ExitCode.PASS)
    assert [one.response for one in scene.escalations] == [Response.WARN]
    (monitor,) = [one for one in scene.told("runtime.workload_ended") if one.name == "drift_monitor"]
    assert (monitor.state, monitor.problem) == ("failed", "RuntimeError: broken on purpose")


def test_a_required_workload_that_gives_up_fails_the_run_and_asks_for_a_stop(tmp_path):
    scene = Scene(tmp_path, orders=Orders(0))
    scene.add("trading_loop", failing(99))
    scene.add("resources", forever)
    ended = scene.run()
    assert (ended.reason, ended.exit_code, ended.detail) == ("failed", ExitCode.FAIL, "trading_loop failed")
    assert [one.response for one in scene.escalations] == [Response.STOP]


def test_a_run_ends_when_all_required_workloads_ended_and_no_sooner(tmp_path):
    scene = Scene(tmp_path)
    scene.add("data_backbone", lasting(5))
    scene.add("trading_loop", lasting(30))
    scene.add("resources", forever)
    assert scene.run().reason == "completed"
    assert 30 <= scene.seconds() < 31


@pytest.mark.parametrize(("reason", "code"), [("signal", 0), ("timeout", 0), ("completed", 0), ("failed", 2)])
def test_each_way_to_an_end_leaves_one_last_event_with_its_reason(tmp_path, reason, code):
    scene = Scene(tmp_path, orders=Orders(2, 1, 0))
    scene.add("trading_loop", {"completed": lasting(3), "failed": failing(99)}.get(reason, forever))
    if reason == "signal":
        scene.at(5, lambda: scene.application.request_stop(SIGNAL, "SIGTERM"))
    ended = scene.run(7.0 if reason == "timeout" else None)
    assert (ended.reason, ended.exit_code) == (reason, code)
    events = scene.events()
    assert events[-1].kind == "runtime.stopped"
    (stopped,) = scene.told("runtime.stopped")
    assert (stopped.reason, stopped.exit_code, stopped.working_orders) == (reason, code, 0)
    (stopping,) = scene.told("runtime.stopping")
    assert stopping.detail == {"signal": "SIGTERM", "timeout": "7 s", "failed": "trading_loop failed"}.get(reason, "")


def test_the_first_reason_stands_and_a_stop_asked_before_the_start_starts_no_workload(tmp_path):
    scene = Scene(tmp_path)
    scene.application.on_startup("a", lambda: scene.log.append("a"), lambda: scene.log.append("-a"))
    scene.add("trading_loop", forever)
    scene.application.request_stop(SIGNAL, "SIGINT")
    scene.application.request_stop("completed")
    ended = scene.run()
    assert (ended.reason, ended.detail, ended.exit_code) == (SIGNAL, "SIGINT", ExitCode.PASS)
    assert not scene.told("runtime.workload_started")
    assert scene.log == ["a", "farewell", "seal"]


def test_any_thread_may_ask_for_the_end(tmp_path):
    scene = Scene(tmp_path)
    scene.add("trading_loop", forever)

    def ask():
        thread = threading.Thread(target=scene.application.request_stop, args=(SIGNAL, "thread"))
        thread.start()
        thread.join()

    scene.at(2, ask)
    assert scene.run().detail == "thread"
    scene.application.request_stop(SIGNAL, "after the end, which nobody hears")


def test_every_living_task_stands_under_exactly_one_service(tmp_path):
    scene, seen = Scene(tmp_path), {}
    application = scene.application
    scene.add("trading_loop", lasting(5))
    scene.add("resources", forever)
    scene.add("runtime_board", stubborn)
    application.skip("reflection", "off")

    def look():
        application.create_background_task(forever, owner="resources", name="resources.disk")
        application.create_background_task(forever, owner="event_bus", name="event_bus.bulletin")
        application.register_background_task(scene.loop.create_task(asyncio.sleep(60), name="plain"), {"of": "a test"})
        seen["living"] = scene.supervisor.snapshot()
        seen["services"] = application.services.snapshot(seen["living"])

    scene.at(2, look)
    scene.run()
    services = list(itertools.chain.from_iterable(seen["services"].values()))
    placed = [task.name for service in services for task in service.tasks]
    assert sorted(placed) == sorted(one.name for one in seen["living"])
    assert len(set(placed)) == len(placed) >= 6
    by_name = {service.name: service for service in services}
    assert {task.name for task in by_name["resources"].tasks} == {"resources", "resources.disk"}
    assert {"event_bus.bulletin", "plain"} <= {task.name for task in by_name["runtime"].tasks}
    assert (by_name["reflection"].state, by_name["reflection"].description) == ("skipped", "off")
    assert by_name["trading_loop"].state == "running"


def test_a_workload_declared_twice_is_refused(tmp_path):
    scene = Scene(tmp_path)
    scene.add("resources", forever)
    with pytest.raises(ValueError, match="declared already"):
        scene.add("resources", forever)
    scene.loop.close()
