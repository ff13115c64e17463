"""What earlier watchdogs saw and did, told once to the journal of the next start (KS-02: it is back-filled)."""

from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.supervision.incident import Incident, read_incidents

TOLD = "incidents_told.json"


def told_anew(folder: Path) -> tuple[Incident, ...]:
    """Return the accounts that no journal holds yet, and note that they are told; `InvalidInput` for one torn."""
    try:
        told = {tuple(one) for one in msgspec.json.decode((folder / TOLD).read_bytes(), type=list[tuple[int, int]])}
    except FileNotFoundError:
        told = set()
    try:
        found = read_incidents(folder)
    except msgspec.MsgspecError as problem:
        raise InvalidInput(f"expected the incidents of a watchdog in {folder}, found {problem}") from None
    fresh = tuple(one for one in found if (one.token, one.number) not in told)
    if fresh:
        known = sorted({*told, *((one.token, one.number) for one in fresh)})
        write_durably(folder / TOLD, msgspec.json.encode(known))
    return fresh
