"""Every small desk gives its frozen statistics and digest; a changed one fails until it is frozen anew, knowingly."""

import pytest
from regenerate import RESULTS, differences, frozen, main, plain
from small_desks import DESKS, play

from tradeworthy.app import config
from tradeworthy.app.bootstrap import instruments_of, provenances_of, risk_policy
from tradeworthy.operations.assessments.collectors.second_look import SecondLook
from tradeworthy.trading.model import SubmitOrder

NAMES = [desk.name for desk in DESKS]


@pytest.fixture(scope="module")
def played():
    return {}


def result_of(desk, played):
    if desk.name not in played:
        document = config.parse(desk.document, origin=desk.name)
        policy, instruments = risk_policy(document), instruments_of(document)
        look = SecondLook(instruments, policy, document.desk.capital, provenances_of(document))
        broken, orders = [], []

        def beside(event):
            broken.extend((code, event) for code in look.take(event))
            if type(event.payload) is SubmitOrder:
                orders.append(event)

        played[desk.name] = plain(play(desk, beside=beside))
        played[f"{desk.name}: second look"] = broken, orders
    return played[desk.name]


@pytest.mark.parametrize("desk", DESKS, ids=NAMES)
def test_a_small_desk_gives_its_frozen_result(desk, played):
    lines = list(differences(frozen(desk.name), result_of(desk, played)))
    assert lines == [], "run `python tests/golden/regenerate.py` and read what changed"


@pytest.mark.parametrize("desk", DESKS, ids=NAMES)
def test_a_second_look_finds_no_order_of_a_small_desk_beyond_a_limit(desk, played):
    result_of(desk, played)
    broken, orders = played[f"{desk.name}: second look"]
    assert broken == []
    assert orders


def test_every_frozen_result_has_its_desk():
    assert sorted(path.stem for path in RESULTS.glob("*.json")) == sorted(NAMES)


@pytest.mark.parametrize("desk", DESKS, ids=NAMES)
def test_a_small_desk_trades_and_its_sources_add_up(desk, played):
    result = result_of(desk, played)
    profit, costs = result["profit"], result["costs"]["all"]
    assert result["activity"]["fills"] >= 10
    assert float(profit["net"]) == pytest.approx(float(profit["gross"]) - float(profit["fees"]), abs=1e-9)
    assert float(costs["total"]) == pytest.approx(sum(float(costs[n]) for n in ("spread", "slippage", "fees")))


def test_the_kill_leaves_no_position_and_no_fill_after_it(played):
    desk = next(one for one in DESKS if one.name == "kill_in_the_middle")
    result = result_of(desk, played)
    assert set(result["position"].values()) == {0}
    assert result["activity"]["guard_changes"] >= 1


def test_funding_of_both_signs_reaches_the_profit(played):
    result = result_of(next(one for one in DESKS if one.name == "funding_on_a_perpetual"), played)
    assert float(result["profit"]["funding"]) != 0


def test_bars_alone_state_spread_and_slippage_apart_from_fees(played):
    result = result_of(next(one for one in DESKS if one.name == "trend_on_bars_alone"), played)
    taker = result["costs"]["taker"]
    assert float(taker["spread"]) > 0
    assert float(taker["slippage"]) > 0
    assert result["costs"]["unpriced"] == 0


def test_a_desk_played_twice_gives_the_same_digest(played):
    desk = next(one for one in DESKS if one.name == "mean_reversion")
    assert plain(play(desk))["digest"] == result_of(desk, played)["digest"]


def test_differences_name_the_place_and_both_values():
    assert list(differences({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": 4}], "d": 3})) == [
        "a[1].b: 2 -> 4", "c: 3 -> None", "d: None -> 3",
    ]


def test_an_unknown_desk_is_not_regenerated(capsys):
    assert main(["nothing"]) == 3
    assert "ema_trend" in capsys.readouterr().out
