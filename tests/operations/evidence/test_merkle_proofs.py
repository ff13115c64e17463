"""Trees of RFC 6962: every leaf is proved, every prefix is consistent, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.operations.evidence.canonical import consistent, root_by_inclusion, sha256_hex
from tradeworthy.operations.evidence.tree import consistency_path, inclusion_path, inclusion_paths, root_of

SIZES = st.integers(1, 70)


def leaves(size):
    return [sha256_hex(b"%d" % number) for number in range(size)]


@given(SIZES, st.data())
def test_each_leaf_is_proved_at_its_own_place_only(size, data):
    digests = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(digests, index)
    assert path == inclusion_paths(digests)[index]
    assert root_by_inclusion(digests[index], index, size, path) == root_of(digests)
    other = data.draw(st.integers(0, size + 1).filter(lambda one: one != index))
    assert root_by_inclusion(digests[index], other, size, path) != root_of(digests)


@given(SIZES, st.data())
def test_a_longer_tree_is_consistent_with_each_of_its_beginnings(size, data):
    digests = leaves(size)
    first = data.draw(st.integers(0, size))
    proof = consistency_path(digests, first)
    assert consistent(first, size, root_of(digests[:first]), root_of(digests), proof)


@given(st.integers(2, 40), st.data())
def test_a_tree_that_changed_an_old_leaf_is_not_consistent(size, data):
    digests = leaves(size)
    first = data.draw(st.integers(1, size - 1))
    forked = list(digests)
    forked[data.draw(st.integers(0, first - 1))] = sha256_hex(b"forked")
    assert not consistent(first, size, root_of(digests[:first]), root_of(forked), consistency_path(forked, first))


def test_known_roots_of_the_certificate_transparency_tests_shape():
    assert root_of([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert len(inclusion_path(leaves(8), 5)) == 3
    assert len(inclusion_path(leaves(7), 6)) == 2
    assert consistency_path(leaves(4), 4) == []


def test_a_place_outside_of_the_tree_is_refused():
    with pytest.raises(IndexError, match="below 3"):
        inclusion_path(leaves(3), 3)
    with pytest.raises(IndexError, match="at most 3"):
        consistency_path(leaves(3), 4)
