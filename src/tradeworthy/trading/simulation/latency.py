"""How long messages take to the venue and back (SV-05): constant, or drawn from recorded samples."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.errors import InvalidInput

_DEFAULT_NS = 150 * NANOS_PER_MILLI


class Delays(Protocol):
    """One delay a message, nanoseconds."""

    def submit(self) -> int: ...
    def cancel(self) -> int: ...
    def amend(self) -> int: ...
    def report(self) -> int: ...
    def data(self) -> int: ...


class Latency(msgspec.Struct, frozen=True):
    """Constant delays in nanoseconds; `data_ns` delays what the desk sees, and is applied by the feed."""

    submit_ns: int = _DEFAULT_NS
    cancel_ns: int = _DEFAULT_NS
    amend_ns: int = _DEFAULT_NS
    report_ns: int = _DEFAULT_NS
    data_ns: int = 0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) < 0:
                raise InvalidInput(f"{name} must be at least zero, was {getattr(self, name)}")

    @classmethod
    def every(cls, nanos: int, *, data_ns: int = 0) -> "Latency":
        """Return the same delay for each command and report."""
        return cls(nanos, nanos, nanos, nanos, data_ns)

    @classmethod
    def base(cls, base_ns: int, *, insert_ns: int, cancel_ns: int) -> "Latency":
        """Return a base delay each way and an extra one for inserts (and amends) and for cancels."""
        return cls(base_ns + insert_ns, base_ns + cancel_ns, base_ns + insert_ns, base_ns, 0)

    def delays(self, seed: int) -> Delays:
        """Return the running delays; constant ones need no seed."""
        return _Constant(self)


class RecordedLatency(msgspec.Struct, frozen=True):
    """Delays drawn with replacement from recorded samples, nanoseconds; equal seed, equal draws."""

    submit: tuple[int, ...]
    cancel: tuple[int, ...]
    amend: tuple[int, ...]
    report: tuple[int, ...]
    data: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            samples = getattr(self, name)
            if not samples or min(samples) < 0:
                raise InvalidInput(f"{name} needs samples of at least zero, was {samples!r}")

    def delays(self, seed: int) -> Delays:
        """Return the running delays of one seeded run."""
        return _Drawn(self, Random(seed))


class LatencyModel(Protocol):
    """What a venue accepts: something that starts a run of delays."""

    def delays(self, seed: int) -> Delays: ...


NO_LATENCY = Latency.every(0)
LATENCY_50_MS = Latency.every(50 * NANOS_PER_MILLI)
LATENCY_100_50_30_MS = Latency.base(
    100 * NANOS_PER_MILLI, insert_ns=50 * NANOS_PER_MILLI, cancel_ns=30 * NANOS_PER_MILLI
)


class _Constant:
    __slots__ = ("_latency",)

    def __init__(self, latency: Latency) -> None:
        self._latency = latency

    def submit(self) -> int:
        return self._latency.submit_ns

    def cancel(self) -> int:
        return self._latency.cancel_ns

    def amend(self) -> int:
        return self._latency.amend_ns

    def report(self) -> int:
        return self._latency.report_ns

    def data(self) -> int:
        return self._latency.data_ns


class _Drawn:
    __slots__ = ("_random", "_recorded")

    def __init__(self, recorded: RecordedLatency, random: Random) -> None:
        self._recorded, self._random = recorded, random

    def _draw(self, samples: Sequence[int]) -> int:
        return samples[self._random.randrange(len(samples))]

    def submit(self) -> int:
        return self._draw(self._recorded.submit)

    def cancel(self) -> int:
        return self._draw(self._recorded.cancel)

    def amend(self) -> int:
        return self._draw(self._recorded.amend)

    def report(self) -> int:
        return self._draw(self._recorded.report)

    def data(self) -> int:
        return self._draw(self._recorded.data)
