"""The parts of a release as they lie here: code, lock, document, limits, models, schemas, policy, build (GT-13)."""

import importlib.metadata
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

import tradeworthy
from tradeworthy.app import identity
from tradeworthy.app.config import Document
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import address
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.gates.bundle import table_hash
from tradeworthy.operations.gates.ladder import LEVELS, gate_of
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.release_checks import Package
from tradeworthy.operations.gates.releases.manifest import Release, digest_of_files

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
HASHED = "--hash=sha256:"


class Found(NamedTuple):
    """The digests of a release's parts, and of each file of the parts that are files."""

    parts: dict[str, str]
    files: dict[str, str]

    def release(self, author: str, made_at: str) -> Release:
        """Return the manifest of what was found."""
        return Release(
            release=tradeworthy.__version__, author=author, made_at=made_at, parts=self.parts, files=self.files
        )


def found_of(document: Document, *, lock: Path, schemas: Path, build: Path) -> Found:
    """Return the parts of what lies here; `build` is its wheel or the digest file of its image.

    Raises `UsageError` for a file that cannot be read.
    """
    code = code_files()
    files = {f"code:{name}": data for name, data in code.items()}
    files[f"lock:{lock.name}"] = _bytes(lock)
    shapes = {one.name: _bytes(one) for one in sorted(schemas.glob("*"))}
    files |= {f"schemas:{name}": data for name, data in shapes.items()}
    files[f"build:{build.name}"] = _bytes(build)
    hashes = msgspec.to_builtins(identity.hashes_of_document(document, identity.code_hash()))
    tables = {gate.name: table_hash(gate) for gate in (*GATES.values(), *(gate_of(level) for level in LEVELS))}
    parts = {
        "code": hashes["code"], "lock": address(files[f"lock:{lock.name}"]), "configuration": hashes["config"],
        "limits": hashes["limits"], "models": hashes["models"], "schemas": digest_of_files(shapes),
        "policy": address(canonical(tables)), "build": address(files[f"build:{build.name}"]),
    }  # fmt: skip
    return Found(parts, {name: address(data) for name, data in files.items()})


def code_files() -> dict[str, bytes]:
    """Return the package's source files by their path within it."""
    root = Path(tradeworthy.__file__).parent
    return {one.relative_to(root).as_posix(): one.read_bytes() for one in sorted(root.rglob("*.py"))}


def locked_in(text: str) -> dict[str, str]:
    """Return versions by package of a lock file; a package without a hash is not in it."""
    found: dict[str, str] = {}
    name = version = ""
    for line in text.splitlines():
        started = LOCKED.match(line.strip())
        if started is not None:
            name, version = normal(started[1]), started[2]
        if name and HASHED in line:
            found[name] = version
    return found


def packages(locked: Mapping[str, str], names: Iterable[str] | None = None) -> tuple[Package, ...]:
    """Return the installed packages of the lock file, or those that are named, with their locked versions."""
    installed = {normal(one.metadata["Name"]): one.version for one in importlib.metadata.distributions()}
    wanted = locked if names is None else {normal(name): "" for name in names}
    return tuple(
        Package(name=name, version=installed[name], locked=locked.get(name, ""))
        for name in sorted(wanted) if name in installed
    )


def normal(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from None
