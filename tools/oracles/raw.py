"""Read the carriers with nothing but the standard library, so that no oracle sees them through the product's eyes.

The canonical stream of the ladder: recorder order, times strictly increasing by at least 1 us (`SPACING_NS`), the
L2 stream starts at the recorder's snapshot and holds depth diffs and trades only. A tape acts 500 ns after an event.
"""

import gzip
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("TRADEWORTHY_DATA") or ROOT.parent / "shared" / "data")
TICKS = DATA / "fx_ticks/oanda/eurusd/20140508_quote.zip"
DEPTH = DATA / "crypto_l2/binance_usdm/btcusdt_20240808.gz"
TAPES = ROOT / "tests/parity/tapes"
GOLDEN = ROOT / "tests/parity/golden"

MIDNIGHT_NS = 1_399_507_200 * 1_000_000_000
"""2014-05-08 00:00 UTC: this vendor stamps in UTC, its Friday ends at 21:00, which is 17:00 New York in summer."""

SPACING_NS = 1_000
ACT_AFTER_NS = 500
TICK_SIZE = 1_000_000
"""Displayed size given to both sides of every EUR/USD tick; the carrier states none."""


def ticks() -> Iterator[tuple[int, str, str]]:
    """Yield `(ts, bid, ask)` of 2014-05-08."""
    last = 0
    with zipfile.ZipFile(TICKS) as archive:
        for line in archive.read(archive.namelist()[0]).decode().splitlines():
            ms, bid, ask = line.split(",")
            last = max(MIDNIGHT_NS + int(ms) * 1_000_000, last + SPACING_NS)
            yield last, bid, ask


def depth() -> Iterator[tuple[int, str, object]]:
    """Yield `(ts, "book", (bids, asks))` once, then `"diff"` likewise and `"trade"` with `(px, qty, side)`."""
    held: list[tuple[int, object]] = []
    known, last = None, 0
    with gzip.open(DEPTH, "rt") as lines:
        for line in lines:
            stamp, text = line.split(" ", 1)
            message = json.loads(text)
            body = message.get("data", message)
            what = body.get("e")
            if what == "bookTicker" or (what == "trade" and (known is None or body["X"] != "MARKET")):
                continue
            if what == "depthUpdate" and known is None:
                held.append((body["u"], (body["b"], body["a"])))
                continue
            if what == "depthUpdate" and body["u"] <= known:
                continue
            last = max(int(stamp), last + SPACING_NS)
            if what == "depthUpdate":
                yield last, "diff", (body["b"], body["a"])
            elif what == "trade":
                yield last, "trade", (body["p"], body["q"], "sell" if body["m"] else "buy")
            else:
                known = body["lastUpdateId"]
                yield last, "book", (body["bids"], body["asks"])
                for last_id, levels in held:
                    if last_id > known:
                        last += SPACING_NS
                        yield last, "diff", levels


def read_tape(rung: str) -> list[dict[str, object]]:
    """Return the intents of `rung`, in time order."""
    return [json.loads(line) for line in (TAPES / f"{rung}.jsonl").read_text().splitlines()]


def sha256(path: Path) -> str:
    """Return the digest of a file in lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plain(value: Decimal) -> str:
    """Return `value` without exponent and without trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def write_golden(
    name: str, *, rung: str, oracle: str, data: Path, fills: list[list[str | int]], account: dict[str, str]
) -> None:
    """Write one golden file; fills are `[cid, t, side, qty, price, fee, liquidity]`, numbers as exact text."""
    head = {
        "rung": rung, "oracle": oracle, "tape": rung, "tape_sha256": sha256(TAPES / f"{rung}.jsonl"),
        "data": data.name, "data_sha256": sha256(data), "account": account,
    }
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in fills)
    text = json.dumps(head, indent=0)[:-2] + ',\n"fills": [\n' + rows + "\n]}\n"
    json.loads(text)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{name}: {len(fills)} fills, {oracle}, {account}")
