"""What a desk lets its people do, and how long it takes: section `control.people` of the document."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.trading.control.approvals import ApprovalPolicy


class PeoplePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys, packs, re-arm and break-glass.

    trust             path of the trust file; empty = `trust.json` in the desk's state folder
    trust_sha256      its fingerprint, where people pin it; another file then counts for nobody
    cool_off_seconds  from the last stop, or from SAFE where the kill switch told it, to the earliest re-arm (KS-09)
    glass_*           longest and usual life of a break-glass, and the most orders it may let through (BRK-01)
    """

    trust: str = ""
    trust_sha256: str = ""
    approvals: ApprovalPolicy = ApprovalPolicy()
    cool_off_seconds: int = 900
    glass_ttl_seconds: int = 900
    glass_ttl_seconds_max: int = 86_400
    glass_uses_max: int = 100

    @property
    def cool_off(self) -> int:
        """Return the cool-off in nanoseconds."""
        return self.cool_off_seconds * NANOS_PER_SECOND


USUAL = PeoplePolicy()


def session_end(now: int, rollover_ns: int = 0) -> int:
    """Return when the desk day that holds `now` is over; a boundary belongs to the day it begins."""
    return (now - rollover_ns) // NANOS_PER_DAY * NANOS_PER_DAY + NANOS_PER_DAY + rollover_ns
