"""A desk as a user starts it: what fires is asked over HTTP, Prometheus meets it, a person takes it."""

import json
import subprocess
import sys
import time

from desk_process import command, document, environment
from run_scene import answer_of, free_port, reachable, until

SECRET = "s" * 40
ROLES = ("alerts:read", "alerts:ack", "alerts:push", "runtime.metrics:read", "runtime.health:read")
TELEMETRY = """
[telemetry.alerts]
default_channels = ["lines"]
[[telemetry.alerts.channels]]
name = "lines"
transport = "file"
destination = "lines.jsonl"
[[telemetry.alerts.rules]]
name = "all"
categories = ["alert_path.", "kill.", "guard.", "gate.", "system_failure"]
channels = ["lines"]
""" + "".join(f'[[telemetry.escalation.tiers]]\nroles = ["{role}"]\nchannels = ["lines"]\n' for role in "abc")
PUSHED = {"version": "4", "alerts": [{
    "status": "firing", "annotations": {"summary": "no scrape is answered"},
    "labels": {"alertname": "ProcessDown", "severity": "critical", "category": "system_failure", "job": "tradeworthy"},
}]}  # fmt: skip


def test_prometheus_and_the_desk_meet_in_one_router_and_a_person_takes_what_fires(tmp_path):
    port = free_port()
    rest = f"[health]\nmetrics_port = {free_port()}\n{TELEMETRY}"
    config = document(tmp_path, desk="speed = 3600", rows=0, rest=rest)
    odd = {
        "RUNTIME_HEALTHCHECK_ENABLED": "true", "RUNTIME_HEALTHCHECK_PORT": str(port),
        "RUNTIME_HEALTHCHECK_AUTH_SECRET": SECRET,
    }  # fmt: skip
    words = [word for role in ROLES for word in ("--role", role)]
    token = command("token", "issue", *words, "--subject", "ada", **odd).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    runs = tmp_path / "runs"
    with subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", "run", str(config), "--runs", str(runs)], env=environment(**odd),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as desk:  # fmt: skip
        try:
            until(lambda: (got := reachable(port, "/api/alerts", headers)) is not None and got[0] == 200)
            assert answer_of(port, "/api/alerts")[0] == 401
            assert answer_of(port, "/api/alerts/prometheus", {"version": "3", "alerts": []}, headers)[0] == 400
            began = time.monotonic()
            assert answer_of(port, "/api/alerts/prometheus", PUSHED, headers)[0] == 200
            (alert,) = until(lambda: named(port, headers, "prometheus.ProcessDown"))
            assert time.monotonic() - began < 5
            assert answer_of(port, f"/api/alerts/{alert['id']}/ack", {}, headers)[0] == 200
            assert answer_of(port, "/api/alerts/none/ack", {}, headers)[0] == 409
            assert answer_of(port, "/api/incidents/INC-99999", headers=headers)[0] == 404
            until(lambda: b"tradeworthy_alerts_sent_total 0.0" not in answer_of(port, "/metrics", headers=headers)[1])
        finally:
            desk.terminate()
            assert desk.wait(60) == 0
    shown = command("incident", "list", "small", "--all", "--json", "--runs", runs).stdout
    taken = [one for one in json.loads(shown)["incidents"] if one["opened"]["code"] == "prometheus.ProcessDown"]
    assert [(one["phase"], one["timeline"][0]["person"]) for one in taken] == [("acknowledged", "ada")]
    held = taken[0]["began"]
    assert (runs / held["run"] / "journal").is_dir(), "the ticket names the run, as it was when the alert came"
    assert (held["seq"] > 0, len(held["config_hash"]), held["environment"]) == (True, 64, "paper")
    lines = (runs / "state" / "small" / "alerts" / "lines.jsonl").read_text()
    assert lines.count("no scrape is answered") >= 1


def named(port, headers, code):
    firing = json.loads(answer_of(port, "/api/alerts", headers=headers)[1])["firing"]
    return [one for one in firing if one["code"] == code]
