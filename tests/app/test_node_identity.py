"""Every node of a desk runs the same code, document, limits and models, or the check says which does not (CFG-04)."""

import shutil

import pytest
from ingesting_scene import document, process, run

from tradeworthy.app.identity import hashes_of_document
from tradeworthy.app.node_identity import IDENTITY, PARTS, identity_of_node
from tradeworthy.cli.main import call
from tradeworthy.kernel.errors import UsageError


def node(place, **odd):
    """Run one short life of a desk on a node of its own; return its state and its process."""
    one = process(place, document(rows=50, **odd))
    assert run(one).exit_code == 0
    return one.state, one


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    places = [tmp_path_factory.mktemp(name) for name in ("a", "b", "c")]
    same, again = node(places[0])[0], node(places[1])[0]
    odd = node(places[2], risk={"max_order_value": "400000"})[0]
    return same, again, odd


def test_each_start_writes_who_it_is(nodes, tmp_path):
    state, one = node(tmp_path)
    found = hashes_of_document(one.document, one.code)
    told = identity_of_node(state)
    assert told == {name: str(getattr(found, name)) for name in PARTS}
    assert identity_of_node(one.life.folder) == told == identity_of_node(state / IDENTITY)
    copied = tmp_path / "copied.json"
    shutil.copy(state / IDENTITY, copied)
    assert identity_of_node(copied) == told


def test_equal_nodes_pass_and_one_that_differs_is_named_with_the_digest(nodes, tmp_path, capsys):
    same, again, odd = map(str, nodes)
    assert call(["config", "identity", same, again]) == 0
    assert call(["config", "identity", same, again, odd, "--report", str(tmp_path)]) == 2
    told = capsys.readouterr().out
    failed = [line.split()[1] for line in told.splitlines() if line.startswith("FAIL")]
    assert failed == ["fleet.config", "fleet.limits"]
    assert odd in told
    assert list((tmp_path / "reports").glob("*.json"))


def test_one_node_alone_cannot_be_judged_and_none_is_usage(nodes):
    assert call(["config", "identity", str(nodes[0])]) == 3
    assert call(["config", "identity"]) == 3


def test_a_place_without_an_identity_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected the identity of a node"):
        identity_of_node(tmp_path)


def test_what_is_written_beside_a_journal_does_not_count(nodes, tmp_path):
    place = tmp_path / "state"
    shutil.copytree(nodes[0], place)
    shutil.copy(nodes[2] / IDENTITY, place / IDENTITY)
    assert identity_of_node(place) == identity_of_node(nodes[0]) != identity_of_node(nodes[2])
