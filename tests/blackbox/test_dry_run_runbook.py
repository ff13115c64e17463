"""The runbook of the final dry run, followed from an empty folder to a signed packet: each command, in its order."""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from desk_process import ALONE, document

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.journal.witness import load_key
from tradeworthy.kernel.report import Check, Report, canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.packet import verify_packet
from tradeworthy.operations.evidence import log as evidence_log
from tradeworthy.operations.evidence.certificate import Context
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.trust import TrustFile, read_trust, trusted_key, write_trust

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "runbooks" / "final_dry_run.md"
RUN = "artifacts/final_dry_run/2026-01-release"
FROM, TO = "2026-01-01T00:00:00Z", "2040-01-01T00:00:00Z"
LATER = nanos_of_stamp("2038-01-01T00:00:00Z")
SMALL = {
    "--duration-hours 73": "--duration-hours 0.02", "--required-duration-hours 72": "--required-duration-hours 0.0001",
    "--virtual-hours 72": "--virtual-hours 0.2", "--minimum-uptime-ratio 0.995": "--minimum-uptime-ratio 0",
    "--log-rotate-hours 6": "--log-rotate-hours 6 --stderr-plain-severity warn --heartbeat-interval-seconds 0.5",
    "artifacts/smoke ": "artifacts/smoke --virtual-hours 0.05 ", "…": "--skip-diary-evidence --duration-hours 0.0005",
    "-- COMMAND": f"--skip-performance-evidence -- {shlex.quote(sys.executable)} -c pass", "MY.key": "KEYS/rafael.key",
    "-- tradeworthy": f"-- {shlex.quote(sys.executable)} -m tradeworthy", "RUN_FOLDER": RUN, "DESK ": "small ",
}  # fmt: skip
"""What the page says of three days and of a machine, said of seconds and of this one."""
EXPECTED = (
    ("final-dry-run-smoke", {0}), ("final-dry-run-smoke", {0}), ("evidence key KEYS/builder", {0}),
    ("evidence trust add", {0}), ("evidence key KEYS/rafael", {0}),
    ("final-dry-run-orchestrator", {0, 1, 2}), ("waiver issue", {0}), ("final-dry-run-orchestrator", {0, 1, 2}),
    ("release manifest", {0}), ("final-dry-run-watch", {0, 1, 2}), ("final-dry-run-audit", {0, 1, 2}),
    ("final-dry-run-wrap-up", {0, 1, 2}), ("evidence sign", {0}), ("evidence sign", {0}), ("evidence verify", {0}),
    ("verify_bundle.py", {0}), ("evidence log append", {0}), ("evidence log prove", {0}), ("evidence log anchor", {0}),
    ("evidence log verify", {0}), ("evidence trust revoke", {0}), ("evidence seal", {0}), ("release judge", {2}),
    ("certificate show", {2}), ("certificate watch", {130}), ("evidence retain", {1}), ("evidence retain", {1}),
    ("approve", {1}), ("evidence retain", {0}),
)  # fmt: skip
"""Each command of the page by its first words, and the codes it may leave with: a minute makes no release."""


def commands():
    """Return the lines of the page's fences that are commands, joined where they go on."""
    text = PAGE.read_text()
    fences = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.M | re.S)).replace("\\\n", " ")
    return [line for line in fences.splitlines() if line.startswith(("tradeworthy ", "python ", "make "))]


class Interrupted(SystemClock):
    """A clock at which somebody presses Ctrl-C in the third wait: a signal may be ignored where tests are run."""

    def __init__(self):
        self._waits = 0

    def sleep(self, nanos):
        self._waits += 1
        if self._waits == 3:
            raise KeyboardInterrupt


class Follower:
    """A folder in which the page is followed."""

    def __init__(self, place, monkeypatch):
        self.place, self._monkeypatch = place, monkeypatch
        monkeypatch.chdir(place)
        for name, value in {**ALONE, "PYTHONPATH": str(ROOT / "src")}.items():
            monkeypatch.setenv(name, value)
        for name in ("config", "requirements", "docs/schemas", "STORE/items"):
            (place / name).mkdir(parents=True)
        document(place, rows=600).rename(place / "config" / "paper.toml")
        (place / "requirements" / "run.txt").write_text("msgspec==1\n")
        (place / "docs" / "schemas" / "a.json").write_text("{}")
        (place / "desk.whl").write_bytes(b"wheel")
        context = Context(release="2026-01", tier="pilot", environment="paper", hashes={})
        (place / "STORE" / "context.json").write_bytes(msgspec.json.encode(context))
        self.report = canonical(Report(
            name="drill", title="Drill", sources=(), checks=(Check("drill.up", Severity.OK, "0", "0"),)
        ))  # fmt: skip
        (place / "REPORT.json").write_bytes(self.report)

    def people(self):
        """Make what the page says that each person does alone, for the two others and the log."""
        for holder, role in (("sofia", "strategy_owner"), ("olga", "operations"), ("log", "log"), ("rafael", "risk")):
            assert holder == "rafael" or call(["evidence", "key", f"KEYS/{holder}.key"]) == 0
            words = ["--key", f"KEYS/{holder}.key.pub", "--holder", holder, "--role", role, "--valid-from", FROM]
            assert call(["evidence", "trust", "add", "TRUST.json", *words, "--valid-to", TO]) == 0

    def years_later(self):
        """Let seven years pass, with people of the desk whose keys still count."""
        clock = EventClock(LATER)
        for verb in ("evidence_retain", "approve"):
            self._monkeypatch.setattr(f"tradeworthy.cli.{verb}.SystemClock", lambda: clock)
        trust = TrustFile(keys=tuple(
            trusted_key(load_key(Path(f"KEYS/{holder}.key")).public_key().public_bytes_raw(), holder=holder,
                        roles=(role,), valid_from=FROM, valid_to=TO)
            for holder, role in (("rafael", "risk"), ("olga", "operations"))
        ))  # fmt: skip
        write_trust(Path("runs/state/small/trust.json"), trust)

    def run(self, line):
        """Run one command of the page; return its code."""
        for said, meant in SMALL.items():
            line = line.replace(said, meant)
        line = line.replace("2026-01-31T00:00:00Z", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        if "SIZE:ROOT" in line:
            head = evidence_log.head_of(Path("LOG"))
            line = line.replace("SIZE:ROOT", f"{head.size}:{head.root}")
        if "KEY_ID" in line:
            public = load_key(Path("KEYS/sofia.key")).public_key().public_bytes_raw()
            line = line.replace("KEY_ID", key_id_of(public))
        words = []
        for word in shlex.split(line, comments=True)[1:]:
            words += sorted(map(str, Path().glob(word))) if "*" in word else [word]
        if line.startswith("python "):
            return subprocess.run([sys.executable, *words], check=False).returncode
        if "watch" in words:
            self._monkeypatch.setattr("tradeworthy.cli.certificate.SystemClock", Interrupted)
        try:
            return call(words)
        except SystemExit as left:
            return left.code


@pytest.mark.skipif(sys.platform != "linux", reason="the harness's child is watched by /proc")
def test_each_command_of_the_page_does_what_it_says(tmp_path, monkeypatch):
    follower = Follower(tmp_path, monkeypatch)
    lines = [line for line in commands() if not line.startswith("make ")]
    assert len(lines) == len(EXPECTED)
    for line, (begins, codes) in zip(lines, EXPECTED, strict=True):
        assert begins.replace("KEYS/rafael", "MY") in line
        if line.startswith("tradeworthy evidence retain") and "--" in line and not Path("pack.json").exists():
            follower.years_later()
        if begins.startswith("approve"):
            assert call(["approve", "pack.json", "--key", "KEYS/olga.key"]) == 1
            codes = {0}
        code = follower.run(line)
        assert code in codes, (line, code)
        if begins.startswith("evidence key KEYS/rafael"):
            follower.people()
        if begins == "release judge":
            assert verify_packet(Path(RUN) / "packet") == ()
    assert read_trust(Path("TRUST.json")).keys
    assert not (Path(RUN) / "bundle").exists()


def test_the_target_that_the_page_names_is_there():
    assert "make dry-run-smoke" in PAGE.read_text()
    assert re.search(r"^dry-run-smoke:", (ROOT / "Makefile").read_text(), re.M)
