"""How one KPI is held against one limit: a missing value is UNKNOWN, never a pass and never zero."""

from math import isfinite

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity

Number = float | int | None


def at_least(code: str, observed: Number, floor: float, text: str = "") -> Check:
    """Fail below the floor; equality passes."""
    return _check(code, observed, f"at least {floor:g}", observed is not None and observed >= floor, text)


def at_most(code: str, observed: Number, cap: float, text: str = "") -> Check:
    """Fail above the cap; equality passes."""
    return _check(code, observed, f"at most {cap:g}", observed is not None and observed <= cap, text)


def below(code: str, observed: Number, limit: float, text: str = "") -> Check:
    """Fail where the limit is reached."""
    return _check(code, observed, f"below {limit:g}", observed is not None and observed < limit, text)


def above(code: str, observed: Number, limit: float, text: str = "") -> Check:
    """Fail at the limit and under it."""
    return _check(code, observed, f"above {limit:g}", observed is not None and observed > limit, text)


def _check(code: str, observed: Number, limit: str, kept: bool, text: str) -> Check:
    if observed is None or not isfinite(observed):
        return Check(code, Severity.UNKNOWN, "unknown", limit, text or "no value to judge")
    return Check(code, Severity.OK if kept else Severity.FAIL, f"{observed:.6g}", limit, text)
