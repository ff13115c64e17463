"""Every strategy by the name that configuration uses: the name of its file, so that a new one is only a new file."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

import msgspec

from tradeworthy.trading import strategies
from tradeworthy.trading.model import Strategy


class Entry(NamedTuple):
    """A strategy, built as `strategy(instance, instrument, policy)`, and the type of its policy."""

    strategy: Callable[..., Strategy]
    policy: type[msgspec.Struct]

    def parse(self, raw: Mapping[str, Any]) -> msgspec.Struct:
        """Return the policy from plain values; raises `msgspec.ValidationError` for a wrong type or value."""
        return msgspec.convert(dict(raw), self.policy)


class Catalogue(Mapping[str, Entry]):
    """Find `touch_quoter` as class `TouchQuoter` with policy `TouchQuoterPolicy` in the module of that name (ST-01).

    prefix  of the modules, with its dot; empty = top-level modules
    names   the modules that may be strategies; others of the package are no strategies and are passed by
    """

    def __init__(self, prefix: str, names: tuple[str, ...]) -> None:
        self._prefix, self._names = prefix, names

    def __getitem__(self, name: str) -> Entry:
        if name not in self._names:
            raise KeyError(name)
        module = import_module(self._prefix + name)
        title = "".join(part.capitalize() for part in name.split("_"))
        strategy, policy = getattr(module, title, None), getattr(module, f"{title}Policy", None)
        if strategy is None or policy is None:
            raise KeyError(name)
        return Entry(strategy, policy)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


CATALOGUE: Mapping[str, Entry] = Catalogue(
    f"{strategies.__name__}.", tuple(sorted(module.name for module in iter_modules(strategies.__path__)))
)
