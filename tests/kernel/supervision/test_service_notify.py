"""What the process manager hears, and the unit that ships (WD-07)."""

import configparser
import socket
from pathlib import Path

import pytest

from tradeworthy.kernel.supervision.notify import ServiceNotify

UNIT = Path(__file__).parents[3] / "deploy" / "tradeworthy@.service"


@pytest.mark.parametrize("abstract", [False, True])
def test_each_state_reaches_the_notify_socket(tmp_path, monkeypatch, abstract):
    monkeypatch.chdir(tmp_path)
    address = f"@{tmp_path.name}-notify" if abstract else "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + address[1:] if abstract else address)
        manager.settimeout(2)
        service = ServiceNotify.of_environment({"NOTIFY_SOCKET": address})
        sent = (service.ready("3 tasks\nrun"), service.alive(), service.status("paused"), service.stopping("signal"))
        heard = [manager.recv(4_096).decode() for _ in sent]
    assert sent == (True,) * 4
    assert heard == ["READY=1\nSTATUS=3 tasks run", "WATCHDOG=1", "STATUS=paused", "STOPPING=1\nSTATUS=signal"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_a_process_manager_nothing_happens(environment):
    assert ServiceNotify.of_environment(environment).ready("up") is False


def test_the_unit_restarts_on_failure_and_watches_for_ten_seconds():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    service = unit["Service"]
    assert (service["Type"], service["Restart"], service["WatchdogSec"]) == ("notify", "on-failure", "10")
    assert int(service["TimeoutStopSec"]) >= 30
