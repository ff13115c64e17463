"""What every start does about its configuration, before a run's journal is opened (APP-04, CFG-04, CFG-05, CFG-07)."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.audit import AUDIT, ConfigurationAudited, audit_configuration
from tradeworthy.app.configuration.change_control import CHANGES, needs_approval, require_approved
from tradeworthy.app.configuration.secret_references import fingerprints_in, references_of, store_of
from tradeworthy.app.identity import ConfigurationIdentified, identified
from tradeworthy.kernel.clock import Clock

ACTOR_VARIABLE = "TRADEWORTHY_ACTOR"


class ConfigurationStart(NamedTuple):
    """What the run's journal is told at its begin; the audit's snapshot stays in the audit's own journal."""

    identified: ConfigurationIdentified
    audited: ConfigurationAudited


def start_configuration(
    document: Document, *, state: Path, clock: Clock, actor: str, code: str, environ: Mapping[str, str]
) -> ConfigurationStart:
    """Refuse a live document that is not approved, else audit it; return the two facts to journal.

    state    the desk's folder of what outlives a run, e.g. `state_of(root, document.desk.name)`
    actor    who starts it, e.g. `actor_of(os.environ)`;  code  what `identity.code_hash` returned
    environ  where secrets that are no files stand

    Raises `ConfigurationRefused`; what did not start is no change of the configuration and is not audited.
    """
    store = store_of(environ)
    if needs_approval(document):
        prints = fingerprints_in(state).of(document, store) if references_of(document) else {}
        require_approved(document, state / CHANGES, fingerprints=prints)
    audited = audit_configuration(document, state / AUDIT, clock, actor, secrets=store)
    told = msgspec.structs.replace(audited, snapshot="", fingerprints={})
    return ConfigurationStart(identified(document, code), told)


def actor_of(environ: Mapping[str, str]) -> str:
    """Return who starts a process: `TRADEWORTHY_ACTOR` where a scheduler names a person, else the system's user."""
    told = environ.get(ACTOR_VARIABLE, "").strip()
    if told:
        return told
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a user without a name"
