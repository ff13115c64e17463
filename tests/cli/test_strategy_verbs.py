"""`tradeworthy strategy enable`: the trader role exits 2, the risk role 0, an unknown desk 3."""

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.main import call
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.model import GuardLevel

HELD = HeldReason("risk", "repeated_execution", GuardLevel.REDUCING, "strategy:ema", 5)
OTHER = HeldReason("operator", "kill", GuardLevel.STOPPED, "desk", 6)


def asked(runs, role, instance="ema"):
    return call(["strategy", "enable", "paper", instance, "--author", "ann", "--role", role, "--reason", "fixed",
                 "--runs", str(runs)])  # fmt: skip


def remembered(runs):
    return sentinel.decode(SentinelFile(state_of(runs, "paper") / "guard.bin").read())


def test_only_the_risk_role_enables_and_other_reasons_stay(tmp_path, capsys):
    state_of(tmp_path, "paper").mkdir(parents=True, exist_ok=True)
    SentinelFile(state_of(tmp_path, "paper") / "guard.bin").write(sentinel.encode((HELD, OTHER)))
    assert asked(tmp_path, "trader") == 2
    assert "role must be risk" in capsys.readouterr().out
    assert set(remembered(tmp_path)) == {HELD, OTHER}
    assert asked(tmp_path, "risk", "other") == 2
    assert asked(tmp_path, "risk") == 0
    assert remembered(tmp_path) == (OTHER,)
    assert asked(tmp_path, "risk") == 2


def test_desk_without_a_memory_could_not_be_judged(tmp_path, capsys):
    assert asked(tmp_path, "risk") == 3
    assert "paper" in capsys.readouterr().err
