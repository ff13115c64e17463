"""The four environments: one small file each, laid over a document; they differ in clock, feed and venue only (CFG-02).

`--environment NAME` lays `environments/NAME.toml` from beside the document over it, else the shipped file of that name.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from tradeworthy.kernel.errors import UsageError

FOLDER = "environments"
CLOCK = ("desk.environment",)
"""The name decides the clock: event time in backtest and replay, the system's in paper and live."""
FEED = ("desk.speed", "desk.start", "desk.end", "tapes")
VENUE = ("venue", "accounts")
MAY_DIFFER = (*CLOCK, *FEED, *VENUE)
"""Keys and sections that an environment may set; every other key is the document's."""


class Meaning(NamedTuple):
    """What an environment is made of, and what a run in it proves."""

    clock: str
    feed: str
    venue: str
    proves: str


ENVIRONMENTS: Mapping[str, Meaning] = {
    "backtest": Meaning("event time", "catalog", "simulated", "the idea"),
    "replay": Meaning("event time", "the journal", "recorded reports; commands are compared, not sent", "same input, "
                      "same outcome digest"),
    "paper": Meaning("system", "live, or recorded at a chosen speed", "simulated, holds no credentials", "the desk"),
    "live": Meaning("system", "live", "FIX or ccxt", "the venue"),
}  # fmt: skip


def layer(name: str, folder: Path) -> dict[str, Any]:
    """Return the layer of an environment as plain data; `folder` is that of the document.

    Raises `UsageError` for an unknown name, a file nobody can read, or a key that an environment may not set.
    """
    if name not in ENVIRONMENTS:
        raise UsageError(f"--environment: expected one of {', '.join(ENVIRONMENTS)}, found {name!r}")
    own = folder / FOLDER / f"{name}.toml"
    try:
        text = own.read_text() if own.is_file() else (files(__name__) / f"{name}.toml").read_text()
        found = tomllib.loads(text)
    except OSError as problem:
        raise UsageError(f"cannot read the environment {own}: {problem.strerror}") from None
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"{own}: {problem}") from None
    wrong = [key for key in keys_of(found) if not may_differ(key)]
    if wrong:
        raise UsageError(
            f"environment {name}: expected clock, feed and venue only ({', '.join(MAY_DIFFER)}), "
            f"found {', '.join(wrong)}: put it into the document"
        )
    told = found.get("desk", {}).get("environment")
    if told != name:
        raise UsageError(f"environment {name}: expected desk.environment = {name!r}, found {told!r}")
    return found


def layered(raw: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one document over another: tables key by key, any other value whole."""
    found = dict(raw)
    for key, value in above.items():
        below = found.get(key)
        found[key] = layered(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return found


def may_differ(key: str) -> bool:
    """Tell whether an environment may set this key, written `section.key`."""
    return any(key == one or key.startswith(f"{one}.") for one in MAY_DIFFER)


def keys_of(raw: Mapping[str, Any], place: str = "") -> list[str]:
    """Return the keys of plain data as `section.key`, tables opened, in their order."""
    found = []
    for key, value in raw.items():
        at = f"{place}.{key}" if place else key
        found += keys_of(value, at) if isinstance(value, Mapping) and value else [at]
    return found
