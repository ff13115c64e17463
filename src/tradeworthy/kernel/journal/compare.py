"""Compare what was signed before a restart with what is there afterwards (JR-14)."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.journal.verify import CannotJudge, read_checkpoint, verify

RECOVERY_NANOS_MAX = 180 * NANOS_PER_SECOND
VALID_NANOS = 1_200 * NANOS_PER_SECOND


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
    down: Sequence[str] = (),
) -> Comparison:
    """Tell whether the signed head is an ancestor of the journal, and service came back in time.

    down  components that do not answer;  serving_at  None while the service is not back
    Raises `CannotJudge` when the checkpoint cannot be read or trusted, or there is no journal.
    """
    failures = [f"component: {name} is not back" for name in down]
    signed = read_checkpoint(checkpoint, public_key)
    result = verify(directory, checkpoint=checkpoint, public_key=public_key)
    if not result.ok:
        failures.append(f"journal: {result.problem} (seq {result.first_bad_seq}, signed to {signed['count']})")
    waited = (now if serving_at is None else serving_at) - stopped_at
    if serving_at is None or waited > RECOVERY_NANOS_MAX:
        failures.append(f"service: back within 180 s expected, {waited // NANOS_PER_SECOND} s passed")
    return Comparison(tuple(failures), result.first_bad_seq, now + VALID_NANOS)


__all__ = ["CannotJudge", "Comparison", "compare"]
