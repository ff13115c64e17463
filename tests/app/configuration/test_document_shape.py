"""The form of a document: every unknown key and wrong type, its place, and the nearest key that is known."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from tradeworthy.app import config
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.document_shape import faults_of
from tradeworthy.app.market_data.data_root import data_root
from tradeworthy.kernel.errors import ExitCode, UsageError

CONFIG = Path(__file__).resolve().parents[3] / "config"
SOUND = {
    "schema": "desk@1", "desk": {"name": "d", "environment": "backtest"},
    "tapes": [{"name": "t", "format": "csv_bars", "instrument": "EURUSD.OANDA", "path": "$TRADEWORTHY_DATA/a/*.zip"}],
    "instances": [{"id": "q", "strategy": "touch_quoter", "instrument": "EURUSD.OANDA", "policy": {"lots": 5}}],
}  # fmt: skip
TEXT = """
schema = "desk@1"
desk = { name = "d", environment = "backtest" }
instances = []
[[tapes]]
name = "t"
format = "lean_fx_ticks"
instrument = "EURUSD.OANDA"
path = "$TRADEWORTHY_DATA/a/*.zip"
"""


def changed(**odd):
    return [str(one) for one in faults_of(SOUND | odd, Document)]


def test_sound_document_has_no_fault():
    assert changed() == []


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_documents_are_sound(path):
    assert faults_of(tomllib.loads(path.read_text()), Document) == []


@pytest.mark.parametrize(
    ("odd", "fault"),
    [
        ({"risk": {"max_positon": 1}},
         "risk.max_positon: expected a known key (the nearest known key is 'max_position'), "
         "found the unknown key 'max_positon'"),
        ({"risk": {"collars": {"fxx": 1}}},
         "risk.collars.fxx: expected a known key (the nearest known key is 'fx'), found the unknown key 'fxx'"),
        ({"risk": {"quoting": "q"}}, "risk.quoting: expected a value of type array, found 'q'"),
        ({"risk": {"venue_messages": {"SIM": "x"}}},
         "risk.venue_messages.SIM: expected a value of type int, found 'x'"),
        ({"risk": {"restricted": {"entries": [{"nam": "x"}]}}},
         "risk.restricted.entries[0].nam: expected a known key (the nearest known key is 'name'), "
         "found the unknown key 'nam'"),
        ({"tapes": 5}, "tapes: expected a value of type array, found 5"),
        ({"risk": 5}, "risk: expected a value of type object, found 5"),
        ({"unwind": {"duration_s": 1}}, "unwind.duration_s: expected a known key (the nearest known key is "
         "'duration_ns'), found the unknown key 'duration_s'"),
        ({"desk": {"name": "d", "environment": "moon"}}, "desk.environment: expected one of 'backtest', 'replay', "
         "'paper', 'live', found 'moon'"),
        ({"desk": {"name": "d", "environment": "live", "capital": "x"}},
         "desk.capital: expected a sound value (invalid decimal string), found 'x'"),
        ({"telemetry": {"auth_token": "hunter2-canary"}},
         "telemetry.auth_token, expected a reference secret://NAME, found plain text, which is not shown"),
        ({"accounts": [{"id": "main", "venue": "DEMO", "credentials": "hunter2-canary"}]},
         "accounts.main.credentials: expected a reference secret://NAME, found plain text, which is not shown"),
        ({"desks": {}}, "desks: expected a known key (the nearest known key is 'desk'), found the unknown key 'desks'"),
    ],
)  # fmt: skip
def test_fault_names_key_place_and_nearest_key(odd, fault):
    assert fault in changed(**odd)


def test_missing_key_is_named_with_its_place():
    assert changed(desk={"name": "d"}) == ["desk.environment: expected a value, found none"]


def test_policy_of_an_unknown_strategy_is_left_to_whoever_looks_for_it():
    one = SOUND["instances"][0] | {"strategy": "moonshot", "policy": {"anything": 1}}
    assert changed(instances=[one]) == []


def test_something_that_is_no_table_is_one_fault():
    (fault,) = faults_of([1], Document)
    assert fault == ("the document", "a table with keys", "[1]")


def test_data_folder_comes_from_the_variable_else_from_beside_the_configuration_or_its_checkout(tmp_path):
    checkout = tmp_path / "main" / "config"
    checkout.mkdir(parents=True)
    with pytest.raises(UsageError, match="TRADEWORTHY_DATA") as refused:
        data_root(checkout, {})
    assert refused.value.exit_code is ExitCode.COULD_NOT_JUDGE
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert data_root(checkout, {}) == str(tmp_path / "shared" / "data")
    (tmp_path / "main" / "shared" / "data").mkdir(parents=True)
    assert data_root(checkout, {}) == str(tmp_path / "main" / "shared" / "data")
    assert data_root(checkout, {"TRADEWORTHY_DATA": str(tmp_path)}) == str(tmp_path)
    with pytest.raises(UsageError, match="absent"):
        data_root(checkout, {"TRADEWORTHY_DATA": str(tmp_path / "absent")})


def test_place_of_the_data_is_no_part_of_the_runs_identity(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(TEXT)
    documents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        documents.append(config.load(path, environ={"TRADEWORTHY_DATA": str(tmp_path / name)}))
    assert [one.tapes[0].location for one in documents] == [str(tmp_path / n / "a/*.zip") for n in ("one", "two")]
    assert documents[0].hash() == documents[1].hash()
    assert str(tmp_path) not in documents[0].canonical()
    again = config.parse(msgspec.json.decode(documents[0].canonical()), origin="journal")
    assert again.hash() == documents[0].hash()
