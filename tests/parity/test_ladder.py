"""The parity ladder (desk.md 19): own fills against recorded answers of other engines."""

import os
from functools import cache
from pathlib import Path

import pytest

from tradeworthy.adapters.tapes import binance, lean
from tradeworthy.research.parity import RUNGS, RungResult, run_rung, table
from tradeworthy.research.parity.ladder import Material
from tradeworthy.research.parity.tape import BTCUSDT, EURUSD

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(os.environ.get("TRADEWORTHY_DATA") or ROOT.parent / "shared" / "data")
TICKS = DATA / "fx_ticks/oanda/eurusd/20140508_quote.zip"
DEPTH = DATA / "crypto_l2/binance_usdm/btcusdt_20240808.gz"


def pass_over(_raw: bytes, _reason: str) -> None:
    """Leave out lines without a price (the venue's own book-keeping trades)."""


@cache
def material() -> Material:
    return Material(
        HERE, ticks=lambda: lean.fx_ticks(TICKS, EURUSD), depth=lambda: binance.recorded(DEPTH, BTCUSDT, pass_over)
    )


@cache
def result_of(rung: str) -> RungResult:
    for path in (TICKS, DEPTH):
        if not path.exists():
            if os.environ.get("STRICT_COMPONENTS") == "1":
                pytest.fail(f"STRICT_COMPONENTS=1 and no market data at {path}")
            pytest.skip(f"no market data at {path}; set TRADEWORTHY_DATA")
    return run_rung(rung, material())


@pytest.mark.parametrize("rung", RUNGS)
def test_rung_has_no_unexplained_difference(rung: str):
    result = result_of(rung)
    print(*(f"{one.name}: equal {one.equal}, {one.classed}" for one in result.comparisons), sep="\n")
    assert not [line for one in result.comparisons for line in one.unexplained]
    assert result.passed


def test_published_table_is_the_measured_one():
    measured = table(result_of(rung) for rung in RUNGS)
    assert measured in (ROOT / "docs" / "parity.md").read_text()
