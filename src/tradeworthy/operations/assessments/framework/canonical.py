"""Canonical JSON of facts, policies and snapshots: sorted keys, no spaces, decimals as text, no NaN (FW-21)."""

from typing import Any

import msgspec

from tradeworthy.kernel.journal.codec import require_finite

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="sorted")


def canonical(value: Any) -> bytes:
    """Return the one form of `value`; raises `InvalidInput` for a number that is not finite."""
    require_finite(value, "value")
    return _ENCODER.encode(value)


def encoded(value: Any) -> bytes:
    """Return the one form of a value that was found finite before, part by part; NaN would become null here."""
    return _ENCODER.encode(value)
