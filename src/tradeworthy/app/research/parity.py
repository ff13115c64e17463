"""The parity ladder's material, opened: recorded answers of other engines and the market tapes they answered."""

import os
from pathlib import Path

from tradeworthy.adapters.tapes import binance, lean
from tradeworthy.app.market_data.data_root import DATA_VARIABLE
from tradeworthy.kernel.errors import UsageError
from tradeworthy.research.parity.ladder import Material
from tradeworthy.research.parity.tape import BTCUSDT, EURUSD

DATA_DEFAULT = Path("../shared/data")
TICKS = Path("fx_ticks/oanda/eurusd/20140508_quote.zip")
DEPTH = Path("crypto_l2/binance_usdm/btcusdt_20240808.gz")


def open_material(golden: Path, data: Path | None = None) -> Material:
    """Return what the rungs need; `data` is by default the folder that `TRADEWORTHY_DATA` names.

    golden  the folder of the answers; the intent tapes lie beside it in `tapes`

    Raises `UsageError` when a folder or a market tape is absent.
    """
    root = data or Path(os.environ.get(DATA_VARIABLE) or DATA_DEFAULT)
    ticks, depth = root / TICKS, root / DEPTH
    for path in (golden, golden.parent / "tapes"):
        if not path.is_dir():
            raise UsageError(f"expected the folder {path}, found none: run from the repository's root or pass --golden")
    for path in (ticks, depth):
        if not path.is_file():
            raise UsageError(f"expected market data at {path}, found none: set {DATA_VARIABLE} or pass --data")
    return Material(
        golden.parent, golden=golden, ticks=lambda: lean.fx_ticks(ticks, EURUSD),
        depth=lambda: binance.recorded(depth, BTCUSDT, _pass_over),
    )


def _pass_over(_raw: bytes, _reason: str) -> None:
    """Leave out lines without a price: the venue's own book-keeping trades."""
