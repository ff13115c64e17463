"""Detectors of change against golden vectors: fixed seeds, fixed settings, the same positions at every run (FW-15)."""

import builtins
import random

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import at_most
from tradeworthy.operations.assessments.framework.detectors import DETECTORS
from tradeworthy.operations.assessments.framework.online import adwin, changes, kswin, page_hinkley_online
from tradeworthy.operations.assessments.framework.primitives import psi_of
from tradeworthy.operations.assessments.framework.series_rules import drifted

DRAW = random.Random(7)
QUIET = tuple(DRAW.gauss(0, 1) for _ in range(500))
STEPPED = tuple(DRAW.gauss(2, 1) for _ in range(500))
GOLDEN = {"adwin": (adwin, (543,)), "kswin": (kswin, (520,)), "page_hinkley_online": (page_hinkley_online, (524,))}
ONE = at_most("changes", fail=1)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_step_at_500_is_seen_where_it_always_was(name):
    pytest.importorskip("river", reason="the drift extra is not installed")
    made, golden = GOLDEN[name]
    assert changes(made, (*QUIET, *STEPPED)) == golden


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_rule_of_drift_fires_at_a_step_and_is_quiet_without(name):
    pytest.importorskip("river", reason="the drift extra is not installed")
    assert drifted(QUIET[:250], QUIET[250:], ONE, DETECTORS[name], 30).severity is Severity.OK
    assert drifted(QUIET, STEPPED, ONE, DETECTORS[name], 30).severity is Severity.FAIL


def test_without_the_library_nobody_knows_and_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def absent(name, *rest, **more):
        if name.startswith("river"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    found = drifted(QUIET, STEPPED, ONE, DETECTORS["adwin"], 30)
    assert found.severity is Severity.UNKNOWN
    assert "tradeworthy[drift]" in found.message


def test_psi_is_that_of_a_published_table():
    """Income of 2020 against 2021 in three buckets, the worked example of the GeeksforGeeks page on this index."""
    rows = ((0.4, 0.35, 0.0067), (0.3, 0.25, 0.0091), (0.3, 0.4, 0.0288))
    for expected, actual, told in rows:
        assert psi_of([expected], [actual]) == pytest.approx(told, abs=5e-5)
    assert psi_of([row[0] for row in rows], [row[1] for row in rows]) == pytest.approx(0.0446, abs=5e-5)
