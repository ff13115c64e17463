"""Run the real verb on real children, scaled to seconds, and read what it left."""

import json
import sys
from pathlib import Path

import msgspec

from tradeworthy.cli.main import call
from tradeworthy.operations.dry_run.artefacts import Progress, decode_summary

CHILD = str(Path(__file__).with_name("dry_run_child.py"))
HOUR = 3_600.0


class Ran:
    """One finished run: its code, summary, progress and files."""

    def __init__(self, folder, code):
        self.folder = folder
        self.code = code
        self.summary = decode_summary((folder / "summary.json").read_bytes())
        self.progress = msgspec.json.decode((folder / "progress.json").read_bytes(), type=Progress)

    @property
    def codes(self):
        """Codes of the incidents, each once, in order."""
        return list(dict.fromkeys(one.code for one in self.summary.incidents))

    @property
    def findings(self):
        """Codes of failed sign-off findings."""
        return [one.code for one in self.summary.sign_off.findings if one.severity != "pass"]

    @property
    def logs(self):
        return self.summary.summary.logs

    def lines(self):
        """Structured lines over all segments."""
        text = "".join(Path(one).read_text() for one in self.summary.summary.metadata.structured_log_paths)
        return [json.loads(line) for line in text.splitlines()]


def words(folder, *switches, seconds=2.0, grace="2", beat="1", child=(), command=None):
    """Return the words of a scaled run: beats of 0.1 s, no evidence files asked for.

    beat  the expected interval; three of them are a silence, long enough for a busy machine unless a test needs less
    """
    return [
        "final-dry-run", "--log-dir", str(folder / "logs"), "--duration-hours", f"{seconds / HOUR:.9f}",
        "--heartbeat-interval-seconds", beat, "--json-report", str(folder / "summary.json"),
        "--progress-path", str(folder / "progress.json"),
        "--no-diary-required", "--no-performance-required", "--shutdown-grace-seconds", grace, *switches, "--",
        *(command or (sys.executable, CHILD, *child)),
    ]  # fmt: skip


def ran(folder, *switches, **more):
    """Run to the end and return what was left."""
    return Ran(folder, call(words(folder, *switches, **more)))
