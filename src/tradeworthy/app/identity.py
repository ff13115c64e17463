"""Who decided: the hashes of document, code, limits and models, and the id of a run (BT-02, CFG-04).

No clock and no randomness in any of them.
"""

import getpass
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

import tradeworthy
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.changes import LIMIT_SECTIONS
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.ids import digest_of
from tradeworthy.operations.dry_run.model import Hashes
from tradeworthy.trading.model import TapeManifest

COMMIT = re.compile("[0-9a-f]{40,64}")


@fact("config.identified")
class ConfigurationIdentified(Fact, frozen=True):
    """What a start stands for: digests of the code, the whole document, the limits, and strategies with policies."""

    code: str
    config: str
    limits: str
    models: str
    environment: str


def code_hash(package: Path | None = None) -> str:
    """Return the SHA-256 over a package's source files, names and bytes, in path order; by default of this one."""
    root = package or Path(tradeworthy.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def run_id(document: Document, code: str, tapes: tuple[TapeManifest, ...]) -> str:
    """Return the id of a run: code, configuration (with its seed) and data."""
    return digest_of("run", code, document.hash(), *(tape.sha256 for tape in tapes))


def hashes_of_document(document: Document, code: str) -> Hashes:
    """Return the digests that a release names: code, whole configuration, limits, and the strategies with policies."""
    limits = {name: getattr(document, name) for name in LIMIT_SECTIONS}
    models = [(one.id, one.strategy, one.version, one.policy) for one in document.instances]
    return Hashes(code=code, config=document.hash(), limits=_digest(limits), models=_digest(models))


def identified(document: Document, code: str) -> ConfigurationIdentified:
    """Return the fact that each start journals; `code` is what `code_hash` returned."""
    found = hashes_of_document(document, code)
    return ConfigurationIdentified(
        code, str(found.config), str(found.limits), str(found.models), document.desk.environment
    )


def account_here() -> str:
    """Return the account that this process runs as; a number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def commit_at(folder: Path) -> str | None:
    """Return the commit that a working tree at or above `folder` stands at, None where there is none to read."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        try:
            if git.is_file():
                git = (place / git.read_text().removeprefix("gitdir:").strip()).resolve()
            head = (git / "HEAD").read_text().strip()
            if not head.startswith("ref:"):
                return head if COMMIT.fullmatch(head) else None
            name = head.removeprefix("ref:").strip()
            loose = git / name
            if loose.is_file():
                return loose.read_text().strip()
            packed = (line.split() for line in (git / "packed-refs").read_text().splitlines())
            return next((words[0] for words in packed if len(words) == 2 and words[1] == name), None)
        except OSError:
            continue
    return None


def differences(nodes: Mapping[str, Hashes]) -> tuple[str, ...]:
    """Return each digest that is not known and equal everywhere; a gate says no, and evidence is void, where one is.

    nodes  by name: hosts of one desk, or a piece of evidence beside the desk that wants to rest on it
    """
    found = []
    for name in Hashes.__struct_fields__:
        values = {node: getattr(hashes, name) for node, hashes in sorted(nodes.items())}
        if None in values.values() or len(set(values.values())) > 1:
            told = ", ".join(f"{node} {value[:12] if value else 'unknown'}" for node, value in values.items())
            found.append(f"{name}: expected one digest everywhere, found {told}")
    return tuple(found)


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
