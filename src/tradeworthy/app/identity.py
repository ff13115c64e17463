"""Who decided: the hash of the code and the id of a run (BT-02); no clock and no randomness in either."""

import hashlib
from pathlib import Path

import tradeworthy
from tradeworthy.app.config import Document
from tradeworthy.kernel.ids import digest_of
from tradeworthy.trading.model import TapeManifest


def code_hash() -> str:
    """Return the SHA-256 over the package's source files, names and bytes, in path order."""
    root = Path(tradeworthy.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def run_id(document: Document, code: str, tapes: tuple[TapeManifest, ...]) -> str:
    """Return the id of a run: code, configuration (with its seed) and data."""
    return digest_of("run", code, document.hash(), *(tape.sha256 for tape in tapes))
