"""What is wrong is named on one line, with the exit code of the house's table, and never a traceback."""

import re

import pytest
from desk_process import command, document, folder_of

REFUSED, COULD_NOT_JUDGE = 2, 3


def judged(done, code, *words):
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("odd", "code", "words"),
    [
        ({"desk": "colour = 'red'"}, COULD_NOT_JUDGE, ["colour"]),
        ({"desk": "seed = 'seven'"}, COULD_NOT_JUDGE, ["desk.seed", "seven"]),
        ({"desk": "speed = ["}, COULD_NOT_JUDGE, ["small.toml"]),
        ({"kind": "moon"}, COULD_NOT_JUDGE, ["moon"]),
        ({"instrument": "NOPE.NOWHERE"}, REFUSED, ["NOPE.NOWHERE", "EURUSD.DEMO"]),
        ({"strategy": "moonshot"}, REFUSED, ["moonshot", "ema_trend"]),
        ({"rest": "colour = 1"}, COULD_NOT_JUDGE, ["instances.touch.policy", "'colour'", "nearest known key"]),
        ({"rest": "lot = 1"}, COULD_NOT_JUDGE, ["instances.touch.policy", "'lot'", "'lots'"]),
        ({"rest": "repeat_ns = 'soon'"}, COULD_NOT_JUDGE, ["instances.touch.policy.repeat_ns", "soon"]),
        ({"rest": "[risk]\ngross_leverage = 6"}, REFUSED, ["gross_leverage", "6"]),
        ({"rest": "[risk]\ncolour = 6"}, COULD_NOT_JUDGE, ["risk", "'colour'", "nearest known key"]),
        ({"rest": "[risk]\nmax_positon = 0.1"}, COULD_NOT_JUDGE, ["risk", "'max_positon'", "'max_position'"]),
        ({"rest": "[risk.collars]\nfxs = 0.1"}, COULD_NOT_JUDGE, ["risk.collars", "'fxs'", "'fx'"]),
        ({"rest": "[risk]\nscale = 'often'"}, COULD_NOT_JUDGE, ["risk.scale", "often"]),
        ({"rest": "[[risk.capital_groups]]\nlevel = 'boss'\nname = 'A'"}, COULD_NOT_JUDGE,
         ["risk.capital_groups.A.level", "boss"]),
        ({"rest": "[[risk.no_trade]]\nname = 'w'\nstart = 5\nend = 5"}, REFUSED, ["no_trade", "'w'"]),
        ({"rest": "[risk]\nresearch = true"}, REFUSED, ["research"]),
        ({"desk": "evaluate_seconds = 0"}, REFUSED, ["evaluate_seconds"]),
        ({"desk": "sample_seconds = -1"}, REFUSED, ["sample_seconds"]),
        ({"desk": "evaluate_seconds = nan"}, REFUSED, ["evaluate_seconds"]),
        ({"desk": "evaluate_seconds = inf"}, REFUSED, ["evaluate_seconds"]),
        ({"desk": "speed = -1"}, REFUSED, ["speed"]),
        ({"desk": "rollover_hour = 24"}, REFUSED, ["rollover_hour"]),
        ({"rows": -1}, REFUSED, ["rows_max"]),
        ({"rest": "[venue]\nsubmit_ms = nan"}, REFUSED, ["submit_ms"]),
        ({"rest": "[venue]\ncancel_ms = -1"}, REFUSED, ["cancel_ms"]),
        ({"rest": "[journal]\nbatch_events = 0"}, REFUSED, ["batch_events"]),
        ({"rest": "[journal]\nbatch_events = 100000"}, REFUSED, ["batch_events"]),
    ],
)  # fmt: skip
def test_a_bad_document_starts_nothing(tmp_path, odd, code, words):
    done = command("run", document(tmp_path, **odd), "--runs", tmp_path / "runs")
    judged(done, code, *words)
    assert not (tmp_path / "runs").exists()


def test_a_live_desk_that_lacks_everything_starts_no_run(tmp_path):
    judged(command("run", document(tmp_path, kind="live"), "--runs", tmp_path / "runs"), REFUSED, "live")
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["state"]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "-rf", "a b"])
def test_a_desks_name_leads_nowhere_else(tmp_path, name):
    config = document(tmp_path)
    config.write_text(config.read_text().replace('name = "small"', f'name = "{name}"'))
    judged(command("run", config, "--runs", tmp_path / "runs"), REFUSED, "desk.name")


def test_all_contradictions_are_told_at_once(tmp_path):
    done = command("run", document(tmp_path, desk="speed = -1\nrollover_hour = 99"), "--runs", tmp_path / "runs")
    judged(done, REFUSED, "speed", "rollover_hour")


def test_all_unknown_keys_and_wrong_types_are_told_at_once(tmp_path):
    config = document(tmp_path, desk="colour = 'red'\nseed = 'seven'", rest="lot = 1\n[risk]\nmax_positon = 1")
    done = command("run", config, "--runs", tmp_path / "runs")
    judged(done, COULD_NOT_JUDGE, "small.toml", "'colour'", "desk.seed", "'lot'", "instances.touch.policy",
           "'max_positon'")  # fmt: skip


def test_data_folder_that_is_absent_could_not_be_judged(tmp_path):
    config = document(tmp_path)
    text = config.read_text().replace('format = "demo"', 'format = "lean_fx_ticks"\npath = "$TRADEWORTHY_DATA/x.zip"')
    config.write_text(text)
    nowhere = tmp_path / "nowhere"
    done = command("run", config, "--runs", tmp_path / "runs", TRADEWORTHY_DATA=str(nowhere))
    judged(done, COULD_NOT_JUDGE, str(nowhere), "TRADEWORTHY_DATA")
    nowhere.mkdir()
    done = command("run", config, "--runs", tmp_path / "runs", TRADEWORTHY_DATA=str(nowhere))
    judged(done, COULD_NOT_JUDGE, str(nowhere / "x.zip"))


@pytest.mark.parametrize("words", [["run", "absent.toml"], ["backtest", "run", "absent.toml"], ["replay", "absent"],
                                   ["journal", "verify", "absent"], ["journal", "show", "absent"],
                                   ["nonsense"], ["run"], ["demo", "--colour"]])  # fmt: skip
def test_missing_inputs_and_wrong_words_could_not_be_judged(words):
    judged(command(*words), COULD_NOT_JUDGE)


def test_an_override_beats_the_environment_and_the_file(tmp_path):
    config = document(tmp_path, kind="backtest", rows=50)
    words = ("backtest", "run", config, "--runs", tmp_path)
    by_environment = command(*words, TRADEWORTHY__DESK__SEED="8")
    by_word = command(*words, "--set", "desk.seed=9", TRADEWORTHY__DESK__SEED="8")
    seeds = [re.search(r'"seed":(\d+)', (folder_of(done) / "configuration.json").read_text()).group(1)
             for done in (by_environment, by_word)]  # fmt: skip
    assert seeds == ["8", "9"]


def test_the_instance_word_runs_one_and_an_unknown_one_is_usage(tmp_path):
    config = document(tmp_path, kind="backtest", rows=50)
    judged(command("backtest", "run", config, "--runs", tmp_path, "--instance", "nobody"), COULD_NOT_JUDGE, "touch")
