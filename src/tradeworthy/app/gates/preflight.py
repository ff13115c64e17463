"""Preflight: what a release needs before anything runs loads and holds together, not only exists (GR-01)."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tradeworthy.app.bootstrap import risk_policy
from tradeworthy.app.config import check, parse
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.gates.named import GATES
from tradeworthy.trading.control.owners import OWNERS

CONFIGURATION, SCHEMA, RUNBOOK = "configuration", "schema", "runbook"
HEADING = re.compile(r"^# \S")
WORDS_MIN = 10
"""A runbook with fewer words tells nobody what to do."""


def runbooks() -> tuple[str, ...]:
    """Return every runbook that a gate, an assessment or an owner of a guard reason names."""
    named = {one.runbook for gate in GATES.values() for one in gate.requirements}
    named |= {one.runbook for one in registry()} | {one.runbook for one in OWNERS.values()}
    return tuple(sorted(named))


def files_of(configuration: Path, docs: Path) -> dict[str, bytes | None]:
    """Return the bytes of everything that preflight reads, by `kind:name`; None is not there."""
    found = {f"{CONFIGURATION}:{configuration.name}": _bytes(configuration)}
    found |= {f"{SCHEMA}:{one.name}": _bytes(one) for one in sorted((docs / "schemas").glob("*.json"))}
    return found | {f"{RUNBOOK}:{name}": _bytes(docs / name) for name in runbooks()}


def preflight(files: Mapping[str, bytes | None]) -> Report:
    """Return one check a file, by its kind; no file of a kind is a failure of the kind."""
    checks = list(_checks(files))
    kinds = {one.code.partition(".")[2] for one in checks}
    for kind in (CONFIGURATION, SCHEMA, RUNBOOK):
        if kind not in kinds:
            checks.append(Check(f"preflight.{kind}", Severity.FAIL, "none", "at least one", f"no {kind} was found"))
    return Report(name="preflight", title="Preflight", sources=(), checks=tuple(checks))


def _checks(files: Mapping[str, bytes | None]) -> Iterator[Check]:
    for key, data in sorted(files.items()):
        kind, _, name = key.partition(":")
        code = f"preflight.{kind}"
        if data is None:
            yield Check(code, Severity.FAIL, "missing", "a file", name)
            continue
        problem = _RULES[kind](data, name)
        severity = Severity.FAIL if problem else Severity.OK
        yield Check(code, severity, problem or "loads", "loads and holds together", name)


def _configuration(data: bytes, name: str) -> str:
    try:
        plain = json.loads(data) if name.endswith(".json") else tomllib.loads(data.decode())
        document = parse(plain, origin=name)
        check(document)
        risk_policy(document)
    except (DeskError, ValueError) as problem:
        return str(problem)
    return ""


def _schema(data: bytes, name: str) -> str:
    try:
        found = json.loads(data)
    except ValueError as problem:
        return f"expected JSON, found {problem}"
    return "" if isinstance(found, dict) and found else f"{name}: expected a schema, found another document"


def _runbook(data: bytes, name: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as problem:
        return f"expected text, found {problem.reason}"
    if not HEADING.match(text):
        return f"{name}: expected a heading first"
    return "" if len(text.split()) >= WORDS_MIN else f"{name}: expected at least {WORDS_MIN} words"


_RULES: dict[str, Callable[[bytes, str], str]] = {
    CONFIGURATION: _configuration, SCHEMA: _schema, RUNBOOK: _runbook,
}  # fmt: skip


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
