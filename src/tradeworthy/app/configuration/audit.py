"""Every change of a desk's configuration, seen at each start and kept in a journal of its own (CFG-05)."""

from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.adapters.configuration_audit_sqlite import AuditRow, put_rows
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.changes import ABSENT, ConfigurationChange, changes_between, first_look
from tradeworthy.app.configuration.secret_references import SecretStore, fingerprints_in, references_of
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.evidence.canonical import stamp_of

TOPIC = "telemetry.runtime.configuration"
SOURCE = "configuration_audit"
AUDIT = "audit"
"""Where a desk's state keeps this journal."""
DATABASE = "configuration_audit.sqlite"


@fact("config.audited")
class ConfigurationAudited(Fact, frozen=True):
    """What a start found changed since the last one of this desk.

    first         there was no earlier one: `changes` holds the fields whose value alone is grave
    actor         who started it;  severity  the worst of the changes, OK where nothing changed
    added, removed, updated  how many fields
    snapshot      the redacted document;  fingerprints  of the secrets that it names, by field
    """

    config_hash: str
    previous_hash: str
    first: bool
    environment: str
    actor: str
    severity: str
    added: int
    removed: int
    updated: int
    changes: tuple[ConfigurationChange, ...]
    snapshot: str
    fingerprints: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to journal."""
        return self.first or bool(self.changes) or self.config_hash != self.previous_hash


class Audited(msgspec.Struct, frozen=True):
    """One entry of the history: its place, its time in nanoseconds UTC, and what was found."""

    seq: int
    at: int
    found: ConfigurationAudited


def audit_configuration(
    document: Document, directory: Path, clock: Clock, actor: str, *, secrets: SecretStore | None = None
) -> ConfigurationAudited:
    """Compare a document with the last one of this desk, keep what changed, and return it.

    directory  of the audit's journal, e.g. `state/<desk>/audit`; the key of the fingerprints lies beside it
    secrets    where the secrets are, to see that one changed behind its name; None leaves them unseen

    Nothing is journaled while nothing changed. Raises `UsageError` without an actor.
    """
    if not actor.strip():
        raise UsageError("an audit of the configuration needs an actor, found none")
    past = history(directory)
    last = past[-1].found if past else None
    known = {} if last is None else last.fingerprints
    if secrets is not None and references_of(document):
        prints = fingerprints_in(directory.parent).of(document, secrets)
    else:
        prints = {field: known[field] for field in references_of(document) if field in known}
    plain = redact(msgspec.json.decode(document.canonical()))
    if last is None:
        changes = first_look(plain)
    else:
        before: dict[str, Any] = msgspec.json.decode(last.snapshot)
        changes = changes_between(before, plain, secrets_before=known, secrets_after=prints)
    found = ConfigurationAudited(
        document.hash(), "" if last is None else last.config_hash, last is None, document.desk.environment,
        str(redact(actor.strip())), worst((Severity.OK, *(Severity[one.severity] for one in changes))).name,
        sum(one.previous == ABSENT for one in changes), sum(one.current == ABSENT for one in changes),
        sum(ABSENT not in (one.previous, one.current) for one in changes), changes,
        msgspec.json.encode(plain, order="sorted").decode(), prints,
    )  # fmt: skip
    if found.changed:
        seq, at = _append(directory, found, clock)
        put_rows(directory / DATABASE, [row_of(one) for one in (*past, Audited(seq, at, found))])
    return found


def history(directory: Path) -> tuple[Audited, ...]:
    """Return what the audit's journal holds, oldest first; a desk without one has none."""
    if not any(directory.glob("journal-*")):
        return ()
    return tuple(
        Audited(event.seq, event.ts_event, event.payload)
        for event in read(directory)
        if isinstance(event.payload, ConfigurationAudited)
    )


def row_of(one: Audited) -> AuditRow:
    """Return an entry as a row of the table."""
    found = one.found
    return AuditRow(
        one.seq, one.at, found.actor, found.environment, found.config_hash, found.previous_hash, found.first,
        found.severity, found.added, found.removed, found.updated, msgspec.json.encode(found.changes).decode(),
    )  # fmt: skip


def told(found: ConfigurationAudited) -> dict[str, Any]:
    """Return what is published on the topic: all but the snapshot and the fingerprints."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return {name: value for name, value in plain.items() if name not in ("snapshot", "fingerprints")}


def audit_markdown(entries: tuple[Audited, ...]) -> str:
    """Return the history as a page: one table an entry."""
    lines = ["# Configuration history", ""]
    for one in entries:
        found = one.found
        mark = "first snapshot, " if found.first else ""
        lines += [
            f"## {stamp_of(one.at)} {found.severity}", "",
            f"{mark}hash {found.config_hash}, by {found.actor}, {found.environment}: "
            f"{found.added} added, {found.removed} removed, {found.updated} updated", "",
        ]  # fmt: skip
        lines += [*changes_table(found.changes), ""] if found.changes else []
    return "\n".join(lines).rstrip("\n") + "\n"


def changes_table(changes: tuple[ConfigurationChange, ...]) -> list[str]:
    """Return changes as the lines of a Markdown table."""
    rows = [
        f"| {_cell(one.field)} | {_cell(one.previous)} | {_cell(one.current)} | {one.severity} | {_cell(one.note)} |"
        for one in changes
    ]
    return ["| field | previous | current | severity | note |", "|---|---|---|---|---|", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _append(directory: Path, found: ConfigurationAudited, clock: Clock) -> tuple[int, int]:
    journal = Journal.open(directory, clock=clock)
    try:
        now = clock.now()
        seq = journal.last_seq + 1
        journal.accept(event_of(found, source=SOURCE, key=seq, ts_event=now, ts_init=now))
        return journal.last_seq, now
    finally:
        journal.close()
