"""The watchdog's process: its typed ports beside its job, and the entry that wires them (WD-01 to WD-06, KS-02)."""

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.adapters.paging import Pages
from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.adapters.venue_line import EmergencyLine, LinePolicy
from tradeworthy.app.halting.emergency import FlagTrip, Stops, VenueActs
from tradeworthy.app.halting.flatness import public_key, read_all
from tradeworthy.app.halting.watchdog_page import page_of, serve_page
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.witness import load_key
from tradeworthy.kernel.supervision.beat import WatchdogJob
from tradeworthy.kernel.supervision.watchdog import Watchdog, watch
from tradeworthy.trading.control.dead_man import DeadMan

WATCHDOG, CERTIFICATES, PORTS = "watchdog", "certificates", "ports.json"
"""Names below a desk's state folder: the watchdog's, in it its certificates and the file of its ports."""
KEY, ALIVE, DESK_VIEW, PRESENCE = "watchdog.key", "alive.lock", "desk_view.json", "presence"
EMERGENCY = LinePolicy(answer_within_s=1.2, connect_within_s=0.1, hedge_after_s=0.15)
"""All tries of one request together stay below what the watchdog waits for one call of a port."""


class WatchdogPorts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one desk's watchdogs trip, cancel and page with; no secret stands here, the key is named by its file.

    venue         where the venue listens; empty: it lives in the desk's own process
    pages, page_command  JSON lines of pages, and a command that gets each incident on its standard input
    http          `127.0.0.1:8081`; empty = no page
    dead_man_s    the desk is stopped when nobody showed for so long, see `show_up`; None = never
    """

    desk: str
    environment: str
    sentinel: str
    flag: str
    key: str
    certificates: str
    venue: str = ""
    pages: str = ""
    page_command: tuple[str, ...] = ()
    http: str = "127.0.0.1:8081"
    dead_man_s: float | None = None


class Prepared(NamedTuple):
    """What `WatchdogLink` needs: the command, to which it adds the job's path, and the folder."""

    command: tuple[str, ...]
    folder: Path


def prepare(
    state: Path, *, desk: str, environment: str, sentinel: Path, flag: Path, venue: str = "",
    http: str = "127.0.0.1:8081", page_command: tuple[str, ...] = (), key: Path | None = None,
    dead_man_s: float | None = None,
) -> Prepared:  # fmt: skip
    """Write the ports of a desk's watchdog below its state folder, make its key where there is none, say how to run it.

    key  the file of the signing key, best owned by another account than the desk's; its public half lies beside it
    """
    folder = state / WATCHDOG
    folder.mkdir(parents=True, exist_ok=True)
    place = key or folder / KEY
    load_key(place)
    ports = WatchdogPorts(
        desk=desk, environment=environment, sentinel=str(sentinel.resolve()), flag=str(flag.resolve()),
        key=str(place.resolve()), certificates=str((folder / CERTIFICATES).resolve()), venue=venue,
        pages=str((folder / "pages.jsonl").resolve()), page_command=page_command, http=http,
        dead_man_s=dead_man_s,
    )  # fmt: skip
    write_durably(folder / PORTS, msgspec.json.format(msgspec.json.encode(ports), indent=1) + b"\n")
    return Prepared((sys.executable, "-m", "tradeworthy.app.halting.watchdog_process"), folder)


def run_watchdog(job_file: Path, clock: Clock) -> ExitCode:
    """Watch as the job says, with the ports that lie beside it, until the desk's farewell or end.

    Raises `UsageError` for a job or ports that cannot be read.
    """
    try:
        job = msgspec.json.decode(job_file.read_bytes(), type=WatchdogJob)
        ports = msgspec.json.decode((job_file.parent / PORTS).read_bytes(), type=WatchdogPorts)
        key = load_key(Path(ports.key))
        public = public_key(Path(ports.key + ".pub"))
    except (OSError, msgspec.DecodeError, InvalidInput) as problem:
        raise UsageError(f"expected a watchdog's job and {PORTS} beside it, found {problem}") from None
    certificates = Path(ports.certificates)
    alive = hold_alive(certificates.parent)
    flag, memory = HaltFlag(Path(ports.flag), clock), SentinelFile(Path(ports.sentinel))
    line = None
    if ports.venue:
        line = EmergencyLine(ports.venue, clock, name=f"watchdog-{job.token}", token=job.token, policy=EMERGENCY)
        with suppress(OSError, InvalidInput):  # a venue that is away now is asked when it is needed
            line.greet()
    answered = {
        halt.name
        for _, one in read_all(certificates, public)
        if one.certificate is not None and not one.faults and one.certificate.outcome.value == "verified"
        for halt in one.certificate.halts
    }
    stops = Stops(
        flag, memory, clock, answered, presence=certificates.parent / PRESENCE,
        dead_man=None if ports.dead_man_s is None else DeadMan(ports.dead_man_s, clock.monotonic()),
    )  # fmt: skip
    acts = VenueActs(
        job, ports.desk, line=line, stops=stops, folder=certificates, key=key, clock=clock,
        told=job_file.parent / DESK_VIEW,
    )  # fmt: skip

    def begun(watchdog: Watchdog) -> None:
        if ports.http:
            report = page_of(
                watchdog, clock, environment=ports.environment, run_id=job.run_id,
                hang_after_s=job.policy.hang_after_s,
            )  # fmt: skip
            with suppress(OSError):  # an older watchdog may still hold the port: watching goes on without a page
                serve_page(ports.http, report)

    try:
        return watch(
            job_file, clock, trip=FlagTrip(flag, memory, clock), cancel=acts, stop=stops, record=acts,
            page=Pages(Path(ports.pages) if ports.pages else None, ports.page_command), begun=begun,
        )  # fmt: skip
    finally:
        os.close(alive)


def show_up(state: Path) -> None:
    """Tell a desk's watchdog that a person is there, so that the dead-man timer begins anew."""
    folder = state / WATCHDOG
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PRESENCE).touch()


def hold_alive(folder: Path) -> int:
    """Show by a shared lock, which ends with this process, that a watchdog lives; returns its handle."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ALIVE, os.O_RDWR | os.O_CREAT, 0o640)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def watchdog_lives(state: Path) -> bool:
    """Tell whether a watchdog of this desk lives."""
    try:
        handle = os.open(state / WATCHDOG / ALIVE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


if __name__ == "__main__":
    sys.exit(run_watchdog(Path(sys.argv[1]), SystemClock()))
