"""`tradeworthy backtest`: window, artefacts, register, store and page, on a small made market."""

import json
import re
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tradeworthy.adapters.catalog import Catalog
from tradeworthy.app.config import load
from tradeworthy.app.research.backtests import decision_hash, family_verdict, prepared
from tradeworthy.app.research.trials import TrialBook
from tradeworthy.app.runs.folder import ARTEFACTS, manifest_of, rebuild, sha256_of
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import HaltTrading, UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.research.backtest.promotion import FLAGS, PromotionPolicy
from tradeworthy.research.backtest.rows import BARS, FILLS, NAV, BarRow, FillRow, NavRow, read_rows
from tradeworthy.research.backtest.summary import to_json
from tradeworthy.research.backtest.trials import OutOfSampleOpened, Trial
from tradeworthy.trading.simulation.synthetic import Walk, quotes

DOCUMENT = """
schema = "desk@1"
[desk]
name = "small"
environment = "paper"
{capital}
[[tapes]]
name = "made"
format = "synthetic"
instrument = "EURUSD.DEMO"
label = "synthetic"
seed = 11
[tapes.walk]
start = 110000
steps = {steps}
spread = 10
size_max = 1000000
pull = 0.001
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = {{ lots = 2000, inventory_lots_max = 20000, interval_ns = 30000000000, repeat_ns = 60000000000 }}
"""


def document(place: Path, *, steps: int = 1200, capital: str = "") -> str:
    path = place / "small.toml"
    path.write_text(DOCUMENT.format(steps=steps, capital=capital))
    return str(path)


def run(place: Path, *words: str, steps: int = 1200) -> Path:
    before = set((place / "runs").glob("small-*"))
    assert call(["backtest", "run", document(place, steps=steps), "--runs", str(place / "runs"), *words]) == 0
    (folder,) = set((place / "runs").glob("small-*")) - before
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return run(tmp_path_factory.mktemp("backtest"))


def test_a_run_leaves_every_artefact_and_its_hash(folder):
    manifest = manifest_of(folder)
    assert set(manifest.files) == set(ARTEFACTS)
    assert call(["journal", "verify", str(folder)]) in (0, 1)
    assert manifest.capital == 1_000_000
    assert manifest.environment == "backtest"


def test_the_rows_agree_with_the_summary_to_the_last_unit(folder):
    summary = json.loads((folder / "summary.json").read_text())
    fills, nav = list(read_rows(folder / FILLS, FillRow)), list(read_rows(folder / NAV, NavRow))
    assert len(fills) == summary["activity"]["fills"] > 0
    last = nav[-1]
    assert str(last.equity - 1_000_000) == summary["profit"]["net"]
    assert last.equity == 1_000_000 + last.captured + last.inventory - last.fees + last.funding
    bars = list(read_rows(folder / BARS, BarRow))
    assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in bars)
    assert [one.ts for one in bars] == sorted({one.ts for one in bars})
    assert set(json.loads(bytes(bars[0].state))) == {"quoter"}


def test_the_summary_states_what_was_assumed_of_costs(folder):
    said = " ".join(json.loads((folder / "summary.json").read_text())["assumptions"])
    for word in ("submit 150 ms", "spread:", "slippage:", "maker fee", "funding:", "borrow:"):
        assert word in said


def test_an_altered_artefact_is_noticed(folder, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("manifest.json", *ARTEFACTS):
        (copy / name).write_bytes((folder / name).read_bytes())
    manifest_of(copy)
    (copy / FILLS).write_bytes((copy / FILLS).read_bytes()[:-1])
    with pytest.raises(UsageError, match="altered"):
        manifest_of(copy)


def test_a_run_read_back_from_its_journal_has_the_same_summary(folder):
    assert to_json(rebuild(folder).summary) == (folder / "summary.json").read_bytes()


@pytest.mark.parametrize(
    "words",
    [["--start", "2024-01-02", "--end", "2024-01-01"], ["--start", "2024-01-01", "--end", "2024-01-01"],
     ["--start", "soon"], ["--capital", "much"], ["--part", "out"], ["--instance", "nobody"],
     ["--catalog", "/nowhere"]],
)
def test_words_that_cannot_be_run_exit_with_three(words, tmp_path):
    assert call(["backtest", "run", document(tmp_path), "--runs", str(tmp_path / "runs"), *words]) == 3
    assert not list((tmp_path / "runs").glob("small-*"))


def test_the_window_is_half_open_and_part_of_the_run_s_id(tmp_path, folder):
    cut = run(tmp_path, "--start", "2024-01-01T00:05:00", "--end", "2024-01-01T00:10:00")
    inputs = [e for e in read(cut / "journal") if e.source == "tape.made"]
    assert (inputs[0].source_seq, inputs[-1].source_seq) == (301, 600)
    assert manifest_of(cut).run_id != manifest_of(folder).run_id


def test_the_same_backtest_twice_is_the_same_bytes(tmp_path, folder):
    again = run(tmp_path)
    names = [name for name in ("manifest.json", *ARTEFACTS) if sha256_of(again / name) != sha256_of(folder / name)]
    assert names == []


def test_later_data_changes_no_earlier_decision(tmp_path, folder):
    """BT-03: the same tape, cut short, leaves the same decisions up to the cut."""
    short = run(tmp_path, "--end", "2024-01-01T00:10:00")
    cut = 1_704_067_200_000_000_000 + 600 * 10**9

    def decided(place: Path) -> list[bytes]:
        def told(event: Event) -> bool:
            return event.source == "desk" and event.ts_event < cut

        return [msgspec.json.encode(e.payload) for e in read(place / "journal") if told(e)]

    assert decided(short) == decided(folder)
    assert len(decided(short)) > 20


BARS_DOCUMENT = """
schema = "desk@1"
[desk]
name = "small"
environment = "backtest"
[venue]
matching = "bars"
[[tapes]]
name = "bars"
format = "csv_bars"
instrument = "EURUSD.DEMO"
path = "{path}"
interval_seconds = 60
[[instances]]
id = "trend"
strategy = "ema_trend"
instrument = "EURUSD.DEMO"
policy = {{ fast = 2, slow = 4, atr = 3, bar_interval_ns = 60000000000 }}
"""


def bars(place: Path, tomorrow: str) -> Path:
    """Run a tape of forty saw-toothed minutes with `tomorrow` as its last line."""
    place.mkdir()
    lines = ["time,open,high,low,close"]
    for minute in range(40):
        price = 1.1 + (minute % 8 if minute % 16 < 8 else 8 - minute % 8) * 0.001
        text = ",".join(f"{value:.5f}" for value in (price, price + 0.0002, price - 0.0002, price))
        lines.append(f"2024-01-01T00:{minute:02d}:00,{text}")
    tape = place / "tape.csv"
    tape.write_text("\n".join([*lines, tomorrow]) + "\n")
    (place / "small.toml").write_text(BARS_DOCUMENT.format(path=tape))
    assert call(["backtest", "run", str(place / "small.toml"), "--runs", str(place / "runs")]) == 0
    (folder,) = (place / "runs").glob("small-*")
    return folder


def test_a_tomorrow_that_is_no_number_has_no_effect_today(tmp_path):
    """BT-03: what comes later, even nonsense, changes no fill of today."""
    odd = bars(tmp_path / "a", "2024-01-02T00:00:00,NaN,NaN,NaN,NaN")
    plain = bars(tmp_path / "b", "2024-01-02T00:00:00,1.2,1.2,1.2,1.2")
    last = 1_704_067_200 * 10**9 + 40 * 60 * 10**9

    def today(folder: Path) -> list[FillRow]:
        return [one for one in read_rows(folder / FILLS, FillRow) if one.ts <= last]

    assert today(odd) == today(plain)
    assert len(today(odd)) >= 2


def test_each_run_of_a_family_is_a_trial_and_each_opening_counts(tmp_path):
    words = ["--start", "2024-01-01", "--end", "2024-01-01T00:20:00", "--family", "small"]
    book = TrialBook(tmp_path / "runs", clock=EventClock(1))
    run(tmp_path, *words, "--part", "in")
    assert (book.register().count("small"), book.register().openings("small")) == (1, 0)
    run(tmp_path, *words, "--part", "out")
    assert (book.register().count("small"), book.register().openings("small")) == (3, 1)
    run(tmp_path, *words, "--part", "out")
    assert (book.register().count("small"), book.register().openings("small")) == (4, 2)
    assert call(["backtest", "trials", "small", "--runs", str(tmp_path / "runs")]) == 3


def test_deleting_one_trial_breaks_the_register_s_chain(tmp_path):
    book = TrialBook(tmp_path, clock=EventClock(1))
    for number in range(4):
        book.record(Trial("f", f"run-{number}", "c", 100, 0.1))
    book.open(OutOfSampleOpened("f", "run-1", 1, 2))
    assert book.register().count("f") == 5
    (path,) = (tmp_path / "trials").glob("journal-*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    (gone,) = [n for n, line in enumerate(lines) if b"run-2" in line]
    path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(HaltTrading, match="damaged"):
        book.register()


def test_a_trial_without_a_family_is_usage(tmp_path):
    with pytest.raises(UsageError, match="family"):
        TrialBook(tmp_path, clock=EventClock(1)).record(Trial("", "r", "c", 1, None))


def test_importing_a_run_twice_leaves_equal_counts(folder, tmp_path, capsys):
    store = str(tmp_path / "s.sqlite")
    assert call(["backtest", "import", str(folder), "--store", store]) == 0
    once = capsys.readouterr().out
    assert call(["backtest", "import", str(folder), "--store", store]) == 0
    assert capsys.readouterr().out == once
    assert call(["backtest", "list", "--store", store]) == 0
    assert folder.name.rpartition("-")[2] in capsys.readouterr().out
    assert call(["backtest", "import", "--store", store]) == 3
    assert call(["backtest", "import", str(tmp_path), "--store", store]) == 3


def test_the_page_can_be_drawn_again_over_another_run(folder, tmp_path):
    other = run(tmp_path, "--set", "venue.submit_ms=0", "--capital", "500000")
    page = tmp_path / "page.html"
    assert call(["backtest", "report", str(folder), "--overlay", str(other), "--out", str(page)]) == 0
    assert manifest_of(other).run_id in page.read_text()
    assert call(["backtest", "report", str(folder), "--out", str(page)]) == 0
    assert page.read_bytes() == (folder / "report.html").read_bytes()


def test_a_promotion_names_each_field_and_exits_two(folder, tmp_path, capsys):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"no_network": True, "fixture_backed": False}))
    code = call(["backtest", "promote", str(record), "--run", str(folder), "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert code == 2
    for name in ("fixture_backed", "deflated_sharpe", "parity_rungs", "config_hash", "inputs_fresh"):
        assert f"FAIL promotion.{name}" in said
    assert "FAIL promotion.no_network" not in said
    record.write_text('{"unknown": 1}')
    assert call(["backtest", "promote", str(record), "--out", str(tmp_path)]) == 3


def test_a_whole_record_of_the_deployed_policy_is_promoted_and_another_policy_is_refused(folder, tmp_path, capsys):
    plain = document(tmp_path)
    stated = {
        "trades": 99, "out_of_sample_sharpe": 1.0, "out_of_sample_drawdown": 0.1, "deflated_sharpe": 0.99,
        "overfit_probability": 0.1, "parity_rungs": list(PromotionPolicy().parity_rungs), **dict.fromkeys(FLAGS, True),
        "config_hash": decision_hash(load(Path(plain))),
    }
    (tmp_path / "record.json").write_text(json.dumps(stated))
    words = ["backtest", "promote", str(tmp_path / "record.json"), "--out", str(tmp_path), "--deployed", plain]
    assert call(words) == 0
    Path(plain).write_text(Path(plain).read_text().replace("lots = 2000", "lots = 2001"))
    capsys.readouterr()
    assert call(words) == 2
    said = capsys.readouterr().out
    assert "FAIL promotion.config_hash" in said
    assert said.count("FAIL promotion.") == 1


def test_what_decides_is_the_same_in_test_and_deployment(tmp_path):
    deployed = load(Path(document(tmp_path)))
    tested = prepared(
        Path(document(tmp_path)), overrides={"venue.submit_ms": "1"}, instance=None, catalog=None, start="2024-01-01",
        end="2024-01-02", capital="5", part="in",
    )
    assert tested.hash() != deployed.hash()
    assert decision_hash(tested) == decision_hash(deployed)


def test_a_family_of_twelve_is_judged_by_all_its_trials(tmp_path, capsys):
    pytest.importorskip("numpy", reason="the research extra is not installed")
    words = ["--family", "many", "--set", "desk.evaluate_seconds=3600"]
    path = Path(document(tmp_path, steps=280))
    path.write_text(path.read_text().replace("spread = 10", "spread = 10\nevery_ns = 21600000000000"))
    for seed in range(12):
        lots = 1000 + 100 * seed
        text = path.read_text()
        path.write_text(re.sub(r"lots = \d+, inventory", f"lots = {lots}, inventory", text))
        assert call(["backtest", "run", str(path), "--runs", str(tmp_path / "runs"), *words]) == 0
    book = TrialBook(tmp_path / "runs", clock=EventClock(1))
    found = family_verdict(tmp_path / "runs", book=book, family="many")
    assert (found.trials, found.openings, found.notes) == (12, 0, ())
    assert 0 <= found.deflated_sharpe <= 1
    assert (found.overfit.trials, found.overfit.splits) == (12, 12_870)
    trial = book.register().trials("many")[0]
    assert json.loads(trial.configuration)["instances"][0]["policy"]["lots"] == 1000
    capsys.readouterr()
    assert call(["backtest", "trials", "many", "--runs", str(tmp_path / "runs")]) in (0, 1, 2)
    assert "12 trials of many" in capsys.readouterr().out


def test_a_catalog_takes_the_place_of_the_tapes(tmp_path, capsys):
    pytest.importorskip("polars", reason="the data extra is not installed")
    walk = Walk("EURUSD.DEMO", ts=1_704_067_200 * 10**9, start=110_000, steps=900, spread=10, size_max=1_000_000)
    Catalog(tmp_path / "catalog").ingest((ts, ts, fact) for ts, fact in quotes(walk, seed=3))
    found = run(tmp_path, "--catalog", str(tmp_path / "catalog"), "--instance", "quoter")
    (tape,) = manifest_of(found).tapes
    assert (tape.name, tape.instrument) == ("EURUSD.DEMO.quote", "EURUSD.DEMO")
    assert sum(e.kind == "market.quote" for e in read(found / "journal")) == 900


def test_walk_forward_plays_each_test_part_once_and_each_is_a_look(tmp_path, capsys):
    words = ["backtest", "walk-forward", document(tmp_path), "--runs", str(tmp_path / "runs"), "--family", "walk",
             "--start", "2024-01-01", "--end", "2024-01-01T00:20:00", "--folds", "3", "--purge-seconds", "30"]
    assert call(words) == 0
    windows = sorted((m.start, m.end) for m in map(manifest_of, (tmp_path / "runs").glob("small-*")))
    assert len(windows) == 3
    assert all(before[1] < after[0] for before, after in pairwise(windows))
    assert windows[0][0] >= 1_704_067_200 * 10**9 + 5 * 60 * 10**9  # the first part is training only
    assert TrialBook(tmp_path / "runs", clock=EventClock(1)).register().openings("walk") == 3
    assert call([*words[:-1], "10000"]) == 3  # the purge leaves no training
