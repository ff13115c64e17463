"""Restart settings from the environment: what is readable counts, what is not warns and leaves the default (APP-11)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_scene import Scene, lasting

from tradeworthy.app.runtime.overrides import overridden
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.supervision import TaskPolicy

DEFAULT = TaskPolicy(max_restarts=3, backoff_base_s=2.0, hang_timeout_s=10.0)
RESTARTS, BACKOFF, HANG = "MAX_RESTARTS", "RESTART_BACKOFF_SECONDS", "HANG_TIMEOUT_SECONDS"
FIELDS = {RESTARTS: "max_restarts", BACKOFF: "backoff_base_s", HANG: "hang_timeout_s"}


def read(suffix, text):
    """Return the field's value, and the warning if there was one."""
    key = f"RUNTIME_TRADING_LOOP_{suffix}"
    policy, ignored = overridden("trading_loop", DEFAULT, {key: text})
    return getattr(policy, FIELDS[suffix]), ignored


@pytest.mark.parametrize(
    ("suffix", "text", "value"),
    [
        *[(RESTARTS, word, None) for word in ("none", "null", "unlimited", " Unlimited ", "NONE")],
        *[(HANG, word, None) for word in ("", "none", "null", "disabled", "off", "OFF")],
        (RESTARTS, "0", 0), (RESTARTS, "12", 12), (BACKOFF, "0", 0.0), (BACKOFF, "0.5", 0.5), (BACKOFF, "45", 45.0),
        (HANG, "2.5", 2.5),
    ],
)  # fmt: skip
def test_a_readable_value_counts(suffix, text, value):
    assert read(suffix, text) == (value, ())


@pytest.mark.parametrize("text", ["abc", "-1", "nan", "inf", "-inf", "1e999", "1,5", "None of it"])
@pytest.mark.parametrize("suffix", [RESTARTS, BACKOFF, HANG])
def test_what_cannot_be_used_warns_once_naming_key_value_and_default(suffix, text):
    value, (ignored,) = read(suffix, text)
    assert value == getattr(DEFAULT, FIELDS[suffix])
    assert (ignored.key, ignored.value, ignored.used) == (f"RUNTIME_TRADING_LOOP_{suffix}", text, str(value))


@pytest.mark.parametrize(("suffix", "text"), [(RESTARTS, "1.5"), (RESTARTS, ""), (BACKOFF, ""), (BACKOFF, "none")])
def test_words_of_another_key_cannot_be_used(suffix, text):
    assert read(suffix, text)[1]


def test_no_limit_of_a_default_is_told_as_none():
    unlimited = msgspec.structs.replace(DEFAULT, max_restarts=None)
    _, (ignored,) = overridden("x", unlimited, {"RUNTIME_X_MAX_RESTARTS": "many"})
    assert ignored.used == "none"


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=12))
def test_any_text_leaves_a_policy_that_can_be_used(suffix, text):
    policy, ignored = overridden("a", DEFAULT, {f"RUNTIME_A_{suffix}": text})
    assert policy.max_restarts is None or policy.max_restarts >= 0
    assert policy.backoff_base_s >= 0
    assert policy.hang_timeout_s is None or policy.hang_timeout_s >= 0
    assert policy == DEFAULT or not ignored


def test_keys_of_another_component_change_nothing():
    assert overridden("scheduler", DEFAULT, {"RUNTIME_TRADING_LOOP_MAX_RESTARTS": "9"}) == (DEFAULT, ())


def test_a_run_goes_on_with_the_default_and_journals_one_warning(tmp_path):
    scene = Scene(tmp_path, environ={"RUNTIME_TRADING_LOOP_HANG_TIMEOUT_SECONDS": "abc",
                                     "RUNTIME_TRADING_LOOP_MAX_RESTARTS": "2"})  # fmt: skip
    scene.application.add(Workload("trading_loop", "trading_loop", "of a test", lasting(2)))
    assert scene.run().exit_code == 0
    (warning,) = scene.told("runtime.override_ignored")
    assert (warning.value, warning.used) == ("abc", "10.0")
    (service,) = scene.application.services.snapshot(())["trading_loop"]
    assert (service.hang_timeout_seconds, service.restart_policy.max_restarts) == (10.0, 2)
