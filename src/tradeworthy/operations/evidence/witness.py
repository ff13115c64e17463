"""The outside witness: looks at a desk from its own process, with its own key, and signs chained minutes (DR-42).

It is not the desk and not the harness: neither holds its key. A minute that is not there was a minute down.
"""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.journal.files import OsFiles
from tradeworthy.kernel.journal.verify import (
    LINE_BYTES_MAX,
    Broken,
    Chain,
    pre_authentication,
    segments_of,
)
from tradeworthy.operations.dry_run.outside import WitnessReading
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    parse_canonical,
    sha256_hex,
    stamp_of,
    unbase64,
)
from tradeworthy.operations.evidence.trust import TrustFile

MINUTE_TYPE = words.WITNESS_MINUTE
MINUTE = 60 * NANOS_PER_SECOND
NO_MINUTE = "0" * 64


class WitnessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often it looks, how long it waits for an answer, how long a journal may stand still."""

    interval_seconds: float = 10.0
    timeout_seconds: float = 5.0
    journal_still_seconds_max: float = 60.0


class Look(NamedTuple):
    """What one probe saw."""

    ok: bool
    told: str


class Probe(Protocol):
    """One thing to look at."""

    name: str

    def look(self, now: int) -> Look:
        """Return what is seen; `now` is monotonic nanoseconds. Never raises for a target that is down."""
        ...


class HealthProbe:
    """A URL that answers 2xx when all is well: the desk's health, a venue view, an alert canary."""

    def __init__(self, name: str, url: str, policy: WitnessPolicy) -> None:
        self.name = name
        self._url = url
        self._timeout = policy.timeout_seconds

    def look(self, now: int) -> Look:
        try:
            with urllib.request.urlopen(self._url, timeout=self._timeout) as answer:
                return Look(200 <= answer.status < 300, str(answer.status))
        except urllib.error.HTTPError as answer:
            return Look(False, str(answer.code))
        except (OSError, ValueError) as problem:
            return Look(False, type(problem).__name__)


class JournalProbe:
    """A journal that must grow and chain; it is read on from where the last look ended."""

    def __init__(self, name: str, directory: Path, policy: WitnessPolicy) -> None:
        self.name = name
        self.chain = Chain()
        self._directory = directory
        self._still = round(policy.journal_still_seconds_max * NANOS_PER_SECOND)
        self._segment = 0
        self._offset = 0
        self._grew_at: int | None = None
        self._broken: str | None = None

    def look(self, now: int) -> Look:
        before = self.chain.count
        try:
            self._read_on()
        except Broken as problem:
            self._broken = str(problem)
        except OSError as problem:
            return Look(False, type(problem).__name__)
        if self._broken is not None:
            return Look(False, self._broken)
        if self.chain.count > before or self._grew_at is None:
            self._grew_at = now if self.chain.count else None
        if self._grew_at is None:
            return Look(False, "no event yet")
        return Look(now - self._grew_at < self._still, f"{self.chain.count}:{self.chain.head}")

    def _read_on(self) -> None:
        paths = segments_of(self._directory)
        while self._segment < len(paths):
            if self._offset == 0:
                self.chain.open_segment()
            with paths[self._segment].open("rb") as file:
                file.seek(self._offset)
                while (line := file.readline(LINE_BYTES_MAX)).endswith(b"\n"):
                    self.chain.feed(line)
                    self._offset += len(line)
            if self._segment == len(paths) - 1:
                return
            self._segment, self._offset = self._segment + 1, 0


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """One signed minute; `due` looks were due in the part of it that was watched, `ups` of them saw all well.

    minute  its first second, ns UTC;  prev  the SHA-256 of the line before, by which minutes chain
    told    what each probe saw last
    """

    run_id: str
    minute: int
    interval_ms: int
    due: int
    ups: int
    told: dict[str, str]
    prev: str


class WitnessWatch:
    """Look at the probes at each interval and append a signed minute when it is over."""

    def __init__(
        self, run_id: str, probes: tuple[Probe, ...], key: Ed25519PrivateKey, out: Path, *, clock: Clock,
        policy: WitnessPolicy,
    ) -> None:  # fmt: skip
        self._run_id = run_id
        self._probes = probes
        self._key = key
        self._clock = clock
        self._interval = round(policy.interval_seconds * NANOS_PER_SECOND)
        self._files = OsFiles()
        self._prev = NO_MINUTE
        if out.exists():
            whole = out.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]  # a line that a crash tore was never signed in full
            self._prev = sha256_hex(whole.splitlines()[-1]) if whole else NO_MINUTE
            self._handle = self._files.reopen(out, len(whole))
        else:
            self._handle = self._files.create(out)
        self._minute: int | None = None
        self._due = self._ups = 0
        self._told: dict[str, str] = {}

    def run(self, stopped: Callable[[], bool]) -> None:
        """Look until told to stop; the minute in hand is signed then."""
        due = self._clock.monotonic()
        while not stopped():
            self.look()
            due += self._interval
            self._clock.sleep(min(max(0, due - self._clock.monotonic()), self._interval))
        self.close()

    def look(self) -> None:
        """Look once, and sign the minute before when a new one began."""
        now = self._clock.now()
        minute = now - now % MINUTE
        if self._minute is not None and minute != self._minute:
            self._sign()
        self._minute = minute
        looks = {probe.name: probe.look(self._clock.monotonic()) for probe in self._probes}
        self._told = {name: f"{'up' if look.ok else 'down'} {look.told}" for name, look in looks.items()}
        self._due += 1
        self._ups += bool(looks) and all(look.ok for look in looks.values())

    def close(self) -> None:
        """Sign what is in hand and let go of the file."""
        if self._minute is not None:
            self._sign()
        self._files.close(self._handle)

    def _sign(self) -> None:
        if self._minute is None:
            return
        one = Minute(
            run_id=self._run_id, minute=self._minute, interval_ms=self._interval // 1_000_000, due=self._due,
            ups=self._ups, told=dict(sorted(self._told.items())), prev=self._prev,
        )  # fmt: skip
        payload = msgspec.json.encode(one)
        line = canonical_json(envelope(payload, MINUTE_TYPE, self._key))
        self._files.write(self._handle, line)
        self._files.sync(self._handle)
        self._prev = sha256_hex(line.rstrip(b"\n"))
        self._minute, self._due, self._ups = None, 0, 0


class WitnessMinutes:
    """The minutes of one run, verified: signed by a trusted witness, chained, in order, of this run."""

    def __init__(self, path: Path, trust: TrustFile, *, run_id: str | None = None) -> None:
        self._path = path
        self._trust = trust
        self._run_id = run_id

    def reading(self, *, started: int, ended: int) -> WitnessReading:
        """Return uptime from `started` to `ended` (ns UTC): what no signed minute covers was down."""
        minutes, problems, key_id = self.minutes()
        by_start = {one.minute: one for one in minutes}
        up, missing, count = 0.0, 0, 0
        for minute in range(started - started % MINUTE, ended, MINUTE):
            count += 1
            seconds = (min(ended, minute + MINUTE) - max(started, minute)) / NANOS_PER_SECOND
            one = by_start.get(minute)
            if one is None:
                missing += 1
            elif one.due:
                watched = min(seconds, one.due * one.interval_ms / 1_000)
                up += watched * one.ups / one.due
        span = (ended - started) / NANOS_PER_SECOND
        return WitnessReading(
            ratio=up / span if span > 0 else None, minutes=count - missing, minutes_missing=missing, key_id=key_id,
            problems=tuple(problems),
        )  # fmt: skip

    def minutes(self) -> tuple[list[Minute], list[str], str]:
        """Return the minutes that hold, what is wrong with the rest, and the witness's key."""
        minutes: list[Minute] = []
        problems: list[str] = []
        keys: dict[str, None] = {}
        prev = NO_MINUTE
        for number, line in enumerate(self._lines(), 1):
            try:
                one, key_id = self._verified(line)
            except (Malformed, msgspec.MsgspecError, KeyError) as problem:
                problems.append(f"line {number}: {problem}")
                prev = sha256_hex(line)
                continue
            keys[key_id] = None
            if one.prev != prev:
                problems.append(f"line {number}: it does not continue the minute before")
            if minutes and one.minute <= minutes[-1].minute:
                problems.append(f"line {number}: it is not later than the minute before")
            if self._run_id is not None and one.run_id != self._run_id:
                problems.append(f"line {number}: expected run {self._run_id}, found {one.run_id}")
            prev = sha256_hex(line)
            minutes.append(one)
        if len(keys) > 1:
            problems.append("more than one key signed")
        return minutes, problems, next(iter(keys), "")

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")

    def _verified(self, line: bytes) -> tuple[Minute, str]:
        document: dict[str, Any] = parse_canonical(line + b"\n", "envelope")
        if document["payloadType"] != MINUTE_TYPE or len(document["signatures"]) != 1:
            raise Malformed("expected a witness's minute with one signature")
        payload, signature = unbase64(document["payload"]), document["signatures"][0]
        key = self._trust.key(signature["keyid"])
        if key is None or words.WITNESS not in key.roles:
            raise Malformed(f"{signature['keyid'][:16]} is no trusted witness")
        message = pre_authentication(payload, MINUTE_TYPE)
        if not signature_valid(bytes.fromhex(key.public_key), message, unbase64(signature["sig"])):
            raise Malformed("the signature does not hold")
        one = msgspec.json.decode(payload, type=Minute)
        if not self._trust.may(key, words.WITNESS, stamp_of(one.minute)):
            raise Malformed("the key was not valid in that minute")
        if not 0 <= one.ups <= one.due or one.interval_ms <= 0 or one.minute % MINUTE:
            raise Malformed("the minute contradicts itself")
        return one, key.key_id


def probe_of(target: str, policy: WitnessPolicy) -> Probe:
    """Return the probe of `[NAME=]TARGET`; a target is a URL or a journal's directory."""
    name, mark, rest = target.partition("=")
    if not mark or "/" in name:
        name, rest = target, target
    if rest.startswith(("http://", "https://")):
        return HealthProbe(name, rest, policy)
    return JournalProbe(name, Path(rest), policy)
