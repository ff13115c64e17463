"""Which events were accepted: one number a source where it numbers its messages, else one entry an id (JR-03).

A numbered event has the id `source:source_seq`. Its identity costs no memory of its own: the watermark says that it
came, gaps (sorted, one pair a gap) say what is still missing, and a repeated one is compared with its stored line,
found from a mark no more than `MARK_EVENTS` before it.
"""

from bisect import bisect_right
from pathlib import Path

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.journal.reader import first_seq_of, open_segment, segment_paths, skip
from tradeworthy.kernel.journal.verify import HEADER_PREFIX, SEAL_PREFIX

MARK_EVENTS = 4_096
_LOWEST = -(1 << 63)


class Identity:
    """The index that makes an append idempotent.

    watermarks  highest number of each numbering source;  ids  seq of every other event by its id
    """

    __slots__ = ("_directory", "_gaps", "_marks", "_path", "ids", "watermarks")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.watermarks: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        self._gaps: dict[str, list[tuple[int, int]]] = {}
        self._marks: list[tuple[int, Path, int, dict[str, int]]] = []
        self._path = directory

    def begin(self, path: Path) -> None:
        """Note that a segment begins."""
        self._path = path
        self._marks.append((first_seq_of(path), path, 0, dict(self.watermarks)))

    def mark(self, next_seq: int, offset: int) -> None:
        """Note that `next_seq` will stand at `offset`, unless the last mark is near enough."""
        if next_seq - self._marks[-1][0] >= MARK_EVENTS:
            self._marks.append((next_seq, self._path, offset, dict(self.watermarks)))

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
        return True

    def find(self, event_id: str, seq: int | None, source: str, number: int | None) -> tuple[int, bytes]:
        """Return seq and stored line of an accepted event; scans from the nearest mark before it."""
        if seq is not None:
            at = bisect_right([mark[0] for mark in self._marks], seq) - 1
        else:
            below = [i for i, mark in enumerate(self._marks) if number is None or mark[3].get(source, _LOWEST) < number]
            at = below[-1] if below else 0
        _, path, offset, _ = self._marks[max(0, at)]
        needle = b'"event_id":"%s"' % event_id.encode()
        paths = segment_paths(self._directory)
        name = path.name.partition(".")[0]
        for segment in paths:
            if segment.name.partition(".")[0] < name:
                continue
            with open_segment(segment) as file:
                if segment.name.partition(".")[0] == name:
                    skip(file, offset)
                for line in file:
                    if needle in line[:4096] and not line.startswith((SEAL_PREFIX, HEADER_PREFIX)):
                        comma = line.index(b",")
                        if line.startswith(needle, comma + 1):
                            return int(line[7:comma]), line
        raise HaltTrading(f"expected the stored line of {event_id!r}, found none")
