"""What people read: notices made of alerts, without secrets, possible roots and the worst first, bounded."""

from collections.abc import Callable, Iterable

from tradeworthy.operations.incidents.catalogue import CONSEQUENCES
from tradeworthy.operations.incidents.grouping import Page
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, Notice, Purpose

LINES_MAX = 50
"""Alerts that one message spells out; the rest is counted."""
HIDDEN_MAX = 20


def notice_of(
    page: Page, channel: str, *, number: str, now: int, accepted: int, generated: int,
    hidden_by: Callable[[Alert], tuple[Alert, ...]],
) -> Notice | None:  # fmt: skip
    """Return what one channel is told of a page; None where nothing of it is for that channel."""
    alerts = [one.alert for one in page.alerts if channel in one.channels]
    if not alerts:
        return None
    alerts.sort(key=lambda one: not _may_be_root(one))  # stable: a full digest never cuts a root off
    firing = [one for one in alerts if one.firing]
    severity = max((one.severity for one in firing), default=AlertSeverity.INFO)
    hidden = tuple(f"{one.code} {one.component}" for root in firing for one in hidden_by(root))
    purpose = Purpose.DIGEST if page.digest else Purpose.ALERT if firing else Purpose.RESOLVED
    first = alerts[0]
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    word = severity.value.upper() if firing else "RESOLVED"
    what = "storm digest" if page.digest else f"{first.code} on {first.subject}"
    return Notice(
        id=number, purpose=purpose, severity=severity, title=f"[{word}] {what}{more}", text=_text(alerts, hidden),
        dedup="digest" if page.digest else "|".join(first.key), at=now, alerts=tuple(alerts[:LINES_MAX]),
        hidden=hidden[:HIDDEN_MAX], accepted_at=accepted, generated_at=generated,
    )  # fmt: skip


def _may_be_root(alert: Alert) -> bool:
    return alert.firing and alert.severity is AlertSeverity.CRITICAL and alert.code in CONSEQUENCES


def escalation_of(alerts: Iterable[Alert], tier: int, roles: tuple[str, ...], *, number: str, now: int) -> Notice:
    """Return what a tier is told: what nobody has acknowledged."""
    found = sorted(alerts, key=lambda one: (-one.severity.rank, one.since))
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return Notice(
        id=number, purpose=Purpose.ESCALATION, severity=first.severity,
        title=f"[{first.severity.value.upper()}] not acknowledged: {first.code} on {first.subject}{more}",
        text=f"Tier {tier} ({', '.join(roles)}): acknowledge with `tradeworthy alert ack`.\n{_text(found, ())}",
        dedup=f"escalation|{tier}|{'|'.join(first.key)}", at=now, alerts=tuple(found[:LINES_MAX]),
    )  # fmt: skip


def bare(purpose: Purpose, title: str, *, number: str, now: int, accepted: int, generated: int) -> Notice:
    """Return a notice about the path itself: a canary or a heartbeat."""
    return Notice(
        id=number, purpose=purpose, severity=AlertSeverity.INFO, title=title, text=title, dedup=title, at=now,
        accepted_at=accepted, generated_at=generated,
    )  # fmt: skip


def _text(alerts: list[Alert], hidden: tuple[str, ...]) -> str:
    lines = [_line(one) for one in alerts[:LINES_MAX]]
    if len(alerts) > LINES_MAX:
        lines.append(f"... and {len(alerts) - LINES_MAX} more: `tradeworthy alert list`")
    if hidden:
        rest = f" and {len(hidden) - HIDDEN_MAX} more" if len(hidden) > HIDDEN_MAX else ""
        lines.append(f"explained by these: {', '.join(hidden[:HIDDEN_MAX])}{rest}")
    return "\n".join(lines)


def _line(one: Alert) -> str:
    word = one.severity.value if one.firing else "resolved"
    parts = [f"{word} {one.code} ({one.component}, {one.subject}): {one.message}"]
    if one.observed or one.limit:
        parts.append(f"observed {one.observed or 'unknown'}, limit {one.limit or 'none'}")
    parts += [f"{name}: {value}" for name, value in one.tags if name in ("action", "for")]
    if one.count > 1:
        parts.append(f"{one.count} times")
    return "; ".join([*parts, f"docs/{one.runbook}", f"id {one.id}"])
