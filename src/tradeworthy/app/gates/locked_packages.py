"""The packages of a build: what the lock file pins with a hash, against what is installed (AS-56)."""

import importlib.metadata
import re
from collections.abc import Iterable, Mapping

from tradeworthy.operations.gates.release_checks import Package

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
HASHED = "--hash=sha256:"


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
