"""The witness of a run as its end needs it: minutes fetched from where they are kept, kept beside the run, verified."""

import urllib.request
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.dry_run.outside import WitnessReading
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import Malformed, parse_canonical, unbase64
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.witness import MINUTE, Minute, WitnessMinutes

MINUTES_BYTES_MAX = 64 * 1_048_576


class WitnessSourcePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long an answer may take; how long after the end the last minute is waited for, and how often one asks."""

    timeout_seconds: float = 10.0
    last_minute_wait_seconds: float = 75.0
    poll_seconds: float = 5.0


class WitnessSource:
    """Signed minutes at a URL (http, https, file) or a path; what was fetched is kept in `place` for the bundle.

    run_id   of the run that they must be of: a witness may watch several desks with one key
    hurried  tells whether nobody wants to wait for the last minute
    """

    def __init__(
        self, where: str, place: Path, trust: TrustFile, *, run_id: str, clock: Clock,
        policy: WitnessSourcePolicy | None = None, hurried: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._where = where
        self._place = place
        self._trust = trust
        self._run_id = run_id
        self._clock = clock
        self._hurried = hurried
        self._policy = policy or WitnessSourcePolicy()

    def reading(self, *, started: int, ended: int) -> WitnessReading:
        """Return what the verified minutes say of a run; raises `OSError` when they cannot be fetched.

        A witness signs a minute when it is over, so the last one of a run that just ended is waited for.
        """
        until = ended + round(self._policy.last_minute_wait_seconds * NANOS_PER_SECOND)
        data = self._fetch()
        while not _reaches(data, ended) and self._clock.now() < until and not self._hurried():
            self._clock.sleep(round(self._policy.poll_seconds * NANOS_PER_SECOND))
            data = self._fetch()
        self._place.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._place, data)
        return WitnessMinutes(self._place, self._trust, run_id=self._run_id).reading(started=started, ended=ended)

    def _fetch(self) -> bytes:
        if self._where.startswith(("http://", "https://", "file://")):
            with urllib.request.urlopen(self._where, timeout=self._policy.timeout_seconds) as answer:
                data: bytes = answer.read(MINUTES_BYTES_MAX + 1)
        else:
            with Path(self._where).open("rb") as file:
                data = file.read(MINUTES_BYTES_MAX + 1)
        if len(data) > MINUTES_BYTES_MAX:
            raise OSError(f"expected at most {MINUTES_BYTES_MAX:,} bytes of minutes at {self._where}")
        return data[: data.rfind(b"\n") + 1]


def require_witness_key(trust: TrustFile, *, at: str) -> None:
    """Refuse a trust file by which no witness could be believed; raises `UsageError`."""
    if not any(trust.may(key, words.WITNESS, at) for key in trust.keys):
        raise UsageError("--witness needs a key of the role witness in the trust file, valid now; found none")


def _reaches(data: bytes, ended: int) -> bool:
    """Tell whether the newest minute is the last of the run; nothing is believed yet."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return False
    try:
        last = msgspec.json.decode(unbase64(parse_canonical(lines[-1], "envelope")["payload"]), type=Minute)
    except (Malformed, msgspec.MsgspecError, KeyError):
        return True
    return last.minute + MINUTE >= ended
