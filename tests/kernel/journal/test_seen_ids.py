"""Ids that came are known exactly, and cost as much as they have holes."""

from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.journal.integrity import SeenIds

IDS = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(["desk", "tape.a", ""]), st.integers(0, 30)),
    st.sampled_from(["run:started", "a", "", ":", "desk:007", "desk:-1", "desk:٣", "desk:1:", "desk:0", "7"]),
)


@given(st.lists(IDS, max_size=60))
def test_it_knows_what_a_set_knows(ids):
    seen, plain = SeenIds(), set()
    for one in ids:
        assert (one in seen) == (one in plain)
        assert seen.add(one) == (one in plain)
        plain.add(one)
    assert all(one in seen for one in plain)


def test_a_million_numbered_ids_are_one_entry_and_a_hole_one_more():
    seen = SeenIds()
    for number in range(1, 100_000):
        assert seen.add(f"desk:{number}") is False
    assert len(seen) == 2  # the source, and what would stand before its first number
    seen.add("desk:100001")
    assert len(seen) == 3
    assert "desk:100000" not in seen
    assert seen.add("desk:100000") is False
    assert len(seen) == 2
    assert seen.add("desk:100000") is True
