"""Isolation, one fleet, a whole rollback, a locked build: each fact alone fails its own check."""

import msgspec
import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.release_checks import (
    Advisory,
    Isolation,
    Package,
    Rehearsal,
    fleet_report,
    isolation_report,
    rollback_report,
    supply_report,
)

ISOLATED = Isolation(environment="paper", credentials=(), venue_connection="", order_requests=0)
WHOLE = Rehearsal(
    previous="1.0", restored="1.0", nodes={"a": "c" * 64, "b": "c" * 64}, state_hashes=("s",) * 5, open_orders=2,
    adopted=2, seconds=900.0,
)
PACKAGE = Package(name="one", version="1.0", locked="1.0")


def bad(report):
    return {one.code: one.severity for one in report.checks if one.severity}


@pytest.mark.parametrize(("change", "code", "severity"), [
    ({"environment": "live"}, "isolation.environment", Severity.FAIL),
    ({"credentials": ("accounts[a].credentials",)}, "isolation.credentials", Severity.FAIL),
    ({"venue_connection": "tcp://venue"}, "isolation.venue", Severity.FAIL),
    ({"order_requests": 1}, "isolation.order_requests", Severity.FAIL),
    ({"order_requests": None}, "isolation.order_requests", Severity.UNKNOWN),
])  # fmt: skip
def test_a_paper_desk_is_isolated_but_for_the_one_thing_that_is_named(change, code, severity):
    assert bad(isolation_report(ISOLATED)) == {}
    assert bad(isolation_report(msgspec.structs.replace(ISOLATED, **change))) == {code: severity}


def test_a_node_on_another_release_is_named_and_one_node_proves_nothing():
    same = {"code": "a" * 64, "config": "b" * 64}
    assert bad(fleet_report({"one": same, "two": same})) == {}
    old = fleet_report({"one": same, "two": {**same, "code": "d" * 64}})
    assert bad(old) == {"fleet.code": Severity.FAIL}
    assert "two dddddddddddd" in old.failed()[0].observed
    assert bad(fleet_report({"one": same, "two": {"config": "b" * 64}})) == {"fleet.code": Severity.FAIL}
    assert bad(fleet_report({"one": same})) == {"fleet.nodes": Severity.UNKNOWN}
    assert fleet_report({}).severity is Severity.UNKNOWN


@pytest.mark.parametrize(("change", "code", "severity"), [
    ({"nodes": {"a": "c" * 64, "b": "d" * 64}}, "rollback.nodes", Severity.FAIL),
    ({"nodes": {}}, "rollback.nodes", Severity.FAIL),
    ({"restored": "2.0"}, "rollback.release", Severity.FAIL),
    ({"state_hashes": ("s",) * 4}, "rollback.state", Severity.FAIL),
    ({"state_hashes": ("s", "t", "s", "t", "s")}, "rollback.state", Severity.FAIL),
    ({"adopted": 1}, "rollback.orders", Severity.FAIL),
    ({"adopted": None}, "rollback.orders", Severity.UNKNOWN),
    ({"seconds": 900.1}, "rollback.time", Severity.FAIL),
    ({"problem": "a migration failed"}, "rollback.whole", Severity.FAIL),
])  # fmt: skip
def test_a_partial_rollback_is_refused(change, code, severity):
    assert bad(rollback_report(WHOLE)) == {}
    assert bad(rollback_report(msgspec.structs.replace(WHOLE, **change))) == {code: severity}


def test_no_rehearsal_is_unknown():
    assert rollback_report(None).severity is Severity.UNKNOWN


@pytest.mark.parametrize(("severity", "days", "found"), [
    ("critical", 6.9, Severity.WARN), ("critical", 7.0, Severity.FAIL), ("high", 29.9, Severity.WARN),
    ("high", 30.0, Severity.FAIL), ("low", 400.0, Severity.WARN),
])  # fmt: skip
def test_a_weakness_may_stay_open_for_so_long(severity, days, found):
    one = Advisory(id="A", package="one", versions=("1.0",), severity=severity, open_days=days)
    assert supply_report((PACKAGE,), (one,), 1.0).severity is found
    assert supply_report((msgspec.structs.replace(PACKAGE, version="1.1", locked="1.1"),), (one,), 1.0).severity == 0


@pytest.mark.parametrize(("age", "found"), [
    (23.9, Severity.OK), (24.0, Severity.WARN), (71.9, Severity.WARN), (72.0, Severity.FAIL), (-1.0, Severity.FAIL),
])  # fmt: skip
def test_advisories_grow_old(age, found):
    assert supply_report((PACKAGE,), (), age).severity is found


def test_what_is_not_locked_fails_and_without_advisories_nobody_knows():
    assert bad(supply_report((PACKAGE,), None, None)) == {"supply.advisories": Severity.UNKNOWN}
    loose = msgspec.structs.replace(PACKAGE, locked="")
    assert bad(supply_report((PACKAGE, loose), (), 1.0)) == {"supply.locked": Severity.FAIL}
    assert supply_report((), (), 1.0).severity is Severity.UNKNOWN
