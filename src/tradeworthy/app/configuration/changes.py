"""What one document changes against another, field by field, and how grave each change is (CFG-05, CFG-06)."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple

import msgspec

from tradeworthy.app.configuration import assessment_changes
from tradeworthy.app.configuration.sections import SECTIONS
from tradeworthy.kernel.redaction import REDACTED, is_reference, names_secret
from tradeworthy.kernel.severity import Severity

LIMIT_SECTIONS = ("risk", "allocation", "drawdown_tiers")
"""Sections of the configuration that limit what a desk may do."""
LOWER_IS_TIGHTER = frozenset({
    "max_order_value", "messages_per_second", "messages_per_minute", "working_orders_instance", "working_orders_desk",
    "max_position", "gross_leverage", "net_exposure", "per_trade", "open_risk", "capital_limit", "daily_loss_pause",
    "daily_loss_page", "daily_loss_stop", "instance_loss_pause", "instance_loss_stop", "drawdown_instance",
    "drawdown_reduce", "drawdown_stop", "stop_distance_max", "repeated_executions", "cap", "capital", "sector_gross",
    "sector_unmapped", "currency_net", "asset_net", "asset_net_value", "positions_instance", "positions_desk",
    "throttle_directional", "throttle_quoting", "throttle_notional", "throttle_multiplier", "runaway_orders",
    "runaway_rejects", "runaway_multiple", "anomaly_warn", "anomaly_stop", "funding_warn", "funding_warn_periods",
    "funding_reduce", "reference_age", "equity_age", "equity", "crypto", "fx", "sector_budgets", "venue_messages",
    "maker", "directional", "edges", "factors",
})  # fmt: skip
"""Numbers whose fall narrows risk."""
HIGHER_IS_TIGHTER = frozenset({
    "stop_distance_min", "margin_reduce", "margin_page", "margin_stop", "throttle_window", "throttle_spacing",
    "throttle_cooldown", "event_before", "event_after", "duplicate_window", "reserve",
})  # fmt: skip
"""Numbers whose rise narrows risk; a limit in neither set counts as loosened whatever happens to it (fail closed)."""
RESTRICTIONS = ("risk.restricted.entries[", "risk.no_trade[", "risk.events[", "risk.capital_groups[")
"""Lists that forbid: an entry more narrows, any other change of them widens."""
LIVE_MODE = r"^live_(?!notrade)"
_INDEX = re.compile(r"\[.*\]$")
ABSENT = "absent"


class ConfigurationChange(msgspec.Struct, frozen=True):
    """One field that differs: both values as JSON or `absent`, never a secret; severity by CFG-06."""

    field: str
    previous: str
    current: str
    severity: str
    note: str


class Rule(NamedTuple):
    """A change of fields that `field` matches; `becomes` narrows it to those whose new value matches."""

    field: str
    becomes: str
    severity: Severity
    note: str


RULES: tuple[Rule, ...] = (
    Rule(r"(^|\.)environment$", r"^live$", Severity.FAIL, "the environment becomes live"),
    Rule(r"\.mode$", LIVE_MODE, Severity.FAIL, "an instance begins to trade with real money"),
    Rule(r"(^|[._])confirm_live$", "", Severity.FAIL, "the confirmation of live trading"),
    Rule(r"(^|[._])tier$", r"^(tier_)?2$", Severity.FAIL, "tier 2"),
    Rule(r"(^|[._])tier$", r"^(tier_)?1$", Severity.WARN, "tier 1"),
    Rule(r"(^|[._])deployment$", r"^production$", Severity.WARN, "production"),
    Rule(r"backbone", r"service", Severity.WARN, "the backbone becomes a service"),
    Rule(r"(^|[._\[])fix([._\]]|$)", "", Severity.WARN, "a FIX session"),
    Rule(r"^venue\.connection$|(^|\.)protocol$", r"(?i)fix", Severity.WARN, "a FIX session"),
    Rule(r"^venue\.connection$|^accounts\[|broker|kafka", "", Severity.WARN, "a broker or venue connection"),
    Rule(r"cache|redis", "", Severity.WARN, "a cache"),
    Rule(r"(^|[._])(store|database|postgres|timescale|duckdb|sqlite)", "", Severity.WARN, "a store"),
    Rule(
        r"(^|[._])(auth|tls|cert|key_path|\w*roles|\w*audience|principals|trust|sign_checkpoints)|^journal\.witness$",
        "", Severity.WARN, "a key of security",
    ),
)  # fmt: skip
"""CFG-06 for single fields, first match counts; secrets and limits are judged before, anything else is OK."""


def flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return `(field, value)` of every leaf of plain data, elements of named lists by their id or name."""
    if isinstance(value, Mapping):
        return [pair for key, one in value.items() for pair in flat(one, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list | tuple):
        named = [one.get("id") or one.get("name") if isinstance(one, Mapping) else None for one in value]
        keys = named if all(named) else range(len(value))
        return [pair for key, one in zip(keys, value, strict=True) for pair in flat(one, f"{path}[{key}]")]
    return [(path, value)]


def changes_between(
    before: Mapping[str, Any], after: Mapping[str, Any], *, secrets_before: Mapping[str, str] | None = None,
    secrets_after: Mapping[str, str] | None = None,
) -> tuple[ConfigurationChange, ...]:  # fmt: skip
    """Return every field that differs, in the order of the fields.

    secrets_before, secrets_after  fingerprints of the secrets that the documents name, by field; a secret that
                                   changes behind an unchanged name is a change
    """
    old, new = dict(flat(before)), dict(flat(after))
    prints_before, prints_after = secrets_before or {}, secrets_after or {}
    found = []
    for field in sorted({*old, *new, *prints_before, *prints_after}):
        here, there = old.get(field), new.get(field)
        first, second = prints_before.get(field), prints_after.get(field)
        if here == there and first == second:
            continue
        severity, note = _judged(field, here, there)
        if first != second:
            severity, note = Severity.FAIL, "a secret changed"
        told = (shown(field, here, first), shown(field, there, second))
        found.append(ConfigurationChange(field, *told, severity.name, note))
    return tuple(found)


def first_look(after: Mapping[str, Any]) -> tuple[ConfigurationChange, ...]:
    """Return what of a first document is worth a look: fields whose value alone is grave, e.g. a live environment."""
    found = []
    for field, value in flat(after):
        rule = next((one for one in RULES if one.becomes and _applies(one, field, value)), None)
        if rule is not None:
            found.append(ConfigurationChange(field, ABSENT, shown(field, value), rule.severity.name, rule.note))
    return tuple(sorted(found, key=lambda one: one.field))


def is_limit(field: str) -> bool:
    """Tell whether a field limits what the desk may do."""
    instance_cap = field.startswith("instances[") and field.endswith("].cap")
    of_section = field.partition(".")[0] in LIMIT_SECTIONS or field.startswith(assessment_changes.SECTION)
    return instance_cap or field == "desk.capital" or of_section


def tightens(field: str, before: Any, after: Any) -> bool:
    """Tell whether a change of a limit surely narrows risk; absent stands for the policy's own default."""
    if field.startswith(RESTRICTIONS):
        return before is None
    if field.startswith(assessment_changes.SECTION):
        return assessment_changes.tightens(field, before, after)
    keys = {_INDEX.sub("", part) for part in field.split(".")}
    before = _defaults().get(field) if before is None else before
    after = _defaults().get(field) if after is None else after
    if before is None and "cap" in keys:
        return after is not None
    if before is None or after is None:
        return False
    try:
        old, new = Decimal(str(before)), Decimal(str(after))
    except InvalidOperation:
        return False
    if not (old.is_finite() and new.is_finite()):
        return False
    return bool((keys & LOWER_IS_TIGHTER and new < old) or (keys & HIGHER_IS_TIGHTER and new > old))


def shown(field: str, value: Any, fingerprint: str | None = None) -> str:
    """Return a value as it may be told: JSON or `absent`, a secret by its name and fingerprint."""
    if fingerprint is not None:
        return f"{value if is_reference(value) else REDACTED}, fingerprint {fingerprint}"
    if value is None:
        return ABSENT
    if names_secret(field.rpartition(".")[2]) and not is_reference(value):
        return REDACTED
    return msgspec.json.encode(value).decode()


def _judged(field: str, before: Any, after: Any) -> tuple[Severity, str]:
    if is_reference(before) or is_reference(after) or names_secret(field.rpartition(".")[2]):
        return Severity.FAIL, "a secret changed"
    if is_limit(field):
        if _same_limit(field, before, after):
            return Severity.OK, "the default, written down or left out"
        if tightens(field, before, after):
            return Severity.WARN, "a limit is tightened"
        return Severity.FAIL, "a limit is loosened, or nobody can say that it is not"
    rule = next((one for one in RULES if _applies(one, field, after)), None)
    return (Severity.OK, "") if rule is None else (rule.severity, rule.note)


def _same_limit(field: str, before: Any, after: Any) -> bool:
    known = _defaults()
    if field.startswith(assessment_changes.SECTION):
        known = {field: assessment_changes.default_of(field)}
    if known.get(field) is None:
        return False
    here, there = (known[field] if one is None else one for one in (before, after))
    try:
        return Decimal(str(here)) == Decimal(str(there))
    except InvalidOperation:
        return bool(here == there)


def _applies(rule: Rule, field: str, value: Any) -> bool:
    return bool(re.search(rule.field, field)) and (not rule.becomes or bool(re.search(rule.becomes, str(value))))


@cache
def _defaults() -> Mapping[str, Any]:
    """Return what each limit is where the document says nothing."""
    return {
        field: value
        for section in LIMIT_SECTIONS
        for field, value in flat(msgspec.to_builtins(SECTIONS[section]()), section)
    }
