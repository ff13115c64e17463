"""The catalogue of approved bundles, and whether a document still is what was approved (CA-04)."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from tradeworthy.app.config import Document, InstanceSection
from tradeworthy.app.configuration.instances import name_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.trading.control.drift import ConfigDrift
from tradeworthy.trading.control.guard import HeldReason

JUDGED = ("risk", "allocation", "drawdown_tiers", "execution", "venue")
"""Sections that an approval covers, beside the instance's own."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the bundle may be used: environments and instruments; empty = nowhere."""

    environments: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()


class Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One approved instance: its derived name, the hash of its configuration, and the evidence it rests on.

    required_evidence  names, e.g. `soak-paper`;  evidence  SHA-256 of the report of each name
    """

    name: str
    strategy: str
    version: str
    config_hash: str
    envelope: Envelope = Envelope()
    required_evidence: tuple[str, ...] = ()
    evidence: dict[str, str] = {}


class BundleCatalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The approved bundles."""

    schema: Literal["catalogue@1"]
    bundles: tuple[Bundle, ...] = ()


def load_bundles(path: Path) -> dict[str, Bundle]:
    """Return the bundles by name; raises `UsageError` for a file nobody can read, a wrong form or a name twice."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), BundleCatalogue)
    except OSError as problem:
        raise UsageError(f"cannot read the catalogue {path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise UsageError(f"{path}: {problem}") from None
    bundles = {one.name: one for one in found.bundles}
    if len(bundles) != len(found.bundles):
        raise UsageError(f"{path}: each bundle may stand once")
    return bundles


def instance_hash(document: Document, instance: InstanceSection) -> str:
    """Return the SHA-256 of everything that decides what an instance may do, whether it is enabled or not."""
    plain: dict[str, Any] = msgspec.to_builtins(instance)
    for name in ("enabled", "name"):
        del plain[name]
    sections = {name: msgspec.to_builtins(getattr(document, name)) for name in JUDGED}
    return hashlib.sha256(msgspec.json.encode({"instance": plain, **sections}, order="sorted")).hexdigest()


def drift_of(document: Document) -> tuple[ConfigDrift, ...]:
    """Return one active fact for each instance that is not as approved; nothing where no catalogue is named."""
    if not document.catalogue:
        return ()
    bundles = load_bundles(Path(document.catalogue))
    found = []
    for one in document.instances:
        if one.enabled and one.mode:
            fault = _fault(document, one, bundles.get(name_of(one)))
            if fault is not None:
                found.append(ConfigDrift(one.id, *fault, active=True))
    return tuple(found)


def held_of(drift: ConfigDrift) -> HeldReason:
    """Return the pause that a drift found before the start puts on its instance."""
    reason = drift.guard_reason()
    return HeldReason(reason.owner, reason.code, reason.level, reason.scope, 0, None, reason.evidence)


def _fault(document: Document, one: InstanceSection, bundle: Bundle | None) -> tuple[str, str, str] | None:
    if bundle is None:
        return "catalogue.unapproved", name_of(one), "no bundle"
    observed = instance_hash(document, one)
    if (bundle.config_hash, bundle.strategy, bundle.version) != (observed, one.strategy, one.version):
        return "config.drift", bundle.config_hash, observed
    envelope = bundle.envelope
    if document.desk.environment not in envelope.environments or one.instrument not in envelope.instruments:
        return "catalogue.unapproved", "inside the envelope", f"{document.desk.environment}, {one.instrument}"
    missing = [name for name in bundle.required_evidence if not bundle.evidence.get(name)]
    if missing:
        return "catalogue.evidence", "all required evidence", f"without {', '.join(missing)}"
    return None
