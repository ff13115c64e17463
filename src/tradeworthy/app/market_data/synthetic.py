"""Synthetic tapes of a document: a named recipe of `trading/simulation/synthetic.py`, its walk and its seed."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.app.config import TapeSection
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.kernel.ids import digest_of
from tradeworthy.trading.simulation.synthetic import SOURCE, Tape, Walk, l2_flow, quotes

MONDAY_2024_NS = 1_704_067_200_000_000_000
"""Where made markets begin unless the walk says otherwise: 2024-01-01 00:00 UTC."""

RECIPES: Mapping[str, Callable[..., Tape]] = MappingProxyType({"quotes": quotes, "l2_flow": l2_flow})


class Recipe(msgspec.Struct, frozen=True):
    """Which made market: the same recipe gives the same rows."""

    kind: str
    walk: Walk
    seed: int

    @property
    def text(self) -> str:
        """What people are told of the origin."""
        return f"{SOURCE} {self.kind}, {self.walk.steps} steps, seed {self.seed}; nobody traded at these prices"

    def digest(self) -> str:
        """Return the hash of the recipe, which stands for the hash of its rows."""
        return digest_of(SOURCE, self.kind, str(self.seed), msgspec.json.encode(self.walk, order="sorted").decode())

    def rows(self) -> Iterator[TapeRow]:
        """Yield the made rows; they arrive when they happen."""
        for ts, fact in RECIPES[self.kind](self.walk, seed=self.seed):
            yield ts, ts, fact


def recipe_of(section: TapeSection) -> Recipe:
    """Return the section's recipe.

    Raises `UsageError` for an unknown key or a wrong type of the walk (CFG-01), `ConfigurationRefused` for an unknown
    kind or a walk that cannot be.
    """
    kind = section.kind or "quotes"
    if kind not in RECIPES:
        raise ConfigurationRefused(
            f"tape {section.name!r}: a synthetic tape's kind must be one of {', '.join(RECIPES)}, was {kind!r}"
        )
    unknown = sorted(set(section.walk) - set(Walk.__struct_fields__))
    if unknown or "instrument" in section.walk:
        found = ", ".join(unknown) or "instrument"
        known = ", ".join(name for name in Walk.__struct_fields__ if name != "instrument")
        raise UsageError(f"tapes.{section.name}.walk: expected keys of {known}, found {found}")
    try:
        walk = msgspec.convert({"ts": MONDAY_2024_NS, **section.walk, "instrument": section.instrument}, Walk)
    except msgspec.ValidationError as problem:
        raise UsageError(f"tapes.{section.name}.walk: {problem}") from None
    except InvalidInput as problem:
        raise ConfigurationRefused(f"tape {section.name!r}: {problem}") from None
    return Recipe(kind, walk, section.seed)
