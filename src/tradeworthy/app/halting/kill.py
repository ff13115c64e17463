"""Stop a desk from outside and see it through: flag, sentinel, and the certificate that a watchdog writes (KS-01)."""

from pathlib import Path

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.app.halting.flatness import Verified, public_key, read_all
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.redaction import redact
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.certificate import Flatness
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.kill import scope_of
from tradeworthy.trading.model import GuardLevel

OPERATOR, KILL = "operator", "kill"
WAIT_NS = 8 * NANOS_PER_SECOND
"""How long a person waits for the certificate: more than the watchdog's five seconds to verify."""
LOOK_NS = 20 * NANOS_PER_MILLI


def kill_desk(state: Path, *, reason: str, scope: str, flatten: bool, clock: Clock) -> Halt:
    """Trip the flag, which every send reads, then the sentinel, which every start reads; both stand on return.

    Nothing else is needed: no desk, journal, bus or venue has to live. Returns the trip as it is in force. A secret in
    the reason stays out of both, and so out of every certificate and snapshot.
    """
    reason = str(redact(reason))
    scope, now = scope_of(scope), clock.now()
    halt = Halt(OPERATOR, KILL, scope, now, clock.monotonic(), reason, flatten)
    flag: HaltFlag | None = None
    try:
        flag = halt_flag(state, clock)
        flag.trip(halt)
    finally:
        _latch(state, halt, now)  # the moment of the flag's own record, so that a desk takes both for one trip
    in_force = next((one for one in flag.halts() if (one.owner, one.code, one.scope) == (OPERATOR, KILL, scope)), halt)
    flag.close()
    return in_force


def flag_holds(state: Path, scope: str, clock: Clock) -> bool:
    """Tell whether a person's kill of this scope is in the flag: then no order leaves, whatever else is missing."""
    try:
        flag = halt_flag(state, clock)
    except OSError:
        return False
    try:
        return any((one.owner, one.code, one.scope) == (OPERATOR, KILL, scope_of(scope)) for one in flag.halts())
    finally:
        flag.close()


def await_certificate(
    state: Path, halt: Halt, clock: Clock, *, within_ns: int = WAIT_NS
) -> tuple[Path, Verified] | None:
    """Wait for a verified certificate of this trip; returns the last one when it did not come, None without any."""
    deadline = clock.monotonic() + within_ns
    while True:
        found = certificates_of(state, halt)
        if found:
            certificate = found[-1][1].certificate
            if certificate is not None and certificate.outcome is Flatness.VERIFIED and not found[-1][1].faults:
                return found[-1]
        if clock.monotonic() >= deadline:
            return found[-1] if found else None
        clock.sleep(LOOK_NS)


def certificates_of(state: Path, halt: Halt) -> list[tuple[Path, Verified]]:
    """Return the certificates that answer a trip, oldest first, each with its judgement."""
    folder = state / WATCHDOG
    key = folder / f"{KEY}.pub"
    if not key.exists():
        return []
    return [
        (path, one)
        for path, one in read_all(folder / CERTIFICATES, public_key(key))
        if one.certificate is not None and any(known.name == halt.name for known in one.certificate.halts)
    ]


def _latch(state: Path, halt: Halt, now: int) -> None:
    file = guard_memory(state)
    held = sentinel.restore((), file.read(), first_run=True, now=now)
    stop = HeldReason(halt.owner, halt.code, GuardLevel.STOPPED, halt.scope, now, None, halt.evidence)
    kept = tuple(one for one in held if (one.owner, one.code, one.scope) != (stop.owner, stop.code, stop.scope))
    file.write(sentinel.encode((*kept, stop)))
