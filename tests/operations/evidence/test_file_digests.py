"""A file's digest and those of its chunks, however they are read: from a folder as from memory (EV-03)."""

import hashlib

import pytest

from tradeworthy.operations.evidence.judge import FileMap
from tradeworthy.operations.evidence.verify_bundle import Folder
from tradeworthy.operations.evidence.vocabulary import CHUNK_BYTES


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3_333_333])
def test_a_folder_and_a_page_find_the_same_digests_at_every_edge_of_a_chunk(tmp_path, size):
    data = b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]
    (tmp_path / "log").write_bytes(data)
    found = Folder(tmp_path).digests("log")
    assert found == FileMap({"log": data}).digests("log")
    assert found[:2] == (size, hashlib.sha256(data).hexdigest())
    assert found[2] == [hashlib.sha256(data[at : at + CHUNK_BYTES]).hexdigest() for at in range(0, size, CHUNK_BYTES)]


def test_a_file_that_is_not_there_is_no_digest(tmp_path):
    with pytest.raises(FileNotFoundError):
        Folder(tmp_path).digests("log")
