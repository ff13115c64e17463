"""Facts that the journal keeps about itself."""

from tradeworthy.kernel.facts import Fact, fact

HEARTBEAT_INTERVAL_S = 10


@fact("journal.heartbeat")
class Heartbeat(Fact, frozen=True):
    """The desk lives; `slot` is the UTC time divided by the interval of 10 s."""

    slot: int


@fact("journal.torn_tail")
class TornTail(Fact, frozen=True):
    """An unsealed tail was cut at the start: kept in `file`, `size` bytes after seq `after`."""

    file: str
    size: int
    after: int


@fact("input.quarantined")
class InputQuarantined(Fact, frozen=True):
    """An input was refused at the door; `sha256` finds its bytes in the quarantine. `source` is empty if unknown."""

    source: str
    reason: str
    size: int
    sha256: str


@fact("feed.conflated")
class FeedConflated(Fact, frozen=True):
    """`count` messages of one instrument gave way to newer ones of the same kind before the desk took them."""

    kind_of: str
    instrument: str
    count: int


@fact("loss.acknowledged")
class LossAcknowledged(Fact, frozen=True):
    """Two people accept that events of `source` from `first` to `last` are lost (JR-13); never taken back."""

    source: str
    first: int
    last: int
    reason: str
    people: tuple[str, str]

    def __post_init__(self) -> None:
        if len({person.strip().casefold() for person in self.people} - {""}) != 2:
            raise ValueError(f"a loss is acknowledged by two different people, was {self.people}")
        if not self.reason.strip() or self.last < self.first:
            raise ValueError(f"a loss needs a reason and a range, was {self.reason!r}, {self.first} to {self.last}")


@fact("retention.deleted")
class Deleted(Fact, frozen=True):
    """Retention removed or archived a file: name, SHA-256 of its bytes, and the rule that allowed it."""

    name: str
    sha256: str
    rule: str
