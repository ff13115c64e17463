"""Break-glass at a running desk, by real keys: two people, told uses, an end, a review (BRK-01 to BRK-03)."""

import re
import signal

import pytest
from desk_process import command, document, ended, journaled, kinds_of, only_run, started

from tradeworthy.app.alerts.journal import ALERTS, alert_facts

LIMIT = '[risk]\nmax_order_value = "1"\n'
PEOPLE = {"ann": "risk", "bob": "operations", "carol": "compliance"}


@pytest.fixture
def scene(tmp_path):
    """Return run folders with a trust file of three people, their keys, and a desk whose every order is too large."""
    runs = tmp_path / "runs"
    state = runs / "state" / "small"
    state.mkdir(parents=True)
    for name, role in PEOPLE.items():
        assert command("evidence", "key", tmp_path / name).returncode == 0
        command(
            "evidence", "trust", "add", state / "trust.json", "--key", tmp_path / f"{name}.pub", "--holder", name,
            "--role", role, "--valid-from", "2020-01-01T00:00:00Z", "--valid-to", "2040-01-01T00:00:00Z",
        )  # fmt: skip
    process = started("run", document(tmp_path, desk="speed = 2000", rest=LIMIT), "--runs", runs)
    journaled(runs, process, 20_000)
    yield tmp_path, runs, process
    ended(process, signal.SIGTERM)


def activate(folder, runs, *names, **odd):
    words = {"control": "risk.max_order_value", "instrument": "EURUSD.DEMO", "max-uses": 2, "reason": "hedge"} | odd
    flags = [part for name, value in words.items() for part in (f"--{name}", value)]
    signers = [part for name in names for part in ("--key", folder / name)]
    return command("break-glass", "activate", "small", "--runs", runs, *flags, *signers)


def test_two_people_mask_one_control_for_two_orders_and_a_third_reviews_it(scene):
    folder, runs, process = scene
    for names, odd, word in (
        (("ann",), {}, "needs risk and person"), (("bob", "carol"), {}, "needs risk and person"),
        (("ann", "bob"), {"control": "risk.guard"}, "never masked"),
        (("ann", "bob"), {"control": "compliance.restricted_symbol"}, "never masked"),
        (("ann", "bob"), {"max-uses": 101}, "uses must be"),
    ):  # fmt: skip
        refused = activate(folder, runs, *names, **odd)
        assert (refused.returncode, word in refused.stdout) == (2, True), refused.stdout + refused.stderr
    assert command("break-glass", "status", "small", "--runs", runs).returncode == 0
    done = activate(folder, runs, "ann", "bob")
    assert done.returncode == 0, done.stdout + done.stderr
    (glass,) = re.findall(r"break-glass ([0-9a-f]{12}) masks", done.stdout)
    status = command("break-glass", "status", "small", "--runs", runs)
    assert (status.returncode, glass in status.stdout) == (1, True)
    revoked = command("break-glass", "revoke", "small", glass, "--runs", runs)
    assert revoked.returncode in (0, 2)  # it may be spent already
    assert "review due" in command("break-glass", "status", "small", "--runs", runs).stdout
    review = ("break-glass", "review", "small", glass, "--text", "as planned", "--runs", runs, "--key")
    own = command(*review, folder / "ann")
    assert (own.returncode, "may not review" in own.stdout) == (2, True), own.stdout + own.stderr
    assert command(*review, folder / "carol").returncode == 0
    assert command("break-glass", "status", "small", "--runs", runs).returncode == 0
    assert ended(process, signal.SIGTERM) in (0, 1)
    kinds = kinds_of(only_run(runs))
    order = ["operator.break_glass", "break_glass.activated", "break_glass.ended", "break_glass.reviewed"]
    places = [kinds.index(kind, kinds.index("approval.used")) for kind in order[:1]] + [
        kinds.index(kind) for kind in order[1:]
    ]
    assert places == sorted(places)
    assert command("replay", only_run(runs)).returncode == 0
    alerts = [event.payload for event in alert_facts(runs / "state" / "small" / ALERTS) if event.kind == "alert.event"]
    told = {one.code: one.severity.value for one in alerts if one.code.startswith("break_glass.")}
    wanted = ("break_glass.requested", "break_glass.activated", "break_glass.ended", "break_glass.reviewed")
    assert {told.get(code) for code in wanted} == {"warning"}, told


def test_a_glass_that_a_killed_desk_left_is_owed_and_reviewed_at_rest(scene):
    folder, runs, process = scene
    done = activate(folder, runs, "ann", "carol", **{"max-uses": 100, "ttl": 80_000})
    assert done.returncode == 0, done.stdout + done.stderr
    (glass,) = re.findall(r"break-glass ([0-9a-f]{12}) masks", done.stdout)
    ended(process, signal.SIGKILL)
    assert command("break-glass", "revoke", "small", glass, "--runs", runs).returncode == 0
    assert "review due" in command("break-glass", "status", "small", "--runs", runs).stdout
    review = ("break-glass", "review", "small", glass, "--text", "read", "--runs", runs, "--key")
    assert command(*review, folder / "ann").returncode == 2
    assert command(*review, folder / "bob").returncode == 0
    assert command("break-glass", "status", "small", "--runs", runs).returncode == 0
    late = activate(folder, runs, "ann", "bob")
    assert (late.returncode, "not running" in late.stderr) == (3, True)
