"""Run a step of the pipeline (`.ci/pipeline.toml`) here as a public host runs it: `tools/pipeline.py STEP...`.

Exit 0 when every command of every step left with 0, else the worst code; 3 for a step that there is not.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTION = Path(".ci") / "pipeline.toml"
BUILD = Path("build")
UNKNOWN_STEP = 3
SIGNALLED = 2
"""The code of a command that a signal ended."""


class Step(NamedTuple):
    """One step: its name, what it is about, and its commands as words with `{bin}`, `{summary}` and `{coverage}`."""

    name: str
    title: str
    run: tuple[str, ...]


def steps(root: Path = ROOT) -> tuple[Step, ...]:
    """Return the steps in their order."""
    told = tomllib.loads((root / DESCRIPTION).read_text())
    return tuple(Step(one["name"], one["title"], tuple(one["run"])) for one in told["step"])


def words_of(command: str, *, root: Path, binaries: Path, summary: Path) -> list[str]:
    """Return a command's words; without a measured coverage its option is left out, so that nobody claims one."""
    covered = coverage_of(root)
    found: list[str] = []
    for word in shlex.split(command):
        if word == "{coverage}" and not covered:
            found.pop()
            continue
        found.append(word.format(bin=binaries, summary=summary, coverage=covered))
    return found


def coverage_of(root: Path) -> str:
    """Return the percent of lines that step `tests` covered, empty where nobody measured it."""
    try:
        return str(float(json.loads((root / BUILD / "coverage.json").read_text())["totals"]["percent_covered"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def run(step: Step, *, root: Path = ROOT, binaries: Path | None = None, summary: Path | None = None) -> int:
    """Run every command of a step in `root`, add the step to the summary, and return the worst code."""
    (root / BUILD).mkdir(parents=True, exist_ok=True)
    place = summary or root / BUILD / "summary.md"
    where = binaries or Path(sys.executable).parent
    environ = {**os.environ, "PYTHONPATH": str(root / "src")}
    codes = []
    for command in step.run:
        done = subprocess.run(words_of(command, root=root, binaries=where, summary=place), cwd=root, env=environ)
        codes.append(done.returncode if done.returncode >= 0 else SIGNALLED)
    worst = max(codes)
    with place.open("a") as file:
        file.write(f"- {'passed' if worst == 0 else f'FAILED with {worst}'}: {step.name}, {step.title}\n")
    return worst


def main(words: list[str]) -> int:
    """Run the named steps, or all of them; each is run, whatever became of those before."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("steps", nargs="*")
    asked.add_argument("--summary", type=Path)
    told = asked.parse_args(words)
    known = {one.name: one for one in steps()}
    strange = [one for one in told.steps if one not in known]
    if strange:
        print(f"expected steps of {', '.join(known)}, found {', '.join(strange)}", file=sys.stderr)
        return UNKNOWN_STEP
    return max(run(known[name], summary=told.summary) for name in told.steps or known)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
