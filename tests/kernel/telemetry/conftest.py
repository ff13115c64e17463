"""A bench for one bus, or for several, each closed when its test is over."""

import pytest
from telemetry_bench import BusBench


@pytest.fixture
def benches():
    made = []

    def build(**policy):
        made.append(BusBench(**policy))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture
def bench(benches):
    return benches()
