"""A market store in memory, and feeds made of rows: what the cycle is tried with."""

from collections import Counter

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.ingest.ports import Counted
from tradeworthy.trading.model import Quote

X = "X.Y"
SECOND = 10**9
NOW = 1_800_000_000 * SECOND


def quote(ts, bid=99, ask=101, instrument=X):
    return ts, ts + 1, Quote(instrument, bid, ask, 5, 5)


def quotes(count, *, start=NOW - 3600 * SECOND):
    return [quote(start + number * SECOND, 99 + number % 7, 107 + number % 5) for number in range(count)]


class HeldMarket:
    """Keep rows by their key, and runs and seals with them or not at all."""

    place = "memory"

    def __init__(self):
        self.rows, self.seals, self.noted, self.closed = {}, {}, [], False

    def sealed(self, source, digest):
        return self.seals.get((source, digest))

    def take(self, source, rows, conclude):
        staged, seen = {}, Counter()
        for ts, ts_init, event in rows:
            kind = type(event)
            where = (source, event.instrument, kind, ts)
            staged[(*where, seen[where])] = (ts_init, event)
            seen[where] += 1
        others = [key for key, row in staged.items() if self.rows.get(key, row) != row]
        if others:
            raise InvalidInput(f"{len(others)} rows must equal those held, were others")
        known = sum(key in self.rows for key in staged)
        counted = Counted(len(staged) - known, known)
        concluded = conclude(counted)
        self.rows |= staged
        self.noted.append(concluded.run)
        if concluded.seal is not None:
            self.seals[source, concluded.seal.digest] = concluded.seal
        return counted

    def count(self, kind):
        return sum(one[2].__name__.lower() == kind for one in self.rows)

    def runs(self):
        return len(self.noted)

    def close(self):
        self.closed = True


class Feed:
    """A source of rows; `bad` are lines that its reader could not use, `absent` says that it is not there."""

    def __init__(self, name, rows, *, bad=(), absent="", digest=None, instrument=X):
        self.name, self.instrument, self.bad, self.absent = name, instrument, bad, absent
        self.held, self.read, self._digest = list(rows), 0, digest

    def digest(self):
        if self.absent:
            raise UsageError(self.absent)
        return self._digest or f"{self.name} {len(self.held)} {len(self.bad)}"

    def rows(self, on_bad):
        self.read += 1
        for line in self.bad:
            on_bad(line, "a line must have 5 fields")
        yield from self.held
