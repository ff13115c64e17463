"""`tradeworthy calibration`: each verb on a small made run; against its own simulation there is nothing to tell."""

import json
from pathlib import Path

import pytest

from tradeworthy.app.research.calibration import EDGE_SEVERITY
from tradeworthy.cli.main import call
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.research.backtest.edge import EXIT_CODES as VERDICT_CODES
from tradeworthy.research.backtest.edge import EdgeVerdict

DOCUMENT = """
schema = "desk@1"
[desk]
name = "calibrated"
environment = "backtest"
[[tapes]]
name = "made"
format = "synthetic"
instrument = "EURUSD.DEMO"
label = "synthetic"
seed = 3
[tapes.walk]
start = 110000
steps = 3000
spread = 10
size_max = 1000000
pull = 0.001
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = { lots = 2000, inventory_lots_max = 20000, interval_ns = 5000000000, repeat_ns = 10000000000 }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("calibration")
    (place / "desk.toml").write_text(DOCUMENT)
    assert call(["backtest", "run", str(place / "desk.toml"), "--runs", str(place)]) == 0
    (folder,) = place.glob("calibrated-*")
    return folder


def report(run: Path, place: Path, verb: str, *more: Path) -> tuple[int, dict[str, object]]:
    code = call(["calibration", verb, str(run), *map(str, more), "--out", str(place)])
    (path,) = (one for one in place.glob("*.json"))
    return code, json.loads(path.read_text())


def test_a_run_of_the_simulated_venue_is_in_parity_with_it(run, tmp_path):
    code, found = report(run, tmp_path, "shadow")
    assert code == 0
    assert found["figures"]["live"] == found["figures"]["simulated"]
    assert found["figures"]["live"]["fills"] > 100
    assert found["figures"]["samples"] == 10  # nine periods of 300 s within the fifty minutes, and the end


def test_an_environment_is_ten_of_ten_like_itself(run, tmp_path):
    code, found = report(run, tmp_path, "environments", run)
    assert (code, found["figures"]["score"]) == (0, 10.0)


@pytest.mark.parametrize(
    ("verb", "codes"),
    [
        ("fill-factor", {0, 3}), ("edge", {0, 1, 2}), ("markout", {0}), ("post-trade", {0, 1, 2}),
        ("recalibrate", {0, 1}),
    ],
)
def test_each_report_cites_its_journal_and_says_its_verdict(run, tmp_path, verb, codes):
    code, found = report(run, tmp_path, verb)
    assert code in codes
    assert found["sources"][0]["journal"] == run.name
    assert found["sources"][0]["last"] > 1000
    assert found["checks"][0]["code"] == "chain.valid"


@pytest.mark.parametrize("verdict", list(EdgeVerdict))
def test_an_edge_verdict_leaves_with_its_own_exit_code(verdict):
    assert EXIT_CODES[EDGE_SEVERITY[verdict]] == VERDICT_CODES[verdict]


def test_without_a_run_nothing_is_judged(tmp_path):
    assert call(["calibration", "post-trade"]) == 3
    for verb in ("fill-factor", "edge", "markout", "shadow", "recalibrate", "post-trade"):
        assert call(["calibration", verb, str(tmp_path)]) == 3
