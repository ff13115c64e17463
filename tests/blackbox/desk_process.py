"""Run the real command in a process of its own, as a user does."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import tradeworthy.app.runtime.desk_process  # noqa: F401  registers every kind that a journal of a desk holds
from tradeworthy.kernel.journal import read

ROOT = Path(__file__).resolve().parents[2]
LONG = 120
OWN = ("TRADEWORTHY__", "RUNTIME_", "FINAL_DRY_RUN_", "RIM_RUNTIME_", "DECISION_DIARY_", "PERFORMANCE_METRICS_")
ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
"""Variables that let two desks run at once on one machine: neither the desk nor its watchdog binds a port."""


def environment(**odd):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"} | ALONE | odd


def command(*words, **odd):
    """Return the finished process; its output is text."""
    return subprocess.run(
        [sys.executable, "-m", "tradeworthy", *map(str, words)], env=environment(**odd), capture_output=True, text=True,
        timeout=LONG, check=False,
    )  # fmt: skip


def started(*words, **odd):
    """Return the running process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", *map(str, words)], env=environment(**odd), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


RISK = '[risk]\nmax_order_value = "500000"'
"""The default, said: a desk that trades must have limits of its own."""


def document(folder, *, name="small", kind="paper", rows=3_000, desk="", rest="", **odd):
    """Write a one-instance document on the shipped quotes; return its path."""
    instrument, strategy = odd.get("instrument", "EURUSD.DEMO"), odd.get("strategy", "touch_quoter")
    path = folder / f"{name}.toml"
    path.write_text(f"""
schema = "desk@1"
[desk]
name = "{name}"
environment = "{kind}"
capital = "1000000"
{desk}
{"" if "[risk" in rest else RISK}
[[tapes]]
name = "eurusd_quotes"
format = "demo"
instrument = "{instrument}"
rows_max = {rows}
label = "derived"
[[instances]]
id = "touch"
strategy = "{strategy}"
instrument = "{instrument}"
role = "maker"
[instances.policy]
lots = 1000
inventory_lots_max = 20000
{rest}
""")
    return path


def folder_of(done):
    """Return the run folder that a finished process named."""
    return Path(re.search(r"^run folder +(.+)$", done.stdout, re.MULTILINE).group(1))


def digest_of(done):
    return re.search(r"^digest +([0-9a-f]{64})$", done.stdout, re.MULTILINE).group(1)


def only_life(runs, desk="small"):
    """Return the folder of the one life that a desk's process had below `runs`."""
    (found,) = (runs / "state" / desk / "runtime").iterdir()
    return found


def told(folder, kind):
    """Return the payloads of one kind in a journal."""
    return [event.payload for event in events_of(folder) if event.kind == kind]


def only_run(runs):
    """Return the one run folder below `runs`."""
    (found,) = [one for one in runs.iterdir() if one.name != "state"]
    return found


def journaled(runs, process, bytes_min=1, *, kind=""):
    """Wait until the running process has written so much, and an event of that kind if named; fail when it ends."""
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        files = list(runs.glob("*/journal/journal-*.jsonl"))
        enough = sum(one.stat().st_size for one in files) >= bytes_min
        if enough and any(f'"{kind}' in one.read_text() for one in files):
            return
        if process.poll() is not None:
            raise AssertionError(f"the process ended with {process.returncode}: {process.stderr.read()}")
        time.sleep(0.01)
    raise AssertionError("nothing was journaled in time")


def ended(process, number=None):
    """Send a signal, if any, and return the exit code."""
    if number is not None:
        process.send_signal(number)
    try:
        process.communicate(timeout=LONG)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    return process.returncode


def events_of(run):
    return list(read(run / "journal"))


def kinds_of(run):
    return [event.kind for event in events_of(run)]
