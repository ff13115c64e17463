"""Every strategy is found by its name and built the same way."""

import msgspec
import pytest
from strategy_views import BTC

from tradeworthy.trading.strategies.catalogue import CATALOGUE


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_strategy_is_built_from_its_defaults(name):
    entry = CATALOGUE[name]
    strategy = entry.strategy("one", BTC, entry.parse({}))
    assert (strategy.instance, strategy.instrument_id) == ("one", BTC.instrument_id)
    assert strategy.decides_on


def test_a_policy_is_parsed_and_a_wrong_type_refused():
    assert CATALOGUE["ema_trend"].parse({"fast": 10, "exit": "flip"}).fast == 10
    with pytest.raises(msgspec.ValidationError):
        CATALOGUE["ema_trend"].parse({"exit": "never"})


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_policy_key_nobody_knows_is_refused(name):
    with pytest.raises(msgspec.ValidationError, match="fsat"):
        CATALOGUE[name].parse({"fsat": 10})
