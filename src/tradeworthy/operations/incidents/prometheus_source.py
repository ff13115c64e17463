"""Alerts that Prometheus found, as signals: the second path into the same router (AR-02)."""

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.incidents.model import AlertSeverity, Signal

ALERTS_MAX = 500
"""Alerts of one message; Alertmanager splits what is more."""
SHOWS_WHAT = ("task", "agent", "gate", "assessment", "check", "requirement", "channel", "owner", "instance")
"""Labels that name what an alert is about, the first that is there."""
RUNBOOKS = "docs/"


class _Item(msgspec.Struct, frozen=True):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}


class _Message(msgspec.Struct, frozen=True):
    version: str
    alerts: tuple[_Item, ...]


def signals_of(body: bytes) -> tuple[Signal, ...]:
    """Return the signals of a message of Alertmanager's webhook, version 4.

    The labels `code` and `category` say which alert of the desk it is, so that both paths tell people once; without
    them it is `prometheus.NAME`, and no rule may know it. Raises `UsageError` for anything else.
    """
    try:
        message = msgspec.json.decode(body, type=_Message)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UsageError(f"expected a webhook message of Alertmanager, found {problem}") from None
    if message.version != "4" or len(message.alerts) > ALERTS_MAX:
        raise UsageError(f"expected version 4 and at most {ALERTS_MAX} alerts, found version {message.version!r}")
    return tuple(_signal(one) for one in message.alerts)


def _signal(one: _Item) -> Signal:
    name, labels = one.labels.get("alertname", ""), one.labels
    if one.status not in ("firing", "resolved") or not name:
        raise UsageError(f"expected a status and the label alertname, found {one.status!r} and {name!r}")
    try:
        severity = AlertSeverity(labels.get("severity", "error"))
    except ValueError:
        raise UsageError(f"{name}: expected a severity, found {labels['severity']!r}") from None
    code = labels.get("code", f"prometheus.{name}")
    return Signal(
        code=code, category=labels.get("category", code), severity=severity, firing=one.status == "firing",
        component=next((labels[key] for key in SHOWS_WHAT if labels.get(key)), "desk"),
        subject=labels.get("subject", "desk"), message=one.annotations.get("summary", name),
        runbook=one.annotations.get("runbook", "").partition("#")[0].removeprefix(RUNBOOKS),
        owner=labels.get("owner", ""), cause=f"prometheus:{name}",
    )  # fmt: skip
