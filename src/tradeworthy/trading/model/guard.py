"""A wish to change the guard, as monitors and people state it."""

import msgspec

from tradeworthy.trading.model.state import GuardLevel


class GuardReason(msgspec.Struct, frozen=True, gc=False):
    """Set (or clear, `active` False) the reason `owner.code` at `level` in `scope`.

    scope       `desk`, `strategy:X`, `instrument:X`, `venue:X` or `client:X`
    expires_at  nanoseconds UTC, pauses only; None = until its owner clears it
    """

    owner: str
    code: str
    level: GuardLevel
    scope: str = "desk"
    active: bool = True
    expires_at: int | None = None
    evidence: str = ""

    @property
    def name(self) -> str:
        """`owner.code`."""
        return f"{self.owner}.{self.code}"
