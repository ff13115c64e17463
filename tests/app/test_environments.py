"""Four files that differ in clock, feed and venue only, and how one is laid over a document."""

import tomllib
from importlib.resources import files

import msgspec
import pytest

from tradeworthy.app import config, environments
from tradeworthy.app.config import Document
from tradeworthy.app.environments import ENVIRONMENTS, keys_of, layer, may_differ
from tradeworthy.kernel.errors import ExitCode, UsageError

TEXT = """
schema = "desk@1"
[desk]
name = "d"
environment = "paper"
speed = 5
[risk]
per_trade = "0.005"
[[tapes]]
name = "t"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "q"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
policy = { lots = 5 }
"""


def written(tmp_path, text=TEXT):
    path = tmp_path / "desk.toml"
    path.write_text(text)
    return path


def shipped(name):
    return tomllib.loads((files(environments) / f"{name}.toml").read_text())


def test_there_are_four_files_and_each_names_itself():
    names = {one.name for one in files(environments).iterdir() if one.name.endswith(".toml")}
    assert names == {f"{name}.toml" for name in ("backtest", "replay", "paper", "live")}
    assert set(ENVIRONMENTS) == {shipped(name)["desk"]["environment"] for name in ENVIRONMENTS}


def test_the_four_differ_in_clock_feed_and_venue_only(tmp_path):
    path = written(tmp_path)
    plain = {
        name: msgspec.json.decode(config.load(path, environment=name, environ={}).canonical()) for name in ENVIRONMENTS
    }
    for name, document in plain.items():
        for key in set(keys_of(document)) | set(keys_of(plain["paper"])):
            here, there = document, plain["paper"]
            for part in key.split("."):
                here, there = here[part], there[part]
            assert here == there or may_differ(key), f"{name} differs in {key}"
    assert len({msgspec.json.encode(one) for one in plain.values()}) == 4


@pytest.mark.parametrize("key", [key for name in ENVIRONMENTS for key in keys_of(shipped(name))])
def test_a_shipped_file_sets_nothing_else(key):
    assert may_differ(key)


def test_a_layer_lies_over_the_file_and_under_variables_and_the_command_line(tmp_path):
    path = written(tmp_path)

    def speed(**words):
        return config.load(path, **{"environ": {}, **words}).desk.speed

    assert speed() == 5
    assert speed(environment="paper") == 5
    assert speed(environment="backtest") == 0
    assert speed(environment="backtest", environ={"TRADEWORTHY__DESK__SPEED": "2"}) == 2
    told = {"environ": {"TRADEWORTHY__DESK__SPEED": "2"}, "overrides": {"desk.speed": "3"}}
    assert speed(environment="backtest", **told) == 3
    assert speed(defaults={"desk.speed": "9"}) == 5
    bare = written(tmp_path, TEXT.replace('environment = "paper"\nspeed = 5\n', ""))
    assert config.load(bare, environment="live", environ={}).desk.environment == "live"


def test_a_folder_of_its_own_comes_before_the_shipped_file(tmp_path):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "paper.toml").write_text('desk = { environment = "paper", speed = 40 }\n')
    assert config.load(written(tmp_path), environment="paper", environ={}).desk.speed == 40
    assert config.load(written(tmp_path), environment="live", environ={}).desk.speed == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('desk = { environment = "paper" }\nrisk = { per_trade = "0.02" }', "found risk.per_trade"),
        ('desk = { environment = "paper", seed = 3 }', "found desk.seed"),
        ('desk = { environment = "live" }', "expected desk.environment = 'paper', found 'live'"),
        ("desk = [", "paper.toml"),
    ],
)
def test_a_file_that_sets_more_is_refused(tmp_path, text, words):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "paper.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        layer("paper", tmp_path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"environment": "moon"}, "expected one of backtest, replay, paper, live, found 'moon'"),
        ({"environment": "paper", "overrides": {"desk.environment": "live"}}, "expected 'paper', as --env"),
        ({"environment": "paper", "environ": {"TRADEWORTHY__DESK__ENVIRONMENT": "live"}}, "found 'live'"),
    ],
)
def test_a_contradiction_of_the_environment_could_not_be_judged(tmp_path, words, told):
    with pytest.raises(UsageError, match=told) as refused:
        config.load(written(tmp_path), **{"environ": {}, **words})
    assert refused.value.exit_code is ExitCode.COULD_NOT_JUDGE


def test_a_document_of_the_same_keys_is_the_same_document_in_toml_and_json(tmp_path):
    one = config.load(written(tmp_path), environ={})
    other = tmp_path / "desk.json"
    other.write_text(one.canonical())
    assert config.load(other, environ={}).hash() == one.hash()
    assert isinstance(one, Document)
