"""`tradeworthy exposure RUN`: what the instances of a run held, and when they leaned the same way."""

from pathlib import Path

from tradeworthy.app.research.exposure import check_overlap
from tradeworthy.cli.regression import present


def exposure(run: Path, /, *, out: Path | None = None) -> int:
    """Report signed exposures and the intervals of overlap; exit 2 blocks a second live instance above the cap.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `overlap.json` goes; the run folder if absent.
    """
    return present(check_overlap(run), out or run)
