"""A desk is killed where nothing can be said any more, and an outside process pages for it (AR-15)."""

import json
import re
import signal
import subprocess
import sys

from desk_process import document, environment, started
from run_scene import until

KEY = "heartbeat-key-of-the-test-0001"
TELEMETRY = """
[telemetry.alerts]
default_channels = ["watcher"]
dead_man_channel = "watcher"
dead_man_period_s = 0.5
dead_man_timeout_s = 5.0
[[telemetry.alerts.channels]]
name = "watcher"
transport = "webhook"
destination = "{url}"
secret = "secret://heartbeat"
[[telemetry.alerts.rules]]
name = "all"
categories = ["alert_path."]
channels = ["watcher"]
""" + "".join(
    f'[[telemetry.escalation.tiers]]\nroles = ["{role}"]\nchannels = ["watcher"]\n' for role in "abc"
)


def pages(folder):
    path = folder / "pages.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_desk_that_is_killed_is_paged_for_by_the_process_outside(tmp_path):
    secret = {"TRADEWORTHY_SECRET_HEARTBEAT": KEY}
    words = ("alert", "dead-man", "small", "--listen", "127.0.0.1:0", "--pages", tmp_path / "pages.jsonl",
             "--key", "secret://heartbeat", "--silence", "5")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", *map(str, words)], env=environment(**secret), stdout=subprocess.PIPE,
        text=True,
    ) as watcher:  # fmt: skip
        try:
            url = re.search(r"http://\S+", watcher.stdout.readline()).group()
            until(lambda: pages(tmp_path))  # nobody was heard yet
            config = document(tmp_path, desk="speed = 3600", rows=0, rest=TELEMETRY.replace("{url}", url))
            desk = started("run", config, "--runs", tmp_path / "runs", **secret)
            try:
                until(lambda: any(one["purpose"] == "resolved" for one in pages(tmp_path)))
                heard = len(pages(tmp_path))
            finally:
                desk.send_signal(signal.SIGKILL)
                desk.wait(60)
                desk.stderr.close()
            until(lambda: len(pages(tmp_path)) > heard)
        finally:
            watcher.terminate()
            assert watcher.wait(60) == 2, "the desk was silent at the end"
    last = pages(tmp_path)[-1]
    assert last["severity"] == "critical"
    assert "small is silent" in last["title"]
    assert KEY not in (tmp_path / "pages.jsonl").read_text()
