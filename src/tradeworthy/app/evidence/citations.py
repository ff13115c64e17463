"""Which files living evidence cites: what a bundle, a store, a gate or a drill rests on stays (LOG-02)."""

from collections.abc import Sequence
from pathlib import Path

from tradeworthy.kernel.journal.retention import cited_by, digest_of_file

EVIDENCE, GATES, DRILLS = "evidence", "gates", "drills"
"""Folders of evidence that a desk's runs and state may have beside them."""


class Citations:
    """Tell whether a file is cited by its digest: asked before a log is rotated away, on the thread that writes logs.

    folders  bundles and stores; one that is not there cites nothing. What lies there lives: what has ended its days is
             deleted by people, and cites nothing any more.

    Raises `OSError` or `msgspec.MsgspecError` for a folder that cannot be read; whoever asks keeps the file then.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def __call__(self, path: Path) -> bool:
        """Return whether any document below the folders names the file's SHA-256."""
        digest = digest_of_file(path)
        return any(digest in cited_by(one) for one in self._folders if one.is_dir())


def citations_of(root: Path, state: Path, more: Sequence[str] = ()) -> Citations:
    """Return the register of a desk: evidence and gates beside its runs, its drills, and `more` folders."""
    return Citations((root / EVIDENCE, root / GATES, state / DRILLS, *(Path(one) for one in more)))
