"""T0: the same tape in other processes, with other hash seeds, gives the same fills."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from random import Random
from tradeworthy.research.parity.ladder import l1_venue
from tradeworthy.research.parity.play import digest, play
from tradeworthy.research.parity.tape import EURUSD, Line
from tradeworthy.trading.model import Quote
draws, bid, events, tape = Random(3), 139_000, [], []
for number in range(5_000):
    bid += draws.randint(-3, 3)
    ts = 1_000_000 * (number + 1)
    events.append((ts, Quote(EURUSD.instrument_id, bid, bid + 12, 1_000_000, 1_000_000)))
    if number % 50 == 0:
        tape.append(Line(ts + 500, f"m-{number}", "submit", "buy" if number % 100 else "sell", "market", None, "1000"))
        price = str(EURUSD.price(bid - 5))
        tape.append(Line(ts + 500, f"l-{number}", "submit", "buy", "limit", price, "1000"))
rows = play(tape[:-2], events, l1_venue(0), EURUSD)
print(len(rows), digest(rows))
"""


def run(hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_fills_are_the_same_in_two_processes_with_other_hash_seeds():
    first = run("0")
    assert int(first.split()[0]) > 150
    assert run("1") == first
    assert run("12345") == first
