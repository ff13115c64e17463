"""A strategy that says nothing is at fault: each evaluation gives targets or a code."""

import pytest
from small_desk import Feed, Scripted, build


def test_silence_is_a_fault_and_stops_the_step():
    feed = Feed(build(Scripted([None])))
    with pytest.raises(TypeError, match="script said nothing"):
        feed.quote()
