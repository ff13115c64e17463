"""The runbooks and schemas that belong to this release, wherever it is installed, and the runbooks' hash (IN-11)."""

import hashlib
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
"""A link to the repository's pages; a wheel holds the pages themselves there."""
FOLDER = DOCS / "runbooks"


def runbooks_hash(folder: Path = FOLDER) -> str:
    """Return the SHA-256 over names and bytes of all pages, in hex; empty where no page lies beside the program."""
    pages = sorted(folder.glob("*.md"))
    if not pages:
        return ""
    digest = hashlib.sha256()
    for page in pages:
        data = page.read_bytes()
        digest.update(f"{page.name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()
