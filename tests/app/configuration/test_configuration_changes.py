"""How grave a change of the configuration is: the table of severities, limits by direction, secrets never shown."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_documents import LIVE, parsed

from tradeworthy.app.configuration.changes import (
    HIGHER_IS_TIGHTER,
    LOWER_IS_TIGHTER,
    changes_between,
    first_look,
    flat,
    tightens,
)
from tradeworthy.trading.risk.policy import RiskPolicy


def severity(before, after, **words):
    return [(one.field, one.severity) for one in changes_between(before, after, **words)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"desk": {"environment": "paper"}}, {"desk": {"environment": "live"}}, "FAIL"),
        ({"desk": {"environment": "live"}}, {"desk": {"environment": "paper"}}, "OK"),
        ({"runtime": {"confirm_live": False}}, {"runtime": {"confirm_live": True}}, "FAIL"),
        ({"runtime": {}}, {"runtime": {"tier": "tier_2"}}, "FAIL"),
        ({"runtime": {"tier": "tier_0"}}, {"runtime": {"tier": "tier_1"}}, "WARN"),
        ({"runtime": {"tier": "tier_1"}}, {"runtime": {"tier": "tier_0"}}, "OK"),
        ({"runtime": {"fix": {"host": "a"}}}, {"runtime": {"fix": {"host": "b"}}}, "WARN"),
        ({"venue": {"connection": ""}}, {"venue": {"connection": "fix://venue"}}, "WARN"),
        ({"runtime": {"backbone": "embedded"}}, {"runtime": {"backbone": "service"}}, "WARN"),
        ({"runtime": {"backbone": "service"}}, {"runtime": {"backbone": "embedded"}}, "OK"),
        ({"runtime": {"deployment": "staging"}}, {"runtime": {"deployment": "production"}}, "WARN"),
        ({"telemetry": {"broker": "a"}}, {"telemetry": {"broker": "b"}}, "WARN"),
        ({"runtime": {"redis": "a"}}, {"runtime": {"redis": "b"}}, "WARN"),
        ({"runtime": {"store": {"path": "a"}}}, {"runtime": {"store": {"path": "b"}}}, "WARN"),
        ({"health": {"health_roles": ["a"]}}, {"health": {"health_roles": ["b"]}}, "WARN"),
        ({"health": {"cert_path": "a"}}, {"health": {"cert_path": "b"}}, "WARN"),
        ({"telemetry": {"password": "secret://a"}}, {"telemetry": {"password": "secret://b"}}, "FAIL"),
        ({"telemetry": {}}, {"telemetry": {"password": "secret://b"}}, "FAIL"),
        ({"risk": {"per_trade": "0.005"}}, {"risk": {"per_trade": "0.006"}}, "FAIL"),
        ({"risk": {"per_trade": "0.006"}}, {"risk": {"per_trade": "0.005"}}, "WARN"),
        ({"risk": {"stop_distance_min": "0.006"}}, {"risk": {"stop_distance_min": "0.005"}}, "FAIL"),
        ({"risk": {"stop_distance_min": "0.005"}}, {"risk": {"stop_distance_min": "0.006"}}, "WARN"),
        ({"risk": {}}, {"risk": {"max_position": "0.1"}}, "OK"),
        ({"risk": {}}, {"risk": {"max_position": "0.11"}}, "FAIL"),
        ({"risk": {}}, {"risk": {"max_position": "0.09"}}, "WARN"),
        ({"risk": {"max_position": "0.09"}}, {"risk": {}}, "FAIL"),
        ({"risk": {"collars": {"fx": "0.01"}}}, {"risk": {"collars": {"fx": "0.02"}}}, "FAIL"),
        ({"risk": {"sector_budgets": {"tech": "0.2"}}}, {"risk": {"sector_budgets": {"tech": "0.1"}}}, "WARN"),
        ({"risk": {"restricted": {"entries": []}}}, {"risk": {"restricted": {"entries": [{"name": "X"}]}}}, "WARN"),
        ({"risk": {"restricted": {"entries": [{"name": "X"}]}}}, {"risk": {"restricted": {"entries": []}}}, "FAIL"),
        ({"risk": {"scale": True}}, {"risk": {"scale": False}}, "FAIL"),
        ({"risk": {"per_trade": "0.01"}}, {"risk": {"per_trade": "NaN"}}, "FAIL"),
        ({"drawdown_tiers": {"edges": ["0.05"]}}, {"drawdown_tiers": {"edges": ["0.04"]}}, "WARN"),
        ({"allocation": {"reserve": "0.10"}}, {"allocation": {"reserve": "0.05"}}, "FAIL"),
        ({"instances": [{"id": "q", "cap": "50"}]}, {"instances": [{"id": "q", "cap": "51"}]}, "FAIL"),
        ({"instances": [{"id": "q", "cap": "50"}]}, {"instances": [{"id": "q", "cap": None}]}, "FAIL"),
        ({"instances": [{"id": "q", "cap": None}]}, {"instances": [{"id": "q", "cap": "50"}]}, "WARN"),
        ({"instances": [{"id": "q", "mode": ""}]}, {"instances": [{"id": "q", "mode": "live_microcap"}]}, "FAIL"),
        ({"instances": [{"id": "q", "mode": ""}]}, {"instances": [{"id": "q", "mode": "live_notrade"}]}, "OK"),
        ({"desk": {"seed": 1}}, {"desk": {"seed": 2}}, "OK"),
    ],
)  # fmt: skip
def test_severity_of_a_change(before, after, expected):
    assert [one for _, one in severity(before, after)] == [expected]


def test_an_unchanged_document_has_no_change():
    plain = msgspec.json.decode(parsed(LIVE).canonical())
    assert changes_between(plain, plain) == ()


def test_a_change_names_field_values_and_why():
    (one,) = changes_between({"risk": {"per_trade": "0.01"}}, {"risk": {"per_trade": "0.02"}})
    assert (one.field, one.previous, one.current) == ("risk.per_trade", '"0.01"', '"0.02"')
    assert "loosened" in one.note


def test_another_secret_behind_the_same_name_is_a_change_without_its_value():
    plain = {"accounts": [{"id": "main", "credentials": "secret://main_key"}]}
    field = "accounts[main].credentials"
    (one,) = changes_between(plain, plain, secrets_before={field: "aa"}, secrets_after={field: "bb"})
    assert (one.severity, one.note) == ("FAIL", "a secret changed")
    assert (one.previous, one.current) == ("secret://main_key, fingerprint aa", "secret://main_key, fingerprint bb")


def test_a_value_under_a_secret_name_is_never_shown():
    (one,) = changes_between({"telemetry": {"api_key": "hunter2-a"}}, {"telemetry": {"api_key": "hunter2-b"}})
    assert one.severity == "FAIL"
    assert "hunter2" not in repr(one)


def test_a_first_document_is_looked_at_by_its_values_alone():
    plain = {"desk": {"environment": "live"}, "risk": {"per_trade": "0.01"}, "runtime": {"tier": "tier_1"}}
    assert [(one.field, one.severity) for one in first_look(plain)] == [
        ("desk.environment", "FAIL"), ("runtime.tier", "WARN"),
    ]  # fmt: skip


def test_every_name_with_a_direction_has_one():
    assert not LOWER_IS_TIGHTER & HIGHER_IS_TIGHTER
    limits = {name for name in (LOWER_IS_TIGHTER | HIGHER_IS_TIGHTER) if name in RiskPolicy.__struct_fields__}
    assert len(limits) > 40


NUMBER = st.decimals(min_value="0.0001", max_value="0.02", places=4)


@given(NUMBER, NUMBER, st.sampled_from(sorted({"per_trade", "max_position", "stop_distance_min", "margin_stop"})))
def test_of_a_change_and_its_way_back_exactly_one_tightens(first, second, name):
    field = f"risk.{name}"
    found = [tightens(field, str(first), str(second)), tightens(field, str(second), str(first))]
    assert sorted(found) == ([False, False] if first == second else [False, True])


def test_elements_of_named_lists_are_called_by_their_names():
    assert flat({"a": [{"id": "x", "n": 1}], "b": [1, 2], "c": {"d": None}}) == [
        ("a[x].id", "x"), ("a[x].n", 1), ("b[0]", 1), ("b[1]", 2), ("c.d", None),
    ]  # fmt: skip
