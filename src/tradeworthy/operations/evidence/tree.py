"""Make proofs of RFC 6962 trees over digests: inclusion and consistency."""

from tradeworthy.kernel.journal.verify import Merkle, leaf_of, node_of


def root_of(digests: list[str]) -> str:
    """Return the root in hex."""
    tree = Merkle()
    for digest in digests:
        tree.add(digest)
    return tree.root()


def inclusion_path(digests: list[str], index: int) -> list[str]:
    """Return the audit path of the leaf at `index`; raises `IndexError` outside of the tree."""
    if not 0 <= index < len(digests):
        raise IndexError(f"expected an index below {len(digests)}, was {index}")
    level, at, path = [leaf_of(one) for one in digests], index, []
    while len(level) > 1:
        sibling = at ^ 1
        if sibling < len(level):
            path.append(level[sibling].hex())
        level = _above(level)
        at //= 2
    return path


def inclusion_paths(digests: list[str]) -> list[list[str]]:
    """Return the audit path of every leaf."""
    levels = [[leaf_of(one) for one in digests]]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    paths = []
    for index in range(len(digests)):
        path = []
        for depth, level in enumerate(levels[:-1]):
            sibling = (index >> depth) ^ 1
            if sibling < len(level):
                path.append(level[sibling].hex())
        paths.append(path)
    return paths


def consistency_path(digests: list[str], first: int) -> list[str]:
    """Return the proof that the tree of all leaves begins with that of the first ones (RFC 6962, 2.1.2)."""
    if not 0 <= first <= len(digests):
        raise IndexError(f"expected a size of at most {len(digests)}, was {first}")
    if first in (0, len(digests)):
        return []
    return [node.hex() for node in _subproof([leaf_of(one) for one in digests], first, whole=True)]


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [node_of(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + level[-1:] if len(level) % 2 else pairs


def _hash(leaves: list[bytes]) -> bytes:
    level = leaves
    while len(level) > 1:
        level = _above(level)
    return level[0]


def _subproof(leaves: list[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [_hash(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if first <= split:
        return [*_subproof(leaves[:split], first, whole=whole), _hash(leaves[split:])]
    return [*_subproof(leaves[split:], first - split, whole=False), _hash(leaves[:split])]
