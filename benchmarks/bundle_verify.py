"""Seconds to build and to verify the evidence bundle of a run with a 3 GB log, against `sha256sum` of that log.

`sha256sum` hashes the log once and judges nothing. Building hashes it twice (whole and by 1 MiB chunks) while copying;
the library and the file in the bundle hash it twice and judge everything. Both must say the same or the run is refused.

Run: `PYTHONPATH=src python benchmarks/bundle_verify.py [--json FILE] [--size small] [--folder DISK]`.
"""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

from measure import Report, arguments, folder, seconds

from tradeworthy.cli.main import call
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.evidence.build import build, read_manifest
from tradeworthy.operations.evidence.collect import Inputs
from tradeworthy.operations.evidence.judge import Ask, Verdict
from tradeworthy.operations.evidence.verify import verify
from tradeworthy.operations.evidence.vocabulary import VERIFIER

MEBIBYTE = 1_048_576
LOG_MIB = {"full": 2_861, "small": 4}
"""3 GB is a log of three days at a hundred lines a second."""
LIBRARY_SECONDS, STANDALONE_SECONDS, BUILD_SECONDS = 2.0, 10.0, 60.0


def run_in(place: Path, log_mib: int) -> Path:
    """Play a short virtual run through the whole chain and give it a large raw log."""
    run = place / "run"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        call(["final-dry-run-smoke", "--output-dir", str(run), "--virtual-hours", "0.05"])
    log = next((run / "logs").glob("*.log"))
    block = bytes(range(256)) * (MEBIBYTE // 256)
    with log.open("wb") as file:
        for number in range(log_mib):
            file.write(number.to_bytes(8, "big") + block[8:])
    return log


def main() -> int:
    """Print seconds of building and verifying; 2 when library and shipped file disagree."""
    words = arguments(__doc__ or "", rounds=1)
    report = Report("bundle_verify", words)
    with folder(words.folder) as place:
        mib = LOG_MIB[words.size]
        log = run_in(place, mib)
        places = RunFolder(place / "run")
        size = log.stat().st_size
        report.note(f"{size / 1e9:.2f} GB of log, {words.rounds} rounds in turns")
        took: dict[str, list[float]] = {"build": [], "library": [], "shipped file": [], "sha256sum": []}
        by_library: list[Verdict] = []
        by_file: list[subprocess.CompletedProcess[bytes]] = []
        for _ in range(words.rounds):
            took["build"].append(seconds(lambda: build(places.root, places.bundle, Inputs(), page=places.bundle_page)))
            at = read_manifest(places.bundle)[1]["entries"][0]["collected_at"]
            command = [sys.executable, "-I", str(places.bundle / VERIFIER), str(places.bundle), "--at", at, "--json"]
            took["sha256sum"].append(seconds(lambda: _run(["sha256sum", str(log)])))
            took["library"].append(seconds(lambda at=at: by_library.append(verify(places.bundle, Ask(at)))))
            took["shipped file"].append(seconds(lambda command=command: by_file.append(_run(command))))
        aims = {"build": BUILD_SECONDS, "library": LIBRARY_SECONDS, "shipped file": STANDALONE_SECONDS}
        for name, runs in took.items():
            aim = aims.get(name)
            report.rate(name, size, "B", runs, aim=None if aim is None else size / aim)
        for name in ("build", "library", "shipped file"):
            report.ratio(name, "sha256sum", took[name], took["sha256sum"])
        told = [[one["code"] for one in json.loads(done.stdout)["findings"]] for done in by_file]
        report.note(f"page of {places.bundle_page.stat().st_size / 1e6:.2f} MB; both find {told[0]}")
        report.close()
        return 0 if told == [[one.code for one in verdict.findings] for verdict in by_library] else 2


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
