"""A live start is refused with everything that is missing at once, and each refusal is kept."""


import pytest
from live_documents import LIVE, MAIN, PAPER, PEOPLE, SECRET, SIM, parsed
from trusted import GO

from tradeworthy.app.configuration.change_control import CHANGES, approve_signed, pack_of, propose
from tradeworthy.app.configuration.secret_references import fingerprints_in, store_of
from tradeworthy.app.gates.live_start import LIVE_STARTS, LIVE_VENUES, refusals, require_live
from tradeworthy.app.gates.verdicts import GateAnswer
from tradeworthy.app.halting.watchdog_process import KEY, WATCHDOG
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.app.runtime.desk_process import DeskProcess, Switches
from tradeworthy.app.venues import halt_flag
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.witness import load_key
from tradeworthy.trading.control.approvals import Approval
from tradeworthy.trading.control.halt import Halt

CLOCK = EventClock(1_700_000_000_000_000_000)
CONFIRMED = {"confirm_live": True}


class Verdicts:
    """A gate that answers the same to everybody, and remembers what it was asked."""

    def __init__(self, go=True, why=""):
        self.given, self.asked = GateAnswer(go, why), []

    def answer(self, ask):
        self.asked.append(ask)
        return self.given


def ready(tmp_path, document, *, environ=SECRET, approved=True, key=True):
    """Make a desk's state in which a live start lacks nothing that the document does not lack itself."""
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    if key:
        (state / WATCHDOG).mkdir(exist_ok=True)
        load_key(state / WATCHDOG / KEY)
    if approved:
        prints = fingerprints_in(state).of(document, store_of(environ))
        found = propose(state / CHANGES, document, person="Ann", reason="x", clock=CLOCK, fingerprints=prints)
        (tmp_path / "gate").write_text("a gate run")
        approval = Approval(pack_of(found, desk="made", proposer="k9", now=1), "d", PEOPLE)
        approve_signed(state / CHANGES, approval, gate_run=tmp_path / "gate", clock=CLOCK, verdicts=GO)
    return state


def missing(tmp_path, document, *, environ=SECRET, verdicts=None, venues=frozenset({"DEMO"}), **state):
    """Return what a start lacks, by name."""
    place = ready(tmp_path, document, environ=environ, **state)
    before = refusals(place)
    told, code = "", ExitCode.FAIL
    try:
        require_live(document, state=place, clock=CLOCK, environ=environ, verdicts=verdicts or Verdicts(),
                     venues=venues)  # fmt: skip
    except ConfigurationRefused as refused:
        told, code = str(refused), refused.exit_code
    new = refusals(place)[len(before) :]
    assert (len(new), code) == (bool(told), ExitCode.FAIL)
    found = [one for refused in new for one in refused.missing]
    assert all(str(one) in told for one in found)
    return [one.what for one in found]


def live(**odd):
    return parsed({**LIVE, **odd.pop("instance", {})}, control=odd.pop("control", CONFIRMED), **odd)


def test_a_desk_that_lacks_nothing_goes_live(tmp_path):
    verdicts = Verdicts()
    assert missing(tmp_path, live(), verdicts=verdicts) == []
    assert refusals(tmp_path / "state") == ()
    (ask,) = verdicts.asked
    assert (ask.tier, ask.environment, sorted(ask.hashes)) == ("tier_0", "live", ["code", "config", "limits", "models"])
    assert ask.hashes["config"] == live().hash()


def test_this_release_lacks_the_venue_adapter_alone(tmp_path):
    assert frozenset() == LIVE_VENUES
    assert missing(tmp_path, live(), venues=LIVE_VENUES) == ["venue_adapter"]


@pytest.mark.parametrize(
    ("what", "odd", "state"),
    [
        ("confirm_live", {"control": {}}, {}),
        ("confirm_live", {"control": {"confirm_live": False}}, {}),
        ("kill_switch", {}, {"key": False}),
        ("watchdog", {"runtime": {"watchdog": False}}, {}),
        ("gate_verdict", {}, {"verdicts": Verdicts(False, "NO-GO: dry_run absent")}),
        ("credentials", {}, {"environ": {}}),
        ("caps", {"instance": {"mode": "live_notrade", "cap": None}}, {}),
        ("approved_configuration", {}, {"approved": False}),
        ("venue_adapter", {}, {"venues": frozenset({"OTHER"})}),
    ],
)  # fmt: skip
def test_each_thing_that_is_taken_away_is_named_and_nothing_else(tmp_path, what, odd, state):
    document = live(**odd)
    assert missing(tmp_path, document, **state) == [what]


def test_a_flag_that_is_up_is_no_armed_kill_switch(tmp_path):
    document, state = live(), ready(tmp_path, live())
    flag = halt_flag(state, CLOCK)
    flag.trip(Halt("operator", "kill", "desk", 1, 1, "a test"))
    assert missing(tmp_path, document, approved=False) == ["kill_switch"]
    flag.release("operator", "kill", "desk")
    flag.close()
    assert missing(tmp_path, document, approved=False) == []


def test_everything_that_is_missing_is_told_at_once(tmp_path):
    document = live(control={}, instance={"mode": "live_notrade", "cap": None}, runtime={"watchdog": False})
    found = missing(
        tmp_path, document, environ={}, key=False, approved=False, venues=LIVE_VENUES, verdicts=Verdicts(False, "none")
    )
    assert found == [
        "confirm_live", "kill_switch", "watchdog", "gate_verdict", "credentials", "caps", "approved_configuration",
        "venue_adapter",
    ]  # fmt: skip


def test_every_enabled_instance_and_account_is_looked_at(tmp_path):
    second = {**LIVE, "id": "second", "mode": "live_notrade", "cap": None, "account": "spare"}
    off = {**LIVE, "id": "off", "enabled": False, "account": "", "mode": "", "duty": "", "cap": None}
    spare = {**MAIN, "id": "spare", "credentials": "secret://spare_key"}
    document = parsed(LIVE, second, off, accounts=(MAIN, spare), control=CONFIRMED)
    place = ready(tmp_path, document)
    with pytest.raises(ConfigurationRefused) as refused:
        require_live(document, state=place, clock=CLOCK, environ=SECRET, verdicts=Verdicts(), venues={"DEMO"})
    (told,) = refusals(place)
    assert [(one.what, "spare" in one.expected or "second" in one.expected) for one in told.missing] == [
        ("credentials", True), ("caps", True)
    ]  # fmt: skip
    assert SECRET["TRADEWORTHY_SECRET_MAIN_KEY"] not in str(refused.value)


@pytest.mark.parametrize("environment", ["paper", "backtest"])
def test_any_other_environment_is_asked_for_nothing(tmp_path, environment):
    document = parsed(PAPER, environment=environment)
    require_live(document, state=tmp_path, clock=CLOCK, environ={}, verdicts=Verdicts(False))
    assert list(tmp_path.iterdir()) == []


def test_refusals_are_kept_in_order_in_a_journal(tmp_path):
    missing(tmp_path, live(), approved=False)
    missing(tmp_path, live(), approved=False, key=False, venues=LIVE_VENUES)
    kinds = [event.kind for event in read(tmp_path / "state" / LIVE_STARTS)]
    assert kinds == ["runtime.live_refused"] * 2
    assert [len(one.missing) for one in refusals(tmp_path / "state")] == [1, 2]
    journal = Journal.open(tmp_path / "again", clock=CLOCK)
    journal.accept(event_of(refusals(tmp_path / "state")[0], source="x", key=1, ts_event=1, ts_init=1))
    journal.close()


@pytest.mark.parametrize("no_trading", [False, True])
def test_a_process_asks_before_its_life_begins(tmp_path, no_trading):
    document = live()
    with pytest.raises(ConfigurationRefused, match="no live start"):
        DeskProcess(document, root=tmp_path, clock=CLOCK, environ=SECRET, switches=Switches(no_trading=no_trading))
    state = state_of(tmp_path, "made")
    assert "venue_adapter" in [one.what for one in refusals(state)[-1].missing]
    assert not (state / "runtime").exists()
    assert len(refusals(state)) == 1


def test_a_session_by_itself_asks_too(tmp_path):
    with pytest.raises(ConfigurationRefused, match="no live start"):
        RunSession(live(), root=tmp_path, clock=CLOCK, environ=SECRET)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


DOCUMENT = """
schema = "desk@1"
[desk]
name = "small"
environment = "paper"
[[tapes]]
name = "eurusd_quotes"
format = "demo"
instrument = "EURUSD.DEMO"
label = "derived"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = { lots = 2000 }
"""


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "small.toml"
    found.write_text(DOCUMENT)
    return str(found)


@pytest.mark.parametrize(
    "words", [["--live-mode"], ["--environment", "live"], ["--live-mode", "--environment", "live"]]
)
def test_the_switch_selects_and_confirms_nothing(tmp_path, path, words, capsys):
    assert call(["run", path, "--runs", str(tmp_path / "runs"), *words]) == 2
    told = " ".join(capsys.readouterr().err.split())
    for what in ("confirm_live", "kill_switch", "gate_verdict", "credentials", "caps", "approved_configuration"):
        assert f"{what}: expected" in told
    (refused,) = refusals(tmp_path / "runs" / "state" / "small")
    assert (refused.desk, refused.tier) == ("small", "tier_0")


@pytest.mark.parametrize("verb", ["run", "ingest-once", "summary"])
@pytest.mark.parametrize(
    "words",
    [
        ["--live-mode", "--paper-mode"], ["--paper-mode", "--environment", "live"],
        ["--live-mode", "--environment", "paper"],
    ],
)  # fmt: skip
def test_words_that_contradict_each_other_are_usage_errors(tmp_path, path, verb, words):
    assert call([verb, path, "--runs", str(tmp_path / "runs"), *words]) == 3
    assert not (tmp_path / "runs").exists()


def test_an_account_without_credentials_is_named(tmp_path):
    assert missing(tmp_path, live(instance={"mode": "testnet_smoke", "duty": "connector_validation", "account": "sim"},
                                  accounts=(MAIN, SIM))) == ["credentials"]  # fmt: skip


