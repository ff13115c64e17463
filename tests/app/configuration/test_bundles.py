"""Approved bundles: what is not as approved is paused, at the start and at the next day's look."""

import msgspec
import pytest
from live_documents import ENVELOPE, approve, desk

from tradeworthy.app.configuration.bundles import drift_of, instance_hash, load_bundles
from tradeworthy.app.runs.runner import RunSession, replay_run
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.trading.control.drift import ConfigDrift
from tradeworthy.trading.model import GuardChanged, RunStarted, SubmitOrder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "approved.toml"


def played(made, root):
    return RunSession(made, root=root, clock=EventClock()).play()


def submits(run):
    return [event for event in read(run.folder / "journal") if type(event.payload) is SubmitOrder]


def test_an_approved_bundle_trades(path, tmp_path):
    made = desk(path, steps=200)
    approve(path, made)
    assert drift_of(made) == ()
    assert submits(played(made, tmp_path))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"config_hash": "f" * 64}, "config.drift"), ({"name": "other"}, "catalogue.unapproved"),
        ({"envelope": ""}, "catalogue.unapproved"),
        ({"envelope": ENVELOPE.replace("EURUSD", "GBPUSD")}, "catalogue.unapproved"),
        ({"envelope": ENVELOPE.replace("paper", "live")}, "catalogue.unapproved"),
        ({"rest": 'required_evidence = ["soak-paper"]'}, "catalogue.evidence"),
        ({"rest": 'required_evidence = ["soak-paper"]\nevidence = { soak-paper = "" }'}, "catalogue.evidence"),
    ],
)  # fmt: skip
def test_what_is_not_as_approved_is_paused_from_the_start(path, tmp_path, odd, reason):
    made = desk(path, steps=200)
    approve(path, made, **odd)
    run = played(made, tmp_path)
    assert submits(run) == []
    started = next(read(run.folder / "journal")).payload
    assert isinstance(started, RunStarted)
    (held,) = msgspec.json.decode(started.guard)
    assert (f"{held['owner']}.{held['code']}", held["scope"]) == (reason, "strategy:quoter")
    assert replay_run(run.folder).ok


def test_required_evidence_that_is_there_passes(path):
    made = desk(path)
    approve(path, made, rest=f'required_evidence = ["soak-paper"]\nevidence = {{ soak-paper = "{"a" * 64}" }}')
    assert drift_of(made) == ()


@pytest.mark.parametrize("section", ["risk", "policy"])
def test_a_changed_value_is_another_hash_and_switching_on_is_not(path, section):
    made = desk(path)
    (one,) = made.instances
    before = instance_hash(made, one)
    if section == "risk":
        assert instance_hash(msgspec.structs.replace(made, risk={"per_trade": "0.02"}), one) != before
    else:
        assert instance_hash(made, msgspec.structs.replace(one, policy={"lots": 1})) != before
    assert instance_hash(made, msgspec.structs.replace(one, enabled=False)) == before


def test_a_bundle_withdrawn_during_the_run_pauses_at_the_next_days_look_and_its_return_releases(path, tmp_path):
    made = desk(path, steps=2 * 86_400 // 30 + 3_000)
    tape = msgspec.structs.replace(made.tapes[0], walk={**made.tapes[0].walk, "every_ns": 30_000_000_000})
    made = msgspec.structs.replace(made, tapes=(tape,))
    approve(path, made)
    looks = []

    def progress(desk, rows, ts):
        looks.append(ts)
        if len(looks) == 2:
            approve(path, made, config_hash="f" * 64)
        elif len(looks) == 10:
            approve(path, made)

    session = RunSession(made, root=tmp_path, clock=EventClock())
    run = session.play(progress)
    told = [event.payload for event in read(run.folder / "journal") if type(event.payload) is ConfigDrift]
    assert [(one.reason, one.active) for one in told] == [("config.drift", True), ("config.drift", False)]
    guard = [event.payload for event in read(run.folder / "journal") if type(event.payload) is GuardChanged]
    assert [(one.reason, one.set) for one in guard if one.reason.startswith("config")] == [
        ("config.drift", True), ("config.drift", False),
    ]  # fmt: skip
    assert replay_run(run.folder).ok


def test_a_reason_that_is_checked_anew_is_not_carried_over_a_restart(path, tmp_path):
    made = desk(path, steps=200)
    approve(path, made, config_hash="f" * 64)
    assert submits(played(made, tmp_path)) == []
    approve(path, made)
    assert submits(played(made, tmp_path))


@pytest.mark.parametrize("text", ["", 'schema = "catalogue@2"', "schema = [", 'schema = "catalogue@1"\ncolour = 1'])
def test_a_catalogue_nobody_can_read_does_not_start(path, text):
    path.write_text(text)
    with pytest.raises(UsageError):
        load_bundles(path)


def test_an_absent_catalogue_or_a_bundle_twice_does_not_start(path):
    with pytest.raises(UsageError, match="cannot read"):
        load_bundles(path)
    approve(path, desk(path))
    path.write_text(path.read_text() + path.read_text().partition("\n")[2])
    with pytest.raises(UsageError, match="once"):
        load_bundles(path)


def test_only_known_reasons_can_be_told():
    with pytest.raises(InvalidInput):
        ConfigDrift("one", "risk.daily_loss", "a", "b", True)


def test_the_check_verb_exits_2_on_drift(path, tmp_path, capsys):
    made = tmp_path / "desk.toml"
    made.write_text(f'''schema = "desk@1"
catalogue = "{path}"
[desk]
name = "made"
environment = "paper"
[[tapes]]
name = "made"
format = "synthetic"
instrument = "EURUSD.DEMO"
label = "synthetic"
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
mode = "paper_smoke"
''')
    path.write_text('schema = "catalogue@1"\n')
    assert call(["config", "check", str(made)]) == 2
    assert "catalogue.unapproved quoter" in capsys.readouterr().out
