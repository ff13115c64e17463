"""A trade that the desk never heard of is booked at a running desk by real keys of two people, once (APR-04, RC-02)."""

import re
import signal
from decimal import Decimal

import pytest
from desk_process import command, document, ended, events_of, journaled, only_run, started, told

from tradeworthy.app.alerts.journal import ALERTS, alert_facts
from tradeworthy.cli.main import call
from tradeworthy.trading.model import Side

PEOPLE = {"ann": "risk", "bob": "operations", "carol": "compliance"}
TRADE = {"instance": "touch", "instrument": "EURUSD.DEMO", "side": "buy", "lots": 7, "price": 110_000,
         "trade": "statement-7", "fee": "1.5", "reason": "on the statement, not in the journal"}  # fmt: skip


@pytest.fixture
def scene(tmp_path):
    """Return run folders with a trust file of three people, their keys, and a desk that trades."""
    runs = tmp_path / "runs"
    state = runs / "state" / "small"
    state.mkdir(parents=True)
    for name, role in PEOPLE.items():
        assert call(["evidence", "key", str(tmp_path / name)]) == 0
        assert call([
            "evidence", "trust", "add", str(state / "trust.json"), "--key", str(tmp_path / f"{name}.pub"),
            "--holder", name, "--role", role, "--valid-from", "2020-01-01T00:00:00Z",
            "--valid-to", "2040-01-01T00:00:00Z",
        ]) == 0  # fmt: skip
    process = started("run", document(tmp_path, desk="speed = 2000"), "--runs", runs)
    journaled(runs, process, kind="ledger.fill_booked")
    yield tmp_path, runs, process
    ended(process, signal.SIGTERM)


def proposal(folder, runs, name, **odd):
    """Return the words that have carol propose the trade, and where the pack goes."""
    words = {**TRADE, "key": folder / "carol", "write": folder / name, "runs": runs} | odd
    return ["ledger", "propose", "small", *(f"--{word}={value}" for word, value in words.items())], folder / name


def test_a_trade_that_two_people_signed_is_booked_once_and_its_run_replays(scene, capsys):
    folder, runs, process = scene
    words, pack = proposal(folder, runs, "pack.json")
    done = command(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    (digest,) = re.findall(r"^digest +([0-9a-f]{64})$", done.stdout, re.MULTILINE)

    def repair(pack, *names):
        """Return the exit code and what was said."""
        signers = [f"--key={folder / name}" for name in names]
        code = call(["ledger", "repair", "small", str(pack), "--runs", str(runs), *signers])
        return code, "".join(capsys.readouterr())

    for names, word in ((("bob",), "each another person"), (("ann", "carol"), "operations")):
        code, said = repair(pack, *names)
        assert (code, word in said) == (2, True), said
    assert call(["approve", str(pack), "--key", str(folder / "bob"), "--runs", str(runs)]) == 1
    booked = command("ledger", "repair", "small", pack, "--runs", runs, "--key", folder / "ann")
    assert (booked.returncode, "statement-7 is booked" in booked.stdout) == (0, True), booked.stdout + booked.stderr
    code, said = repair(pack, "ann")
    assert (code, "used already" in said) == (2, True), said
    words, other = proposal(folder, runs, "other.json", reason="once more")
    assert call(words) == 0
    code, said = repair(other, "ann", "bob")
    assert (code, "booked already" in said) == (2, True), said

    assert ended(process, signal.SIGTERM) in (0, 1)
    run = only_run(runs)
    (asked,) = [one for one in told(run, "ledger.repair_asked") if one.pack == digest]
    assert asked.people == ("bob", "ann")
    (repaired,) = told(run, "ledger.repaired")
    assert (repaired.pack, repaired.trade_id, repaired.after - repaired.before) == (digest, "statement-7", 7)
    (fill,) = [one for one in told(run, "ledger.fill_booked") if one.trade_id == "statement-7"]
    assert (fill.client_order_id, fill.side, fill.lots, fill.price, fill.fee, fill.position) == (
        f"repair-{digest[:12]}", Side.BUY, 7, 110_000, Decimal("1.5"), repaired.after
    )  # fmt: skip
    kinds = [event.kind for event in events_of(run)]
    order = ("approval.used", "ledger.repair_asked", "ledger.fill_booked", "ledger.repaired", "ledger.repair_refused")
    places = [kinds.index(order[0])]
    for kind in order[1:]:
        places.append(kinds.index(kind, places[-1]))
    assert call(["replay", str(run)]) == 0
    assert call(["journal", "verify", str(run / "journal")]) == 0
    alerts = [event.payload for event in alert_facts(runs / "state" / "small" / ALERTS) if event.kind == "alert.event"]
    assert "ledger.repaired" in {one.code for one in alerts}
    code, said = repair(other)
    assert (code, "is not running" in said) == (3, True), said
    words, pack = proposal(folder, runs, "none.json", side="hold")
    assert (call(words), pack.exists()) == (3, False)
