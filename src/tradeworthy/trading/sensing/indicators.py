"""Running indicators: O(1) a bar, fed by closed bars in ticks, equal to the brute-force formula."""

from collections import deque
from math import sqrt

GAP_BARS_MAX = 5
"""More filled bars in a row than this make an indicator not ready for its n bars."""


class Ema:
    """Exponential mean, alpha 2/(n+1), seeded with the first value, ready after n real values."""

    __slots__ = ("_alpha", "_count", "_seeded", "period", "ready", "value")

    def __init__(self, period: int) -> None:
        self.period = _positive(period)
        self.value = 0.0
        self._seeded = False
        self.ready = False
        self._alpha = 2.0 / (period + 1)
        self._count = 0

    def update(self, value: float) -> None:
        """Take the next value."""
        if self.ready:
            self.value += self._alpha * (value - self.value)
            return
        if not self._seeded:
            self.value, self._seeded = float(value), True
        else:
            self.value += self._alpha * (value - self.value)
        self._count += 1
        self.ready = self._count >= self.period

    def interrupt(self) -> None:
        """Keep the value but wait for n values again."""
        self._count, self.ready = 0, False


class Ewma:
    """Exponential mean with a stated weight; None before the first value."""

    __slots__ = ("_alpha", "value")

    def __init__(self, alpha: float) -> None:
        if not 0.0 < alpha <= 1.0:
            raise ValueError(f"alpha must be in (0, 1], was {alpha}")
        self._alpha = alpha
        self.value: float | None = None

    def update(self, value: float) -> float:
        """Take the next value and return the mean."""
        self.value = value if self.value is None else self.value + self._alpha * (value - self.value)
        return self.value


class Atr:
    """Average true range after Wilder: mean of the first n, then (ATR·(n-1)+TR)/n. The first range is high - low."""

    __slots__ = ("_close", "_count", "_ranges", "_seeded", "_sum", "period", "ready", "value")

    def __init__(self, period: int) -> None:
        self.period = _positive(period)
        self.value = 0.0
        self.ready = False
        self._close: float | None = None
        self._sum = 0.0
        self._ranges = 0
        self._count = 0
        self._seeded = False

    def update(self, high: float, low: float, close: float) -> None:
        """Take the next bar, in ticks."""
        before = self._close
        true_range = high - low
        if before is not None:
            true_range = max(true_range, abs(high - before), abs(low - before))
        self._close = close
        period = self.period
        if self._seeded:
            self.value = (self.value * (period - 1) + true_range) / period
        else:
            self._sum += true_range
            self._ranges += 1
            if self._ranges == period:
                self.value = self._sum / period
                self._seeded = True
        if not self.ready:
            self._count += 1
            self.ready = self._count >= period

    def interrupt(self) -> None:
        """Keep the value but wait for n bars again."""
        self._count, self.ready = 0, False


class Rsi:
    """Relative strength index after Wilder, 0 to 100; 50 where nothing moved. Ready after n changes."""

    __slots__ = ("_changes", "_close", "_count", "_gain", "_loss", "period", "ready")

    def __init__(self, period: int) -> None:
        self.period = _positive(period)
        self.ready = False
        self._close: float | None = None
        self._gain = self._loss = 0.0
        self._changes = self._count = 0

    @property
    def value(self) -> float:
        """The index; the mean gain and loss of the first n changes are plain means."""
        if self._loss == 0.0:
            return 50.0 if self._gain == 0.0 else 100.0
        return 100.0 - 100.0 / (1.0 + self._gain / self._loss)

    def update(self, close: float) -> None:
        """Take the next close."""
        before, self._close = self._close, close
        if before is None:
            return
        change = close - before
        gain, loss = (change, 0.0) if change > 0 else (0.0, -change)
        period = self.period
        self._changes += 1
        if self._changes <= period:  # running mean of the first n
            self._gain += (gain - self._gain) / self._changes
            self._loss += (loss - self._loss) / self._changes
        else:
            self._gain = (self._gain * (period - 1) + gain) / period
            self._loss = (self._loss * (period - 1) + loss) / period
        if not self.ready:
            self._count += 1
            self.ready = self._count >= period

    def interrupt(self) -> None:
        """Keep the means but wait for n changes again."""
        self._count, self.ready = 0, False


class Bollinger:
    """Mean and population deviation of the last n closes in whole ticks; the sums are integers, so exact for ever."""

    __slots__ = ("_square", "_sum", "_window", "period", "ready", "width")

    def __init__(self, period: int, width: float) -> None:
        self.period = _positive(period)
        self.width = width
        self.ready = False
        self._window: deque[int] = deque()
        self._sum = self._square = 0

    def update(self, close: int) -> None:
        """Take the next close in ticks."""
        self._window.append(close)
        self._sum += close
        self._square += close * close
        if len(self._window) > self.period:
            gone = self._window.popleft()
            self._sum -= gone
            self._square -= gone * gone
        self.ready = len(self._window) == self.period

    @property
    def mean(self) -> float:
        return self._sum / len(self._window)

    @property
    def deviation(self) -> float:
        n = len(self._window)
        return sqrt(n * self._square - self._sum * self._sum) / n

    @property
    def lower(self) -> float:
        return self.mean - self.width * self.deviation

    @property
    def upper(self) -> float:
        return self.mean + self.width * self.deviation

    def interrupt(self) -> None:
        """Forget the window: closes across a hole are not neighbours."""
        self._window.clear()
        self._sum = self._square = 0
        self.ready = False


class GapWatch:
    """Count filled bars in a row; tell once when there were too many."""

    __slots__ = ("_filled",)

    def __init__(self) -> None:
        self._filled = 0

    def filled(self) -> bool:
        """Note a filled bar; True at the first that is one too many."""
        self._filled += 1
        return self._filled == GAP_BARS_MAX + 1

    def real(self) -> None:
        """Note a real bar."""
        self._filled = 0


def _positive(period: int) -> int:
    if period < 1:
        raise ValueError(f"period must be at least 1, was {period}")
    return period
