"""What embedded ingest takes in and how often: section `runtime.ingest` of the document."""

import math
import re

import msgspec

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
INTERVAL_MIN_S = 60.0
"""A cycle digests every file again, so it does not run more often than each minute (DB-62)."""


class IngestSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recorded feed.

    name              of the source, part of every key: two vendors never overwrite each other
    format            of the tape reader;  instrument  whose rows they are
    path              a file, a folder or a pattern; it may begin with `$TRADEWORTHY_DATA/`
    interval_seconds  length of a bar, for `csv_bars`
    """

    name: str
    format: str
    instrument: str
    path: str = ""
    interval_seconds: int = 0

    @property
    def symbol(self) -> str:
        """Return the instrument's name without its venue."""
        return self.instrument.partition(".")[0].upper()


class IngestPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is taken in.

    sources            recorded feeds; none = this desk takes nothing in
    interval_seconds   between two cycles, below the age at which the health check warns; 0 = one cycle a run
    future_seconds     a row dated so far after now is refused
    rejected_fail_pct  share of rows refused that fails a source, percent; any refused row warns
    """

    sources: tuple[IngestSource, ...] = ()
    interval_seconds: float = 600.0
    future_seconds: float = 1.0
    rejected_fail_pct: float = 1.0

    def __post_init__(self) -> None:
        every = self.interval_seconds
        if not (every == 0 or INTERVAL_MIN_S <= every < math.inf):
            raise ValueError(f"interval_seconds must be 0 (once) or at least {INTERVAL_MIN_S:g}, was {every:g}")
        if not 0 <= self.future_seconds < math.inf:
            raise ValueError(f"future_seconds must be 0 or above, was {self.future_seconds:g}")
        if not 0 < self.rejected_fail_pct <= 100:
            raise ValueError(f"rejected_fail_pct must be above 0 and at most 100, was {self.rejected_fail_pct:g}")
        names = [one.name for one in self.sources]
        bad = sorted({one for one in names if not _NAME.fullmatch(one)})
        if bad:
            raise ValueError(f"a source's name must be letters, digits, dot, dash and underscore, was {bad}")
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise ValueError(f"each source needs a name of its own, found {twice} more than once")
