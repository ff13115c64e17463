"""A deployment's profile: one table of strictness, each line of it seen at work."""

from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from ingesting_scene import document, process

from tradeworthy.app.runtime.deployment import PROFILES, hardened
from tradeworthy.app.runtime.guard_door import GuardDoor
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.supervision import Criticality, Escalated, Response
from tradeworthy.operations.health.policy import AUTH_SECRET, HealthPolicy
from tradeworthy.trading.model import GuardLevel

SECRET = {AUTH_SECRET: "secret://tokens"}
RISK = {"max_order_value": "1000"}


def test_the_profile_table():
    table = {name: tuple(msgspec.structs.astuple(one)) for name, one in PROFILES.items()}
    assert table == {
        "demo": (False, False, False, False), "staging": (True, True, False, False),
        "production": (True, True, True, True),
    }  # fmt: skip


def test_each_profile_is_at_least_as_strict_as_the_one_before():
    lines = [msgspec.structs.astuple(PROFILES[name]) for name in ("demo", "staging", "production")]
    for before, after in pairwise(lines):
        assert all(late or not early for early, late in zip(before, after, strict=True))


def harden(deployment, *, risk=None, environ=None, health=None, **policy):
    given = msgspec.convert({"deployment": deployment, **policy}, RuntimePolicy)
    return hardened(given, document(risk=RISK if risk is None else risk), health or HealthPolicy(), environ or {})


def test_a_demo_lacks_nothing_and_changes_nothing():
    given = RuntimePolicy()
    assert hardened(given, document(), HealthPolicy(), {}) is given


@pytest.mark.parametrize("deployment", ["staging", "production"])
def test_limits_must_stand_in_the_document(deployment):
    with pytest.raises(ConfigurationRefused, match=r"limits in section risk, found none .*runbooks/risk.md"):
        harden(deployment, risk={}, environ=SECRET)


@pytest.mark.parametrize("deployment", ["staging", "production"])
def test_whoever_asks_must_show_a_token(deployment):
    with pytest.raises(ConfigurationRefused, match=AUTH_SECRET):
        harden(deployment, environ={AUTH_SECRET: " "})
    harden(deployment, health=HealthPolicy(enabled=False))
    harden(deployment, environ={"RUNTIME_HEALTHCHECK_ENABLED": "false"})


def test_production_does_not_run_without_a_watchdog_that_kills():
    with pytest.raises(ConfigurationRefused, match=r"runtime.watchdog = true"):
        harden("production", environ=SECRET, watchdog=False)
    assert harden("staging", environ=SECRET).watch.kill_after_s is None
    assert harden("production", environ=SECRET).watch.kill_after_s == 10.0


@pytest.mark.parametrize(("hang", "kill"), [(1.5, 10.0), (5.0, 10.0), (8.0, 16.0)])
def test_the_kill_lies_after_the_hang(hang, kill):
    watch = {"hang_after_s": hang, "kill_after_s": None}
    assert harden("production", environ=SECRET, watch=watch).watch.kill_after_s == kill


def test_a_time_of_its_own_stays():
    assert harden("production", environ=SECRET, watch={"kill_after_s": 20.0}).watch.kill_after_s == 20.0


def test_all_that_is_lacking_is_told_at_once():
    with pytest.raises(ConfigurationRefused) as refused:
        harden("production", risk={}, watchdog=False)
    for what in ("section risk", AUTH_SECRET, "runtime.watchdog"):
        assert what in str(refused.value)


@pytest.mark.parametrize(
    ("halts", "response", "level"),
    [
        (False, Response.PAUSE, GuardLevel.PAUSED), (True, Response.PAUSE, GuardLevel.STOPPED),
        (False, Response.STOP, GuardLevel.STOPPED), (True, Response.WARN, None),
    ],
)  # fmt: skip
def test_a_component_that_is_given_up_stops_a_production_desk(halts, response, level):
    memory = SimpleNamespace(read=lambda: None, write=lambda data: None)
    door = GuardDoor(EventClock(5), memory, run_id="r", failure_halts=halts)
    given_up = Escalated("ingest", "ingest", Criticality.IMPORTANT, response, "x", 5)
    door.escalate(given_up, None)
    assert [one.level for one in door.held] == ([] if level is None else [level])


def test_a_process_is_as_strict_as_its_document_says(tmp_path):
    with pytest.raises(ConfigurationRefused, match="deployment staging"):
        process(tmp_path, document(risk={}, runtime={"deployment": "staging"}))
    assert not (tmp_path / "runs").exists()
    strict = document(runtime={"deployment": "production", "watchdog": True}, risk=RISK)
    one = process(tmp_path, strict, declared_in=tmp_path / "declared")
    assert one.policy.watch.kill_after_s == 10.0
    one.discard()
