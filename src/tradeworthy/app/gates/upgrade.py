"""Look at a candidate release in a process of its own: modules, ports and facts, the document, a run (AS-136)."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.rollback import ENVIRONMENT, code_of, look, own_source
from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import RetryLater, UsageError
from tradeworthy.kernel.report import Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.upgrade import Candidate, Shape, preflight_report

ROLLBACK = "rollback_rehearsed"
LOOK_S, CONTRACTS_S, RUN_S = 120.0, 580.0, 300.0
"""How long each look may take."""
CONTRACTS = Path("tests/contracts")
SHAPE = """
import importlib, inspect, json, pkgutil, sys
import msgspec
import tradeworthy
unimported, ports, facts, modules = {}, {}, {}, ["tradeworthy"]
modules += [one.name for one in pkgutil.walk_packages(tradeworthy.__path__, "tradeworthy.", onerror=lambda name: None)]
modules = [name for name in modules if not name.endswith("__main__")]
MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
def parts(function):
    return [
        {"name": one.name, "needed": one.default is inspect.Parameter.empty and one.kind not in MANY}
        for one in inspect.signature(function).parameters.values() if one.name != "self"
    ]
for name in modules:
    try:
        module = importlib.import_module(name)
    except BaseException as problem:
        unimported[name] = f"{type(problem).__name__}: {problem}"
        continue
    for found in vars(module).values():
        if not inspect.isclass(found) or found.__module__ != name:
            continue
        if getattr(found, "_is_protocol", False):
            for method, function in vars(found).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    ports.setdefault(f"{found.__name__}.{method}", parts(function))
        elif issubclass(found, msgspec.Struct) and isinstance(vars(found).get("kind"), str):
            facts[found.kind] = [
                {"name": one.encode_name, "needed": one.required} for one in msgspec.structs.fields(found)
            ]
rendered = refused = ""
if sys.argv[1]:
    try:
        from pathlib import Path
        from tradeworthy.app import config
        from tradeworthy.app.bootstrap import policies_of
        document = config.load(Path(sys.argv[1]))
        policies_of(document)
        rendered = document.hash()
    except Exception as problem:
        refused = f"{type(problem).__name__}: {problem}"
print("\\n" + json.dumps({
    "release": tradeworthy.__version__, "modules": len(modules), "unimported": unimported, "ports": ports,
    "facts": facts, "rendered": rendered, "refused": refused,
}))
"""


def preflight_candidate(gates: Gates, source: Path, configuration: Path, *, run: Path | None = None) -> Report:
    """Return what stands against the candidate in a source tree: beside the running release, over its document.

    source  the folder that holds the candidate's package;  run  a run of this desk, whose journal it must carry on
    """
    running = shape_of(own_source(), configuration)
    return preflight_report(running, Candidate(
        shape=shape_of(source, configuration), contracts=contracts_of(source),
        migrated=None if run is None else migrated(source, run), rehearsed=rehearsed(gates),
    ))  # fmt: skip


def shape_of(source: Path, configuration: Path | None = None) -> Shape:
    """Return what the release in a source tree shows of itself; raises `UsageError` where it shows nothing."""
    code_of(source)  # without a package there the interpreter would find the running one
    given = "" if configuration is None else str(configuration.resolve())
    done = _asked(source, ["-c", SHAPE, given], source, LOOK_S)
    if done.returncode:
        raise UsageError(f"{source}: expected a release, found {_last(done.stderr)}")
    try:
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Shape)
    except (IndexError, msgspec.MsgspecError) as fault:
        raise UsageError(f"{source}: expected what it shows, found {fault}") from None


def contracts_of(source: Path) -> str | None:
    """Return why a candidate's own contract suites do not pass, empty where they do; None where it brings none."""
    for root in (source, source.parent):
        if (root / CONTRACTS).is_dir():
            words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not proof", str(CONTRACTS)]
            done = _asked(source, words, root, CONTRACTS_S)
            return "" if done.returncode == 0 else f"its contract suites: {_last(done.stdout)}"
    return None


def migrated(source: Path, run: Path) -> str:
    """Return why the candidate does not carry a run on as the running release does, empty where it does."""
    try:
        now, then = (look(one, run, timeout_s=RUN_S) for one in (own_source(), source))
    except RetryLater as problem:
        return str(problem)
    differs = [name for name in ("state", "orders", "config") if getattr(now, name) != getattr(then, name)]
    return f"another {' and '.join(differs)} out of the same journal" if differs else ""


def rehearsed(gates: Gates) -> bool:
    """Tell whether a rollback was rehearsed well, less than a day ago."""
    now = gates.now()
    newest = gates.newest(now).get(ROLLBACK)
    return newest is not None and newest.status is Severity.OK and now - newest.stamp < NANOS_PER_DAY


def _asked(source: Path, words: list[str], cwd: Path, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if name in ENVIRONMENT}
    environ |= {"PYTHONPATH": str(source.resolve()), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            [sys.executable, *words], env=environ, cwd=cwd, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{source}: expected an answer within {timeout_s:.0f} s, found none") from None
    except OSError as problem:
        raise UsageError(f"{source}: expected a source tree, found {problem.strerror or problem}") from None


def _last(told: bytes) -> str:
    return (told.decode(errors="replace").strip().splitlines() or ["nothing said"])[-1]
