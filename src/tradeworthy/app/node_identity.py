"""Who a node runs as: written at each start of a process, read by whoever compares the nodes of a desk (CFG-04)."""

from pathlib import Path

import msgspec

from tradeworthy.app.identity import ConfigurationIdentified
from tradeworthy.app.runtime.life import lives_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import write_durably

IDENTITY = "identity.json"
"""Beside the journal of a life, and newest in the desk's state: the digests as the journal has them."""
PARTS = ("code", "config", "limits", "models")


def write_identity(found: ConfigurationIdentified, *folders: Path) -> None:
    """Write the digests of this start, whole or not at all, into each folder."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / IDENTITY, msgspec.json.encode(found, order="sorted"))


def identity_of_node(place: Path) -> dict[str, str]:
    """Return a node's digests by name (code, config, limits, models).

    place  its folder of state, the folder of one life, or an `identity.json` that was copied from there

    A journal goes before a file: what is written beside it can be changed, what is in it cannot. Raises `UsageError`
    where neither is there.
    """
    for life in (place, *reversed(lives_of(place))):
        if not (life / "journal").is_dir():
            continue
        for event in read(life / "journal"):
            if isinstance(event.payload, ConfigurationIdentified):
                return _parts(event.payload)
    path = place / IDENTITY if place.is_dir() else place
    try:
        return _parts(msgspec.json.decode(path.read_bytes(), type=ConfigurationIdentified))
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected the identity of a node in {place}, found {problem}") from None


def _parts(found: ConfigurationIdentified) -> dict[str, str]:
    return {name: str(getattr(found, name)) for name in PARTS}
