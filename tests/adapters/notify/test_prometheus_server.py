"""The second path with the real servers: Prometheus finds it, Alertmanager brings it, the desk understands it (AR-02).

Both run on the deployed files; only addresses, the token's place and the waits are changed.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from local_gateways import HttpGateway

from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.prometheus_source import signals_of

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
PATIENCE_S = 90.0
PUSH, TOKEN = "/api/alerts/prometheus", "token-of-the-test"


def server(*names):
    """Return a server's program; without it the test is skipped, or fails where every component must be there."""
    for name in names:
        if path := shutil.which(name):
            return path
    if os.environ.get("STRICT_COMPONENTS") == "1":
        pytest.fail(f"STRICT_COMPONENTS=1 and no {names[0]} on the path")
    pytest.skip(f"{names[0]} is not installed: install the package `{names[-1]}`")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def until(found):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@contextlib.contextmanager
def running(folder, *words):
    with (folder / f"{Path(words[0]).name}.log").open("wb") as log, subprocess.Popen(
        [*map(str, words)], cwd=folder, stdout=log, stderr=log
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def laid_out(folder, hook, manager, target):
    """Copy the deployed files, with other addresses and without waits."""
    for name in ("rules.yml", "alerts.yml"):
        text = (FOLDER / name).read_text()
        (folder / name).write_text(re.sub(r"^(\s+for: )\S+$", r"\g<1>0s", text, flags=re.MULTILINE))
    text = (FOLDER / "prometheus.yml").read_text().replace("127.0.0.1:9093", f"127.0.0.1:{manager}")
    text = text.replace("127.0.0.1:9464", f"127.0.0.1:{target}").replace("15s", "1s")
    (folder / "prometheus.yml").write_text(text)
    for name, value in (("alerts_push_token", TOKEN), ("dead_man_token", TOKEN), ("slack_url", f"{hook.url}/slack")):
        (folder / name).write_text(value)
    text = (FOLDER / "alertmanager.yml").read_text().replace("/etc/tradeworthy/secrets", str(folder))
    text = text.replace("http://127.0.0.1:8080", hook.url).replace("http://127.0.0.1:9093", hook.url)
    text = re.sub(r"(group_wait|group_interval): \S+", r"\1: 1s", text)
    (folder / "alertmanager.yml").write_text(text)


def heard(hook, status):
    """Return the signals of ProcessDown that came with this state, each with the token it came with."""
    return [
        (one, headers.get("Authorization")) for _, path, headers, body in list(hook.got) if path == PUSH
        for one in signals_of(body) if one.message and "ProcessDown" in one.cause and one.firing is (status == "firing")
    ]


def test_what_prometheus_finds_comes_over_alertmanager_as_a_signal_of_the_desk_and_ends(tmp_path):
    prometheus, alertmanager = server("prometheus"), server("alertmanager", "prometheus-alertmanager")
    hook, manager, target = HttpGateway(), free_port(), free_port()
    try:
        laid_out(tmp_path, hook, manager, target)
        with running(
            tmp_path, alertmanager, "--config.file=alertmanager.yml", f"--storage.path={tmp_path / 'am'}",
            f"--web.listen-address=127.0.0.1:{manager}", "--cluster.listen-address=",
        ), running(
            tmp_path, prometheus, "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{free_port()}",
        ):  # fmt: skip
            signal, token = until(lambda: heard(hook, "firing"))[0]
            until(lambda: any(path == "/dead-man" for _, path, _, _ in list(hook.got)))
            until(lambda: any(path == "/slack" for _, path, _, _ in list(hook.got)))
            desk = HttpGateway((200, "# TYPE tradeworthy_up gauge\ntradeworthy_up 1\n"), port=target)
            try:
                until(lambda: heard(hook, "resolved"))
            finally:
                desk.close()
    finally:
        hook.close()
    assert (signal.severity, token) == (AlertSeverity.CRITICAL, f"Bearer {TOKEN}")
    assert signal.category == "system_failure"
    assert signal.runbook
