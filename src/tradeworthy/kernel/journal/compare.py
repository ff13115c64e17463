"""Compare what was signed before a restart with what is there afterwards (JR-14)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.journal.reader import open_segment, segment_paths
from tradeworthy.kernel.journal.verify import CannotJudge, read_checkpoint, verify

RECOVERY_NANOS_MAX = 180 * NANOS_PER_SECOND
POLL_NANOS = 5 * NANOS_PER_SECOND
VALID_NANOS = 1_200 * NANOS_PER_SECOND
NAMED_MAX = 20
"""Missing events named one by one; the count is that of all."""


class Comparison(msgspec.Struct, frozen=True):
    """The judgement of a restart; `failures` names each component that is not back, `valid_until` ends its use."""

    failures: tuple[str, ...]
    first_bad_seq: int | None
    valid_until: int

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.FAIL if self.failures else ExitCode.PASS


def compare(
    directory: Path, checkpoint: Path, *, public_key: bytes | None, stopped_at: int, serving_at: int | None, now: int,
    down: Sequence[str] = (), acknowledged: Collection[str] = (),
) -> Comparison:
    """Tell whether the signed head is an ancestor of the journal, and service came back in time.

    checkpoint    one envelope of before, or a directory of them: all must hold
    down          components that do not answer;  serving_at  None while the service is not back
    acknowledged  ids of zero-loss events that somebody was told are durable, also those after the checkpoint
    Raises `CannotJudge` when a checkpoint cannot be read or trusted, or there is nothing to compare with.
    """
    failures = [f"component: {name} is not back" for name in down]
    place = sorted(checkpoint.glob("checkpoint-*.dsse.json")) if checkpoint.is_dir() else [checkpoint]
    if not place and not acknowledged:
        raise CannotJudge(f"expected a checkpoint in {checkpoint} or acknowledged events, found neither")
    signed = max((int(read_checkpoint(path, public_key)["count"]) for path in place), default=0)
    first_bad_seq: int | None = None
    if segment_paths(directory):
        result = verify(directory, checkpoint=checkpoint if place else None, public_key=public_key)
        if not result.ok:
            first_bad_seq = result.first_bad_seq
            failures.append(f"journal: {result.problem} (seq {first_bad_seq}, signed to {signed})")
        failures += _missing(directory, acknowledged)
    else:
        first_bad_seq = 1
        failures.append(f"journal: {signed} events were signed, no segment is left")
    waited = (now if serving_at is None else serving_at) - stopped_at
    if serving_at is None or waited > RECOVERY_NANOS_MAX:
        failures.append(f"service: back within 180 s expected, {waited // NANOS_PER_SECOND} s passed")
    return Comparison(tuple(failures), first_bad_seq, now + VALID_NANOS)


def await_service(serving: Callable[[], bool], clock: Clock, *, stopped_at: int) -> int | None:
    """Ask every 5 s whether the service is back; return when it was, None once the time allowed has passed."""
    while not serving():
        if clock.now() - stopped_at > RECOVERY_NANOS_MAX:
            return None
        clock.sleep(POLL_NANOS)
    return clock.now()


def _missing(directory: Path, acknowledged: Collection[str]) -> list[str]:
    """Name the acknowledged events that no line holds; every line is looked at, also in a damaged journal."""
    if not acknowledged:
        return []
    wanted = set(acknowledged)
    decoder = msgspec.json.Decoder(_Line)
    for path in segment_paths(directory):
        with open_segment(path) as file:
            for line in file:
                if line.startswith(b'{"seq":'):
                    with suppress(msgspec.MsgspecError):
                        wanted.discard(decoder.decode(line).event_id)
    named = [f"journal: the acknowledged event {event_id} is missing" for event_id in sorted(wanted)[:NAMED_MAX]]
    more = len(wanted) - len(named)
    return [*named, f"journal: {more} more acknowledged events are missing"] if more else named


class _Line(msgspec.Struct, frozen=True, gc=False):
    event_id: str


__all__ = ["CannotJudge", "Comparison", "await_service", "compare"]
