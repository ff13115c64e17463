"""A bench for one supervisor, or for several, each closed when its test is over."""

import pytest
from supervision_bench import Bench


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def benches():
    made = []

    def build(**options):
        made.append(Bench(**options))
        return made[-1]

    yield build
    for one in made:
        one.close()
