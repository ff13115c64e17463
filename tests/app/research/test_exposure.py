"""The overlap report of a run, and whom it names."""

import json
from decimal import Decimal

import msgspec
import pytest
from soak_runs import document, played, resealed

from tradeworthy.app.research.exposure import judge_overlap
from tradeworthy.cli.main import call
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.allocation.overlap import Exposures, Overlap, OverlapPolicy


def one_overlap(notional, *, capital=1_000_000, mode="", largest=None):
    """Judge a desk of one capital whose instances overlapped by `notional`."""
    made = document()
    instances = tuple(
        msgspec.structs.replace(made.instances[0], id=name, mode=mode if name == "second" else "")
        for name in ("first", "second")
    )
    made = msgspec.structs.replace(made, instances=instances)
    exposures = Exposures({})
    exposures.overlaps = lambda: (Overlap("EUR", 1, "first", "second", 1, 2, Decimal(1), Decimal(notional)),)
    exposures.largest = largest or {}
    checks = judge_overlap(exposures, made, OverlapPolicy(), fills=1)
    return [(check.code, check.severity, check.text) for check in checks]


@pytest.mark.parametrize(
    ("notional", "mode", "severity"),
    [
        ("50000", "live_microcap", Severity.OK), ("50000.01", "live_microcap", Severity.FAIL),
        ("50000.01", "", Severity.WARN),
    ],
)  # fmt: skip
def test_an_overlap_over_the_cap_blocks_the_second_live_instance(notional, mode, severity):
    ((code, found, text),) = one_overlap(notional, mode=mode)
    assert (code, found) == ("overlap.size", severity)
    assert ("second is blocked" in text) is (severity is Severity.FAIL)


def test_one_instance_short_by_eighty_percent_among_flat_ones_is_named():
    exposures = Exposures({})
    exposures.largest = {"short": Decimal(-800_000), "flat": Decimal(0)}
    checks = judge_overlap(exposures, document(), OverlapPolicy(), fills=1)
    bad = [check.observed for check in checks if check.severity is Severity.FAIL]
    assert bad == ["short -80.00%"]


@pytest.mark.parametrize(("held", "severity"), [("720000", Severity.OK), ("-720000.01", Severity.FAIL)])
def test_an_instance_above_its_budget_times_the_leverage_fails(held, severity):
    """The only maker's budget is 60 % of a million; the gross leverage allows 1.2 times that."""
    exposures = Exposures({})
    exposures.largest = {"quoter": Decimal(held)}
    found = judge_overlap(exposures, document(), OverlapPolicy(), fills=1)
    assert [check.severity for check in found if check.code == "allocation.budget"] == [severity]


def test_a_run_is_reported_and_one_without_fills_could_not_be_judged(tmp_path):
    run = played(tmp_path, steps=600).folder
    assert call(["exposure", str(run), "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "overlap.json").read_bytes())
    assert report["figures"]["overlaps"] == []
    assert set(report["figures"]["largest_exposure"]) == {"quoter"}
    quiet = resealed(run, tmp_path / "quiet", lambda line: None if line["kind"] == "ledger.fill_booked" else line)
    assert call(["exposure", str(quiet), "--out", str(tmp_path)]) == 3
