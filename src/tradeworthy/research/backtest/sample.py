"""An even sample of bounded size: every one, then every second one, then every fourth."""

from typing import Generic, TypeVar

T = TypeVar("T")


class EvenSample(Generic[T]):
    """Keep at most `kept_max` of what comes, spread evenly over all of it: when full, every second one goes."""

    __slots__ = ("_every", "_kept_max", "_seen", "kept")

    def __init__(self, kept_max: int) -> None:
        if kept_max < 2:
            raise ValueError(f"a sample keeps at least two, was {kept_max}")
        self._kept_max = kept_max
        self._seen, self._every = 0, 1
        self.kept: list[T] = []

    def due(self) -> bool:
        """Count one more and tell whether it belongs to the sample; then call `add`."""
        due = self._seen % self._every == 0
        self._seen += 1
        return due

    def add(self, one: T) -> None:
        """Keep one that is due."""
        if len(self.kept) >= self._kept_max:
            del self.kept[1::2]
            self._every *= 2
        if (self._seen - 1) % self._every == 0:
            self.kept.append(one)
