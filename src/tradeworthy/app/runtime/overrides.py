"""Restart settings from the environment: the only keys that fall back to a default when unreadable (APP-11)."""

import math
from collections.abc import Mapping

import msgspec

from tradeworthy.app.runtime.facts import OverrideIgnored
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import TaskPolicy

PREFIX = "RUNTIME_"
UNLIMITED = frozenset({"none", "null", "unlimited"})
NO_TIMEOUT = frozenset({"", "none", "null", "disabled", "off"})
MAX_RESTARTS, BACKOFF, HANG = "_MAX_RESTARTS", "_RESTART_BACKOFF_SECONDS", "_HANG_TIMEOUT_SECONDS"


def overridden(
    component: str, policy: TaskPolicy, environ: Mapping[str, str]
) -> tuple[TaskPolicy, tuple[OverrideIgnored, ...]]:
    """Return the policy as the environment wants it, and what of the environment could not be used.

    component  a workload's name, e.g. `trading_loop` for `RUNTIME_TRADING_LOOP_MAX_RESTARTS`
    """
    stem = f"{PREFIX}{component.upper()}"
    changes: dict[str, float | int | None] = {}
    ignored: list[OverrideIgnored] = []

    def read(suffix: str, field: str, absent: frozenset[str], whole: bool) -> None:
        text = environ.get(stem + suffix)
        if text is None:
            return
        word = text.strip().lower()
        if word in absent:
            changes[field] = None
            return
        value = _number(word, whole)
        if value is None:
            shown = "none" if getattr(policy, field) is None else str(getattr(policy, field))
            ignored.append(OverrideIgnored(stem + suffix, str(redact(text)), shown))
        else:
            changes[field] = value

    read(MAX_RESTARTS, "max_restarts", UNLIMITED, whole=True)
    read(BACKOFF, "backoff_base_s", frozenset(), whole=False)
    read(HANG, "hang_timeout_s", NO_TIMEOUT, whole=False)
    if not changes:
        return policy, tuple(ignored)
    if "backoff_base_s" in changes:
        changes["backoff_cap_s"] = max(policy.backoff_cap_s, changes["backoff_base_s"] or 0.0)
    return msgspec.structs.replace(policy, **changes), tuple(ignored)


def _number(word: str, whole: bool) -> float | int | None:
    """Return a finite number of 0 or more; None for anything else."""
    try:
        value = int(word) if whole else float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
