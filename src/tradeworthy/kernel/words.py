"""Closed sets of words: enums that are keys on hot paths."""

from enum import Enum


class Word(Enum):
    """An enum hashed by identity: `Enum` hashes its member's name in Python code at each look-up.

    The hash differs between processes, so the order of a set of words must never show; a dict keeps its own order.
    """

    __hash__ = object.__hash__
