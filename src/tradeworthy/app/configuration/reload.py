"""Take over a changed document while the desk runs: keys that decide nothing, all of them or none (CFG-08)."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.changes import ConfigurationChange, changes_between
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity


class Reloadable(NamedTuple):
    """Fields that match, and what they are."""

    field: str
    what: str


RELOADABLE: tuple[Reloadable, ...] = (
    Reloadable(r"^telemetry\.logs\.level$", "which lines are logged"),
    Reloadable(
        r"^telemetry\.(\w+\.)*(replay_(interval_s|batch|wait_s)|bound_bytes|capacity_events|dead_letters)$",
        "bounds of publishing, spool and bus",
    ),
    Reloadable(r"^telemetry\.(\w+\.)*\w+_(warn|fail)$", "limits of the bus assessment"),
    Reloadable(r"^health\.(ingest|decision)_(warn|fail)_seconds$", "ages of data that warn and fail"),
    Reloadable(
        r"^health\.(session_idle_seconds|bus_idle_seconds|fact_stale_seconds|clock_offset_warn_share)$",
        "silences and ages that warn",
    ),
)  # fmt: skip
"""Every key that may change without a start; addresses, secrets, roles and whatever a decision rests on may not."""


@fact("config.reloaded")
class Reloaded(Fact, frozen=True):
    """Another document is in force since here; nothing of it reaches a decision."""

    config_hash: str
    previous_hash: str
    actor: str
    changes: tuple[ConfigurationChange, ...]


@fact("config.reload_refused")
class ReloadRefused(Fact, frozen=True):
    """A document was not taken over, not in part either; the one before stays in force.

    config_hash  of the refused document, empty where it could not be read;  reasons  all of them
    """

    config_hash: str
    previous_hash: str
    actor: str
    reasons: tuple[str, ...]


def reloadable(field: str) -> bool:
    """Tell whether a field may change while the desk runs."""
    return any(re.search(one.field, field) for one in RELOADABLE)


def reload(document: Document, new: Document, *, actor: str) -> Reloaded | ReloadRefused:
    """Judge whether `new` may take the place of `document` now: every changed field must be reloadable."""
    before, after = (redact(msgspec.json.decode(one.canonical())) for one in (document, new))
    changes = changes_between(before, after)
    reasons = tuple(
        f"{one.field}: expected {one.previous} until the next start, found {one.current}"
        for one in changes
        if not reloadable(one.field) or one.severity == Severity.FAIL.name
    )
    if not reasons and not changes and new.hash() != document.hash():
        reasons = ("the documents differ in what is not shown: expected the next start for it",)
    if reasons:
        return ReloadRefused(new.hash(), document.hash(), actor, reasons)
    return Reloaded(new.hash(), document.hash(), actor, changes)


def reload_from(
    document: Document, read: Callable[[], Document], *, actor: str,
    accept: Sequence[Callable[[Document], object]] = (),
) -> tuple[Document, Reloaded | ReloadRefused]:  # fmt: skip
    """Read a document and return the one in force from now on, with the fact to journal.

    read    e.g. `lambda: config.load(path, ...)`; what it refuses leaves the old document
    accept  called with the new document before it counts, e.g. each room's `policy_of`; raise `DeskError` to refuse
    """
    try:
        new = read()
        for one in accept:
            one(new)
    except DeskError as problem:
        return document, ReloadRefused("", document.hash(), actor, (str(redact(str(problem))),))
    found = reload(document, new, actor=actor)
    return (new if isinstance(found, Reloaded) else document), found
