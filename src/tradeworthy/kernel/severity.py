"""The one severity ladder: `OK < WARN < UNKNOWN < FAIL`."""

from collections.abc import Iterable
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; no data is UNKNOWN, and a gate treats UNKNOWN as a failure."""

    OK = 0
    WARN = 1
    UNKNOWN = 2
    FAIL = 3


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst of `severities`; nothing judged is UNKNOWN, never OK."""
    return max(severities, default=Severity.UNKNOWN)
