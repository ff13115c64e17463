"""A change that widens live risk needs two people and a new gate run; what is not approved does not start."""

import msgspec
import pytest
from test_instances import LIVE, MAIN, PAPER, parsed

from tradeworthy.app.change_control import approve, changes_of, diff_of, propose, require_approved, widens
from tradeworthy.app.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.journal.verify import verify

CLOCK = EventClock(1_700_000_000_000_000_000)


def live(risk=None, **changes):
    return parsed({**LIVE, **changes}, risk=risk or {})


def gate(tmp_path, text="first"):
    path = tmp_path / f"{text}.json"
    path.write_text(text)
    return path


def approved(directory, document, tmp_path, text):
    found = propose(directory, document, person="Ann", reason="start", clock=CLOCK)
    approve(directory, found.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path, text), clock=CLOCK)
    return found


def test_a_live_document_starts_only_when_two_people_stand_for_it(tmp_path):
    directory, document = tmp_path / "changes", live()
    with pytest.raises(ConfigurationRefused, match="approved is nothing"):
        require_approved(document, directory)
    found = propose(directory, document, person="Ann", reason="start", clock=CLOCK)
    assert found.widens
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(document, directory)
    approve(directory, found.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path), clock=CLOCK)
    require_approved(document, directory)
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(live(cap="99"), directory)
    assert verify(directory).ok


def test_the_runner_refuses_an_unapproved_hash_before_anything_else(tmp_path):
    with pytest.raises(ConfigurationRefused, match="not approved"):
        RunSession(live(), root=tmp_path)


def test_paper_needs_no_approval(tmp_path):
    require_approved(parsed(PAPER, environment="paper"), tmp_path)


@pytest.mark.parametrize("person", ["Ann", " ann ", "", "  "])
def test_one_person_alone_cannot_widen(tmp_path, person):
    directory = tmp_path / "changes"
    found = propose(directory, live(), person="Ann", reason="start", clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match="two people"):
        approve(directory, found.config_hash, person=person, gate_run=gate(tmp_path), clock=CLOCK)


def test_a_gate_run_stands_for_one_change_only(tmp_path):
    directory = tmp_path / "changes"
    approved(directory, live(cap="50"), tmp_path, "first")
    wider = propose(directory, live(cap="60"), person="Ann", reason="more", clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match="new gate run"):
        approve(directory, wider.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path, "first"), clock=CLOCK)
    with pytest.raises(UsageError, match="cannot read"):
        approve(directory, wider.config_hash, person="Bob", role="risk", gate_run=tmp_path / "none", clock=CLOCK)
    approve(directory, wider.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path, "second"), clock=CLOCK)
    assert changes_of(directory).approved.people == ("Ann", "Bob")


def test_a_change_that_narrows_is_one_persons_act(tmp_path):
    directory = tmp_path / "changes"
    approved(directory, live(cap="50"), tmp_path, "first")
    found = propose(directory, live(cap="40"), person="Ann", reason="less", clock=CLOCK)
    assert found.widens == ()
    assert found.diff == ('instances[quoter].cap: "50" -> "40"',)
    require_approved(live(cap="40"), directory)
    with pytest.raises(ConfigurationRefused):
        require_approved(live(cap="50"), directory)


def test_a_proposal_that_another_change_overtook_must_be_read_again(tmp_path):
    directory = tmp_path / "changes"
    first = propose(directory, live(cap="50"), person="Ann", reason="a", clock=CLOCK)
    second = propose(directory, live(cap="60"), person="Ann", reason="b", clock=CLOCK)
    approve(directory, second.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path, "b"), clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match="propose again"):
        approve(directory, first.config_hash, person="Bob", role="risk", gate_run=gate(tmp_path, "a"), clock=CLOCK)


def test_an_unknown_hash_or_a_nameless_wish_could_not_be_judged(tmp_path):
    with pytest.raises(UsageError, match="no change"):
        approve(tmp_path / "changes", "f" * 64, person="Bob", role="risk", gate_run=gate(tmp_path), clock=CLOCK)
    with pytest.raises(UsageError, match="a person and a reason"):
        propose(tmp_path / "changes", live(), person=" ", reason="x", clock=CLOCK)


def plain(document):
    return msgspec.json.decode(document.canonical())


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (live(cap="50"), live(cap="51"), True), (live(cap="50"), live(cap="49"), False),
        (live({"per_trade": "0.01"}), live({"per_trade": "0.015"}), True),
        (live({"per_trade": "0.01"}), live({"per_trade": "0.005"}), False),
        (live({"per_trade": "0.01"}), live(), True), (live(), live({"per_trade": "0.005"}), False),
        (live({"stop_distance_min": "0.01"}), live({"stop_distance_min": "0.005"}), True),
        (live(), live(mode="live_notrade", duty=""), True), (live(duty=""), live(mode="live_notrade", duty=""), False),
        (live(mode="live_notrade", duty=""), live(duty=""), True),
        (live(), live(policy={"lots": 1}), True), (live(), live(enabled=False, account=""), False),
        (live(), parsed(LIVE, {**LIVE, "id": "second"}), True),
        (parsed(PAPER, environment="paper"), parsed(PAPER, environment="paper", risk={"per_trade": "0.02"}), False),
        (live(), parsed(LIVE, accounts=[{**MAIN, "credentials": "secret://other"}]), True),
    ],
)  # fmt: skip
def test_what_is_not_known_to_narrow_widens(before, after, wider):
    assert bool(widens(plain(before), plain(after))) is wider


def test_the_diff_names_every_value_and_no_secret(tmp_path):
    redaction.register("hunter2-canary")
    document = parsed(LIVE, journal={"witness": "hunter2-canary"})
    found = propose(tmp_path / "changes", document, person="Ann", reason="hunter2-canary", clock=CLOCK)
    assert any("instances[quoter].cap" in line for line in found.diff)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "changes").glob("*"))
    assert b"hunter2-canary" not in stored
    assert b"hunter2-canary" not in repr(found).encode()
    assert diff_of({"a": [1, 2]}, {"a": [1, 3]}) == ("a[1]: 2 -> 3",)


DESK = """schema = "desk@1"
catalogue = "approved.toml"
[desk]
name = "made"
environment = "live"
[[accounts]]
id = "main"
venue = "DEMO"
credentials = "secret://main_key"
[[tapes]]
name = "made"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
mode = "live_microcap"
account = "main"
cap = "100"
"""


def test_the_verbs_propose_approve_and_refuse(tmp_path, capsys):
    path, runs = tmp_path / "desk.toml", ["--runs", str(tmp_path / "runs")]
    path.write_text(DESK)
    assert call(["config", "diff", str(path), *runs]) == 1
    assert call(["run", str(path), *runs]) == 2
    assert "not approved" in capsys.readouterr().err
    assert call(["config", "propose", str(path), "--person", "Ann", "--reason", "start", *runs]) == 1
    digest = capsys.readouterr().out.split()[1].rstrip(":")
    words = ["config", "approve", "made", digest, "--gate-run", str(gate(tmp_path)), *runs]
    assert call([*words, "--person", "Ann"]) == 2
    assert call([*words, "--person", "Bob"]) == 2
    assert "role risk" in capsys.readouterr().err
    assert call([*words, "--person", "Bob", "--role", "risk"]) == 0
    assert call(["config", "diff", str(path), *runs]) == 0
    path.write_text(DESK.replace('cap = "100"', 'cap = "101"'))
    assert call(["config", "diff", str(path), *runs]) == 2
