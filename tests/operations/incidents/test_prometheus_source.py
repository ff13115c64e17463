"""What Alertmanager posts becomes signals of the one router, or is refused."""

import json

import pytest
from alert_scene import START, Scene, signal

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.incidents.model import Alert, AlertSeverity
from tradeworthy.operations.incidents.prometheus_source import signals_of


def message(*alerts, version="4"):
    return json.dumps({"version": version, "receiver": "desk", "alerts": alerts}).encode()


def item(status="firing", **labels):
    return {
        "status": status, "labels": {"alertname": "VenueErrors", "severity": "critical", **labels},
        "annotations": {"summary": "the venue errs", "runbook": "docs/runbooks/venue-errors.md#x"},
        "startsAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def test_labels_say_which_alert_of_the_desk_it_is():
    (one,) = signals_of(message(item(code="venue.errors", category="venue.errors", task="gateway", owner="trading")))
    assert (one.code, one.category, one.component, one.subject) == ("venue.errors", "venue.errors", "gateway", "desk")
    assert (one.severity, one.firing, one.owner) == (AlertSeverity.CRITICAL, True, "trading")
    assert (one.runbook, one.message) == ("runbooks/venue-errors.md", "the venue errs")


def test_without_labels_it_keeps_its_name_and_no_rule_knows_it():
    (one,) = signals_of(message(item(status="resolved")))
    assert (one.code, one.category, one.firing) == ("prometheus.VenueErrors", "prometheus.VenueErrors", False)


@pytest.mark.parametrize("body", [
    b"", b"[]", b"\xff", message(version="3"), message(item(severity="loud")), message(item(status="odd")),
    message(item(alertname="")), message(*[item()] * 501),
], ids=["nothing", "a list", "no text", "version", "severity", "status", "name", "too many"])  # fmt: skip
def test_what_is_no_message_is_refused(body):
    with pytest.raises(UsageError):
        signals_of(body)


def test_five_hundred_are_taken():
    assert len(signals_of(message(*[item()] * 500))) == 500


def test_the_same_alert_over_both_paths_is_told_once_and_counted():
    scene = Scene()
    own = signal("venue.errors", severity=AlertSeverity.CRITICAL, subject="desk")
    (other,) = signals_of(message(item(code="venue.errors", category="venue.errors", task="gateway")))
    scene.after(1, own, other)
    assert [len(one.notices) for one in scene.transports.values()] == [1, 1]
    assert scene.path.book.firing[0].count == 2


def test_with_prometheus_gone_alerts_still_go_out():
    scene = Scene()
    scene.after(1, signal("venue.errors", severity=AlertSeverity.CRITICAL))
    assert len(scene.transports["one"].notices) == 1
    assert [one.since for one in scene.record.of(Alert)] == [START]
