"""A kind of fact has one owner."""

import importlib
import pkgutil

import pytest

import tradeworthy
from tradeworthy.kernel.facts import KINDS, Fact, fact


def test_a_kind_is_registered_once():
    @fact("test.kind")
    class First(Fact, frozen=True):
        value: int

    with pytest.raises(ValueError, match="registered already"):

        @fact("test.kind")
        class Second(Fact, frozen=True):
            other: int

    assert KINDS.pop("test.kind") is First


def test_every_module_of_the_package_can_be_imported_beside_every_other():
    names = [one.name for one in pkgutil.walk_packages(tradeworthy.__path__, "tradeworthy.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    assert len(KINDS) > 40
