"""A running desk takes over keys that decide nothing, all of them or none."""

import msgspec
import pytest
from live_documents import LIVE, PAPER, parsed

from tradeworthy.app.configuration.reload import Reloaded, ReloadRefused, reload, reload_from, reloadable
from tradeworthy.kernel.errors import UsageError

HEALTH = {"ingest_warn_seconds": 900}


def desk(**rest):
    return parsed(PAPER, environment="paper", **rest)


def test_a_reloadable_key_is_taken_over_and_told():
    new = desk(telemetry={"logs": {"level": "debug"}}, health={"ingest_warn_seconds": 600})
    found = reload(desk(health=HEALTH), new, actor="Ann")
    assert isinstance(found, Reloaded)
    assert [one.field for one in found.changes] == ["health.ingest_warn_seconds", "telemetry.logs.level"]
    assert (found.config_hash, found.previous_hash) == (new.hash(), desk(health=HEALTH).hash())


def test_one_key_that_is_not_reloadable_refuses_the_whole():
    new = desk(health={"ingest_warn_seconds": 600}, risk={"per_trade": "0.005"}, runtime={"idle_beat_s": 2})
    found = reload(desk(health=HEALTH), new, actor="Ann")
    assert isinstance(found, ReloadRefused)
    assert [one.partition(":")[0] for one in found.reasons] == ["risk.per_trade", "runtime.idle_beat_s"]


@pytest.mark.parametrize(
    "field",
    [
        "risk.per_trade", "desk.environment", "desk.speed", "health.port", "health.host", "health.cert_path",
        "health.health_roles[0]", "telemetry.auth_token", "instances[q].policy.lots", "venue.connection",
        "control.lifetime_seconds", "accounts[main].credentials", "telemetry.logs.directory",
        "telemetry.logs.context.site", "telemetry.logs.queue_lines",
    ],
)  # fmt: skip
def test_what_a_decision_or_an_address_rests_on_is_not_reloadable(field):
    assert not reloadable(field)


@pytest.mark.parametrize(
    "field",
    [
        "telemetry.logs.level",
        "telemetry.publishing.spool.bound_bytes", "telemetry.publishing.bus.capacity_events",
        "telemetry.publishing.bus_health.depth_warn",
        "health.decision_fail_seconds", "health.fact_stale_seconds",
    ],
)  # fmt: skip
def test_log_level_telemetry_bounds_and_health_limits_are_reloadable(field):
    assert reloadable(field)


def test_a_bad_reload_leaves_the_old_one():
    old = desk(health=HEALTH)

    def unreadable():
        raise UsageError("desk.toml: health.port: expected a value of type int, found 'x'")

    kept, found = reload_from(old, unreadable, actor="Ann")
    assert kept is old
    assert isinstance(found, ReloadRefused)
    assert "health.port" in found.reasons[0]

    def judged(document):
        raise UsageError("health: ingest_warn_seconds must be above 0")

    new = desk(health={"ingest_warn_seconds": -1})
    kept, found = reload_from(old, lambda: new, actor="Ann", accept=[judged])
    assert (kept, type(found)) == (old, ReloadRefused)
    kept, found = reload_from(old, lambda: new, actor="Ann", accept=[lambda document: None])
    assert (kept, type(found)) == (new, Reloaded)
    kept, found = reload_from(old, lambda: parsed(LIVE), actor="Ann")
    assert (kept, type(found)) == (old, ReloadRefused)


def test_an_equal_document_changes_nothing():
    found = reload(desk(), desk(), actor="Ann")
    assert isinstance(found, Reloaded)
    assert found.changes == ()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Reloaded) == found
