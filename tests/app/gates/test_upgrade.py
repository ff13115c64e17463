"""A candidate's source tree, looked at in processes of its own: small trees, and the running release beside itself."""

import shutil

import pytest

from tradeworthy.app.gates import upgrade
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.rollback import own_source
from tradeworthy.app.gates.upgrade import contracts_of, migrated, rehearsed, shape_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.release_checks import Rehearsal, rollback_report
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.operations.gates.upgrade import Parameter, lost

BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})
PORTS = """
from typing import ClassVar, Protocol
import msgspec
class VenuePort(Protocol):
    def send(self, command: str, ts: int) -> None: ...
    def _own(self) -> None: ...
class Quote(msgspec.Struct):
    kind: ClassVar[str] = "market.quote"
    bid: int
    ask: int = 0
"""


def tree(folder, ports=PORTS, **modules):
    package = folder / "tradeworthy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "9.9"\n')
    for name, text in {"ports": ports, **modules}.items():
        (package / f"{name}.py").write_text(text)
    return folder


def test_a_tree_shows_its_ports_and_facts(tmp_path):
    shape = shape_of(tree(tmp_path))
    assert (shape.release, shape.modules, shape.unimported) == ("9.9", 2, {})
    assert shape.ports == {"VenuePort.send": (Parameter("command"), Parameter("ts"))}
    assert shape.facts == {"market.quote": (Parameter("bid"), Parameter("ask", needed=False))}


def test_a_module_that_cannot_be_imported_is_named_and_the_others_are_still_seen(tmp_path):
    shape = shape_of(tree(tmp_path, broken="import nothing_of_that_name\n"))
    assert list(shape.unimported) == ["tradeworthy.broken"]
    assert "nothing_of_that_name" in shape.unimported["tradeworthy.broken"]
    assert shape.ports


def test_one_method_that_changed_is_what_a_tree_lost(tmp_path):
    before = shape_of(tree(tmp_path / "a"))
    after = shape_of(tree(tmp_path / "b", ports=PORTS.replace("command: str, ts: int", "command: str")))
    assert lost(before.ports, after.ports) == ("VenuePort.send lost ts",)


def test_a_document_that_a_candidate_cannot_read_is_told_with_its_reason(tmp_path):
    document = tmp_path / "desk.toml"
    document.write_text('schema = "desk@1"\n')
    assert "tradeworthy.app" in shape_of(tree(tmp_path / "tree"), document).refused


def test_a_folder_without_a_release_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds the package"):
        shape_of(tmp_path)


@pytest.mark.parametrize(("body", "problem"), [("assert True", ""), ("assert False", "1 failed")])
def test_a_candidate_s_own_contract_suites_speak_for_it(tmp_path, body, problem):
    source = tree(tmp_path / "src")
    assert contracts_of(source) is None
    suite = tmp_path / "tests" / "contracts"
    suite.mkdir(parents=True)
    (suite / "test_one_port.py").write_text(f"def test_it():\n    {body}\n")
    found = contracts_of(source)
    assert (bool(found), problem in found) == (bool(problem), True)


def test_a_tree_that_cannot_carry_a_run_on_says_why(tmp_path):
    assert migrated(tree(tmp_path / "tree"), tmp_path)


def test_a_rollback_counts_for_a_day_where_it_went_well(tmp_path):
    clock = EventClock(10**18)
    gates = Gates(GateStore(tmp_path, clock), BINDING, clock)
    assert not rehearsed(gates)
    sound = Rehearsal(
        previous="1.0", restored="1.0", nodes={"one": "c", "two": "c"}, state_hashes=("s",) * 5, open_orders=0,
        adopted=0, seconds=1.0,
    )  # fmt: skip
    report = rollback_report(sound)
    assert report.severity is Severity.OK
    gates.record(report, "rollback_rehearsed", run_id="r")
    assert rehearsed(gates)
    clock.sleep(24 * 3_600 * 10**9)
    assert not rehearsed(gates)


@pytest.mark.proof
def test_the_running_release_lost_nothing_against_itself(tmp_path):
    shape = shape_of(own_source())
    assert shape.unimported == {}
    assert {"JournalPort.accept", "VenuePort.send"} <= shape.ports.keys()
    assert {"market.quote", "intent.approved", "gate.rebaselined"} <= shape.facts.keys()
    copy = tmp_path / "src"
    shutil.copytree(own_source() / "tradeworthy", copy / "tradeworthy", ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "tradeworthy" / "trading" / "environment.py"
    place.write_text(place.read_text().replace("def next_due(self) ->", "def next_at(self) ->"))
    after = shape_of(copy)
    assert lost(shape.ports, after.ports) == ("VenuePort.next_due is gone",)
    assert lost(shape.facts, after.facts) == ()


def test_a_candidate_is_held_beside_the_running_release_and_what_was_seen_is_kept_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(upgrade, "own_source", lambda: tree(tmp_path / "running"))
    source = tree(tmp_path / "candidate", ports=PORTS.replace("ask: int = 0", "size: int"))
    clock = EventClock(10**18)
    report = upgrade.preflight_candidate(Gates(GateStore(tmp_path / "gates", clock), BINDING, clock), source, tmp_path)
    found = {one.code.partition(".")[2]: one.severity for one in report.checks}
    assert found == {
        "import": Severity.OK, "broken_api": Severity.FAIL, "render": Severity.FAIL, "contract": Severity.UNKNOWN,
        "migrations": Severity.UNKNOWN, "same_version": Severity.WARN, "rollback": Severity.FAIL,
    }  # fmt: skip
    assert "market.quote lost ask; market.quote needs size" in {one.text for one in report.checks}
