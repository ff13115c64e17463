"""The same document gives the same bytes, whatever the process."""

import pytest
from desk_process import command, digest_of, document, folder_of, kinds_of


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Two backtests of one document, in processes with other hash seeds and other homes of their runs."""
    place = tmp_path_factory.mktemp("twins")
    config = document(place, kind="backtest", rows=2_000)
    return [command("backtest", "run", config, "--runs", place / seed, PYTHONHASHSEED=seed) for seed in ("1", "2")]


def test_two_processes_print_the_same_digest(twins):
    assert [one.returncode for one in twins] == [0, 0]
    assert digest_of(twins[0]) == digest_of(twins[1])


def test_two_backtests_leave_folders_of_the_same_bytes(twins):
    first, second = (
        {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        for folder in map(folder_of, twins)
    )
    assert list(first) == list(second)
    assert len(first) > 5
    assert [name for name in first if first[name] != second[name]] == []


def test_the_twins_traded_at_all(twins):
    kinds = kinds_of(folder_of(twins[0]))
    assert kinds.count("command.submit") > 100
    assert kinds.count("ledger.fill_booked") > 100


def test_another_seed_is_another_run_and_an_earlier_run_stays(tmp_path):
    config = document(tmp_path, kind="backtest", rows=200)
    one = command("backtest", "run", config, "--runs", tmp_path)
    again = command("backtest", "run", config, "--runs", tmp_path)
    other = command("backtest", "run", config, "--runs", tmp_path, "--set", "desk.seed=8")
    folders = [folder_of(done) for done in (one, again, other)]
    assert len(set(folders)) == 3
    assert folders[1].name == f"{folders[0].name}-2"
    assert not folders[2].name.startswith(folders[0].name)
