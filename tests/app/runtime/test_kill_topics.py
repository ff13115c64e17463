"""The topics that ask for a stop, and the dead-man timer: who else may trip the running desk (KS-01)."""

import asyncio
import json

import msgspec
import pytest
from soak_runs import document

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.runs.runner import journal_of
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.app.runtime.kill_topics import UNREADABLE, KillTopics
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.telemetry.message import message_of
from tradeworthy.kernel.telemetry.topics import TOPICS, trips_kill_switch
from tradeworthy.trading.control.dead_man import LIMIT_MIN_S

NOW = 1_800_000_000 * 10**9
ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
TRIPS = {"risk.halt": "risk.halt", "compliance.halt": "compliance.halt", "runtime.kill_switch": "operator.kill"}


def paper(speed=2_000, **runtime):
    return msgspec.structs.replace(
        document(environment="paper", steps=100_000, speed=speed), runtime={"watchdog": False, **runtime}
    )


@pytest.fixture
def flag(tmp_path):
    made = halt_flag(tmp_path, EventClock(NOW))
    yield made
    made.close()


def tripped(flag, topic, payload):
    message = message_of(topic, payload, event_id="e", source="limits", ts=NOW)
    asyncio.run(KillTopics(flag, EventClock(NOW)).take(message))
    (halt,) = flag.halts()
    return halt


def test_each_topic_that_trips_has_its_owner():
    assert {name for name in TOPICS if trips_kill_switch(name)} == set(TRIPS)


@pytest.mark.parametrize("topic", TRIPS)
def test_a_topic_trips_in_the_name_of_its_room(flag, topic):
    halt = tripped(flag, topic, {"scope": "strategy:ema", "reason": "drill", "flatten": True})
    assert (f"{halt.owner}.{halt.code}", halt.scope, halt.evidence) == (TRIPS[topic], "strategy:ema", "limits: drill")
    assert (halt.flatten, halt.at) == (True, NOW)


@pytest.mark.parametrize(
    ("payload", "evidence"),
    [({"scope": "moon", "reason": "x"}, "limits: x"), ({}, "limits"), ([1], f"limits: {UNREADABLE}"),
     ({"scope": 7}, f"limits: {UNREADABLE}"), ("stop", f"limits: {UNREADABLE}")],
)  # fmt: skip
def test_an_unknown_scope_and_what_cannot_be_read_stop_the_whole_desk(flag, payload, evidence):
    halt = tripped(flag, "risk.halt", payload)
    assert (halt.scope, halt.evidence) == ("desk", evidence)


@pytest.mark.parametrize("topic", TRIPS)
def test_a_running_desk_that_is_asked_over_its_bus_is_stopped_for_good(tmp_path, topic):
    process = DeskProcess(paper(), root=tmp_path, clock=SystemClock(), environ=ALONE)

    async def main():
        def ask():
            process.publishing.publisher.publish(topic, {"reason": "drill"}, source="limits")

        asyncio.get_running_loop().call_later(1.0, ask)
        return await process.run(2.5)

    ended = asyncio.run(main())
    assert ended.reason == "timeout"
    events = list(read(journal_of(next(one for one in tmp_path.iterdir() if one.name != "state"))))
    stops = [one.payload for one in events if one.kind == "guard.changed" and one.payload.reason == TRIPS[topic]]
    assert [(one.set, one.scope, one.level.name) for one in stops] == [(True, "desk", "STOPPED")]
    seq = next(one.seq for one in events if one.kind == "guard.changed" and one.payload.reason == TRIPS[topic])
    assert "command.submit" in {one.kind for one in events if one.seq < seq}, "it traded"
    assert "command.submit" not in {one.kind for one in events if one.seq > seq}
    again = DeskProcess(paper(), root=tmp_path, clock=SystemClock(), environ=ALONE)
    assert json.loads(again.summary(running=False))["guard"]["level"] == "stopped"
    again.discard()


@pytest.mark.parametrize(("limit", "told"), [(None, None), (60.0, 60.0)])
def test_the_watchdog_of_a_desk_gets_the_dead_man_timer_of_its_document(tmp_path, limit, told):
    given = {"watchdog": True} if limit is None else {"watchdog": True, "dead_man_s": limit}
    process = DeskProcess(paper(**given), root=tmp_path, clock=SystemClock(), environ=ALONE)
    ports = json.loads((process.state / "watchdog" / "ports.json").read_bytes())
    process.discard()
    assert ports["dead_man_s"] == told


@pytest.mark.parametrize("limit", [59.9, 0.0, -1.0, float("inf"), float("nan")])
def test_a_dead_man_timer_below_a_minute_is_refused_before_the_start(limit):
    assert LIMIT_MIN_S == 60.0
    with pytest.raises((DeskError, ValueError), match="dead_man_s must be 60 or above"):
        policy_of(RuntimePolicy, "runtime", {"dead_man_s": limit})
