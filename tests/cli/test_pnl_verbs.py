"""`pnl explain` and `pnl kpis` on a real run folder, also one that was killed (AC-01, AC-07, AC-08)."""

import json
import os
import signal
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tradeworthy.app import config
from tradeworthy.app.bootstrap import instruments_of
from tradeworthy.app.research.profit import ProfitFold, profit_of
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, Quarantine, read
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger import Ledger
from tradeworthy.trading.ledger.bookings import BorrowBooked
from tradeworthy.trading.ledger.day import EquitySampled
from tradeworthy.trading.ledger.day_projection import DayProjection, days_of
from tradeworthy.trading.ledger.kpis import KpiPolicy
from tradeworthy.trading.model import FillBooked

DOCUMENT = """
schema = "desk@1"
[desk]
name = "pnl"
environment = "backtest"
capital = "1000000"
rollover_hour = 22
[[tapes]]
name = "eurusd_quotes"
format = "demo"
instrument = "EURUSD.DEMO"
rows_max = 1_500
label = "derived"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
[venue]
matching = "l1"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pnl")
    path = folder / "pnl.toml"
    path.write_text(DOCUMENT)
    return RunSession(config.load(path), root=folder / "runs").play().folder


def test_each_day_of_a_run_is_explained_to_the_last_unit(run, tmp_path, capsys):
    out = tmp_path / "explained.json"
    assert call(["pnl", "explain", str(run), "--out", str(out)]) == ExitCode.PASS
    days = json.loads(out.read_text())
    assert len(days) > 2
    assert {Decimal(day["explained"]["residual"]) for day in days} == {Decimal(0)}
    assert any(Decimal(day["explained"]["captured_spread"]) for day in days)
    assert digest_of(out.read_text()) in capsys.readouterr().out.replace("\n", "")
    starts = [day["seqs"][0] for day in days]
    assert starts == sorted(starts)


def test_a_missing_fee_is_the_residual(run):
    document = config.load(run.parents[1] / "pnl.toml")
    instruments = instruments_of(document)
    ledger = Ledger(instruments, "USD")
    fold = ProfitFold(instruments, ledger, {"touch": Decimal(1_000_000)}, 22)
    for event in read(run / "journal"):
        fold.apply(event)
    ledger.repeat(BorrowBooked("touch", "USD", Decimal("2.50")))  # booked by the ledger, told to no source
    fold.close_day()
    assert {day.explained.residual for day in fold.days[:-1]} == {Decimal(0)}
    last = fold.days[-1]
    assert (last.explained.residual, last.severity) == (Decimal("-2.50"), Severity.WARN)


def test_another_instance_gives_nothing_to_judge(run):
    assert call(["pnl", "explain", str(run), "--instance", "nobody"]) == ExitCode.COULD_NOT_JUDGE
    assert call(["pnl", "explain", str(run / "nowhere")]) == ExitCode.COULD_NOT_JUDGE


def test_the_key_figures_equal_their_recomputation_from_the_journals_fills(run, tmp_path, capsys):
    out = tmp_path / "kpis.json"
    code = call(["pnl", "kpis", str(run), "--out", str(out)])
    report = json.loads(out.read_text())
    booked = [event.payload for event in read(run / "journal") if isinstance(event.payload, FillBooked)]
    gains = sum((one.realized for one in booked if one.realized > 0), Decimal(0))
    losses = -sum((one.realized for one in booked if one.realized < 0), Decimal(0))
    assert report["fills"] == len(booked) > 0
    found = {kpi["name"]: kpi for kpi in report["kpis"]}
    assert abs(Decimal(found["profit_factor"]["value"]) - gains / losses) < Decimal("1e-9")
    worst = max(Severity(kpi["severity"]) for kpi in report["kpis"])
    assert code == {0: 0, 1: 1, 2: 3, 3: 2}[int(worst)]
    assert "turnover" in capsys.readouterr().out


def test_storing_a_run_twice_gives_equal_counts(run, tmp_path, capsys):
    path = tmp_path / "books.db"
    assert call(["pnl", "store", str(run), str(path)]) == ExitCode.PASS
    once = capsys.readouterr().out
    assert call(["pnl", "store", str(run), str(path)]) == ExitCode.PASS
    assert capsys.readouterr().out == once
    booked = sum(isinstance(event.payload, FillBooked) for event in read(run / "journal"))
    assert f"fills {booked:>25,}" in once


def test_a_desk_that_was_killed_is_explained_up_to_its_last_sealed_event(run, tmp_path):
    journal = sorted((run / "journal").glob("journal-*.jsonl"))[-1]
    cut = tmp_path / "cut/journal"
    cut.mkdir(parents=True)
    for one in (run / "journal").iterdir():
        if one.is_file():
            (cut / one.name).write_bytes(one.read_bytes())
    whole = journal.read_bytes()
    (cut / journal.name).write_bytes(whole[: len(whole) * 2 // 3])
    fold = profit_of(tmp_path / "cut")
    assert fold.days
    assert {day.explained.residual for day in fold.days} == {Decimal(0)}
    assert fold.kpis(KpiPolicy()).fills < profit_of(run).kpis(KpiPolicy()).fills
    assert msgspec.json.encode(fold.days[0]) == msgspec.json.encode(profit_of(run).days[0])


def test_sigkill_leaves_the_same_loss_budget(tmp_path):
    """Kill a process between two events; the day that its journal gives is the one it had."""
    told, journal = os.pipe(), tmp_path / "journal"
    child = os.fork()
    if child == 0:
        _trade_and_hang(journal, told[1])
    os.close(told[1])
    line = os.read(told[0], 65_536)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    again = days_of(read(journal), DayProjection({}, "USD", rollover_hour=22))["desk"].line()
    assert msgspec.json.encode(again) == line
    assert (again.loss, again.equity_open) == (0.0125, 1_000_000_000_000)


def _trade_and_hang(directory: Path, pipe: int) -> None:
    directory.mkdir()
    journal = Journal.open(directory, clock=EventClock(), quarantine=Quarantine(directory), policy=JournalPolicy())
    days = DayProjection({}, "USD", rollover_hour=22)
    for number in range(51):
        fact = EquitySampled("desk", (1_000_000 - 250 * number) * 1_000_000)
        event = event_of(fact, source="t", key=number, ts_event=number + 1, ts_init=number + 1)
        journal.accept(event)
        days.apply(event)
    journal.commit()
    os.write(pipe, msgspec.json.encode(days.days["desk"].line()))
    time.sleep(60)
    os._exit(1)
