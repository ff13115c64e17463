"""Which events were accepted: one number a source where it numbers its messages, else one entry an id (JR-03).

A numbered event has the id `source:source_seq`. Its identity costs no memory of its own: the watermark says that it
came, gaps (sorted, one pair a gap) say what is still missing, and a number that filled a gap late is noted with the
place where it did. A repeated event is compared with its stored line. Sparse marks, at least `SPACING_EVENTS` apart,
say where a batch begins, so that a look-up reads one short piece of one file however long the journal is. Past
`MARKS_MAX` marks every second one goes and the spacing doubles: the marks never take more than some megabytes. In a
compressed segment the piece is reached by decompressing what stands before it.
"""

from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.journal.reader import first_seq_of, open_segment, skip
from tradeworthy.kernel.redaction import scrub

SPACING_EVENTS = 64
MARKS_MAX = 1 << 16
_LOWEST = -(1 << 63)


class _Track:
    """Where the numbers of one source came: those up to `numbers[i]`, from the entry before, in `[lows[i], highs[i])`.

    late  the same bounds for each number that came after a higher one
    """

    __slots__ = ("highs", "late", "lows", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []  # a source may number with more than 64 bits
        self.lows, self.highs = array("Q"), array("Q")
        self.late: dict[int, tuple[int, int]] = {}

    def note(self, number: int, low: int, high: int) -> None:
        self.numbers.append(number)
        self.lows.append(low)
        self.highs.append(high)

    def bounds(self, number: int) -> tuple[int, int | None] | None:
        """Return the seqs between which `number` was stored, None when it came after the last entry."""
        if number in self.late:
            return self.late[number]
        at = bisect_left(self.numbers, number)
        return None if at == len(self.numbers) else (self.lows[at], self.highs[at])

    def thin(self, spacing: int) -> None:
        """Join neighbours that together span no more than `spacing` events."""
        old = zip(self.numbers, self.lows, self.highs, strict=True)
        self.numbers, self.lows, self.highs = [], array("Q"), array("Q")
        for number, low, high in old:
            if self.lows and high - self.lows[-1] <= spacing:
                self.numbers[-1], self.highs[-1] = number, high
            else:
                self.note(number, low, high)


class Identity:
    """The index that makes an append idempotent.

    watermarks  highest number of each numbering source;  ids  seq of every other event by its id
    """

    __slots__ = (
        "_fresh", "_gaps", "_noted", "_offsets", "_places", "_segments", "_seqs", "_spacing", "_tracks", "ids",
        "watermarks",
    )  # fmt: skip

    def __init__(self) -> None:
        self.watermarks: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        self._gaps: dict[str, list[tuple[int, int]]] = {}
        self._fresh: list[tuple[str, int]] = []
        self._tracks: dict[str, _Track] = {}
        self._segments: list[Path] = []
        self._seqs, self._offsets, self._places = array("Q"), array("Q"), array("I")
        self._spacing = SPACING_EVENTS
        self._noted = 1  # every number before this seq has an entry in its source's track

    def begin(self, path: Path) -> None:
        """Note that a segment begins."""
        self._segments.append(path)
        self._mark(first_seq_of(path), 0)

    def mark(self, next_seq: int, offset: int) -> None:
        """Note that `next_seq` will stand at `offset`, unless the last mark is near enough."""
        if next_seq - self._seqs[-1] < self._spacing:
            return
        low, self._noted = self._noted, next_seq
        for source, number in self.watermarks.items():
            track = self._tracks.get(source)
            if track is None:
                track = self._tracks[source] = _Track()
            if not track.numbers or track.numbers[-1] != number:
                track.note(number, low, next_seq)
        for source, number in self._fresh:
            self._tracks[source].late[number] = (low, next_seq)
        self._fresh.clear()
        self._mark(next_seq, offset)
        if len(self._seqs) > MARKS_MAX:
            self._thin()

    def learn(self, seq: int, event_id: str, source: str, number: int | None) -> None:
        """Take one stored event into the index."""
        if number is not None and event_id == f"{source}:{number}":
            if self.watermarks.get(source) == number - 1:
                self.watermarks[source] = number
            elif not self.take_number(source, number):
                raise HaltTrading(f"seq {seq}: expected {event_id!r} once, found it again")
        elif self.ids.setdefault(event_id, seq) != seq:
            raise HaltTrading(f"seq {seq}: expected {event_id!r} once, found it at {self.ids[event_id]} too")

    def take_number(self, source: str, number: int) -> bool:
        """Take a number that does not follow the watermark; False when it came before."""
        highest = self.watermarks.get(source)
        gaps = self._gaps.setdefault(source, [])
        if highest is None or number > highest:
            self.watermarks[source] = number
            begin = _LOWEST if highest is None else highest + 1
            if begin < number:
                gaps.append((begin, number - 1))
            return True
        at = bisect_right(gaps, (number, 1 << 63)) - 1
        if at < 0 or gaps[at][1] < number:
            return False
        low, high = gaps[at]
        gaps[at : at + 1] = [part for part in ((low, number - 1), (number + 1, high)) if part[0] <= part[1]]
        self._fresh.append((source, number))
        return True

    def find(self, event_id: str, seq: int | None, source: str, number: int | None) -> tuple[int, bytes]:
        """Return seq and stored line of an accepted event; reads from the mark before it to the mark after it."""
        low, high = self._bounds(seq, source, number)
        at = max(0, bisect_right(self._seqs, low) - 1)
        needle = scrub(b'"event_id":' + msgspec.json.encode(event_id) + b",")
        while at < len(self._seqs) and (high is None or self._seqs[at] < high):
            piece = self._piece(at)
            found = -1
            while (found := piece.find(needle, found + 1)) >= 0:
                begin = piece.rfind(b"\n", 0, found) + 1
                if piece.startswith(b'{"seq":', begin) and piece.find(b",", begin) + 1 == found:
                    end = piece.find(b"\n", found)
                    return int(piece[begin + 7 : found - 1]), piece[begin : end + 1 or None]
            at += 1
        raise HaltTrading(f"expected the stored line of {event_id!r}, found none")

    def _bounds(self, seq: int | None, source: str, number: int | None) -> tuple[int, int | None]:
        if seq is not None:
            return seq, seq + 1
        assert number is not None, "an event without a number is known by its seq"
        if (source, number) in self._fresh:
            return self._noted, None
        track = self._tracks.get(source)
        found = track.bounds(number) if track is not None else None
        return found or (self._noted, None)

    def _piece(self, at: int) -> bytes:
        """Return the bytes from mark `at` to the next one of the same segment, or to its end."""
        place, offset = self._places[at], self._offsets[at]
        last = at + 1 == len(self._seqs) or self._places[at + 1] != place
        path = self._segments[place]
        if not path.exists():  # retention compressed it, or released the original
            path = path.with_name(path.name.partition(".")[0] + ".jsonl.zst")
        with open_segment(path) as file:
            skip(file, offset)
            return file.read() if last else file.read(self._offsets[at + 1] - offset)

    def _mark(self, seq: int, offset: int) -> None:
        self._seqs.append(seq)
        self._offsets.append(offset)
        self._places.append(len(self._segments) - 1)

    def _thin(self) -> None:
        self._spacing *= 2
        kept = [i for i in range(len(self._seqs)) if i % 2 == 0 or self._offsets[i] == 0]
        self._seqs = array("Q", (self._seqs[i] for i in kept))
        self._offsets = array("Q", (self._offsets[i] for i in kept))
        self._places = array("I", (self._places[i] for i in kept))
        for track in self._tracks.values():
            track.thin(self._spacing)
