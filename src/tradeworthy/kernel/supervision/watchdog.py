"""The watchdog: a process of its own that listens to the desk's beats and acts when they stop (WD-01 to WD-06).

It needs nothing of the desk: no loop, journal, bus or database. What it trips, cancels and pages goes through ports
that `app` wires in the process's entry; each act is tried whatever became of the one before.
"""

import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ExitCode, InvalidInput
from tradeworthy.kernel.journal.files import TOKEN_WIDTH
from tradeworthy.kernel.supervision.beat import Answer, Beat, Channel, Farewell, WatchdogJob
from tradeworthy.kernel.supervision.incident import Act, Incident, IncidentCause, Outcome, write_incident, write_stacks
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.process import ask_for_stacks, same_process, state_of

PORT_TIMEOUT_S = 2.0
"""The most that one call of a port may take before the next act goes on without it."""
VIEW_POLL_S = 0.1
HEAR_POLL_S = 0.1
"""How often beats are answered while a port is waited for."""
TAKEN_LATER = (TimeoutError, PermissionError)
"""What a venue's silence and its refusal raise: the cancel may still be taken."""
ACTS_KEPT = 64
BEHIND_THE_TRIP = 1  # place of the stacks among an incident's acts
STACKS_FIRST_S = 0.1
"""How long the cancels wait for the stacks, which are asked for before them."""
T = TypeVar("T")


class TripPort(Protocol):
    """Write the sentinel that every sender reads before each send."""

    def trip(self, code: str, evidence: str, now: int) -> None: ...


class CancelPort(Protocol):
    """The watchdog's own connection to the venue; it can cancel and look, nothing else.

    `cancel_all` raises `TimeoutError` when the venue is silent and `PermissionError` when it refuses.
    `token` lets the venue's edge refuse an older watchdog; `open_orders` is None when the venue gives no view.
    """

    def cancel_all(self, token: int) -> None: ...
    def open_orders(self) -> int | None: ...


class PagePort(Protocol):
    """Tell a person, by a channel that is not the desk's."""

    def page(self, incident: Incident) -> None: ...


class StopPort(Protocol):
    """Where anybody may stop the desk without its watchdog; it is asked at every look, so it answers at once."""

    def asked(self) -> str | None:
        """Return whose stop was not seen through yet; another text is another stop, None is none."""
        ...


class RecordPort(Protocol):
    """Keep, as evidence that people can check, what the venue showed after a cancel."""

    def record(self, incident: Incident) -> None: ...


class Watchdog:
    """Watch one process; `serve` returns when it is over.

    stop    trips of others: their orders are cancelled and verified here, also with the desk dead
    record  hears of each cancel that was tried, before it is paged
    """

    def __init__(
        self, job: WatchdogJob, clock: Clock, *, channel: Channel, trip: TripPort, cancel: CancelPort, page: PagePort,
        stop: StopPort | None = None, record: RecordPort | None = None,
    ) -> None:  # fmt: skip
        self._job, self._clock, self._channel = job, clock, channel
        self._trip, self._cancel, self._page, self._stop, self._record = trip, cancel, page, stop, record
        self._folder, self._policy = Path(job.folder), job.policy
        self._heard = self._looked = clock.monotonic()
        self._last: Beat | None = None
        self._incidents = 0
        self._open: Incident | None = None
        self._repeat_at = 0
        self._beaten = self._ended = False
        self._asked: str | None = None
        self._asking: _Asking | None = None
        self.ignored = 0

    @property
    def last(self) -> Beat | None:
        """The last beat, None before the first."""
        return self._last

    @property
    def silent_ns(self) -> int:
        """How long nothing was heard of the desk."""
        return self._clock.monotonic() - self._heard

    def serve(self) -> ExitCode:
        """Watch until the desk says farewell (PASS), it is gone or killed, or a newer watchdog came (FAIL)."""
        while True:
            if self._channel.closed:
                self._clock.sleep(nanos(self._policy.poll_s))
            else:
                select.select([self._channel.fileno()], [], [], self._policy.poll_s)
            ended = self.look()
            if ended is not None:
                return ended

    def look(self) -> ExitCode | None:
        """Take what has come, judge the silence and act; None while there is more to watch."""
        if not self._in_charge():
            return ExitCode.FAIL
        self._take()
        if self._ended:
            return ExitCode.PASS
        self._see_it_back()
        now = self._clock.monotonic()
        if now - self._looked >= nanos(self._policy.hang_after_s):
            self._heard = max(self._heard, now)  # the watchdog itself was not running: silence it cannot have heard
        self._looked = now
        silent = now - self._heard
        gone = not same_process(self._job.pid, self._job.start_ticks)
        unheard = self._open is None or self._open.cause is IncidentCause.TRIPPED
        if unheard and (gone or silent >= nanos(self._policy.hang_after_s)):
            self._act(self._cause(gone), silent)
            self._looked = self._clock.monotonic()
        self._see_stops()
        if gone:
            return self._see_orders_gone()
        if self._open is not None and not self._open.orders_gone and now >= self._repeat_at:
            self._cancel_and_page()
        kill_after = self._policy.kill_after_s
        if self._open is not None and kill_after is not None and silent >= nanos(kill_after):
            self._kill()
            return self._see_orders_gone()
        return None

    def _see_stops(self) -> None:
        """Cancel and verify when somebody else stopped the desk: once a stop, then at the pace of the repeats."""
        asked = None if self._stop is None else self._stop.asked()
        if asked is not None and asked != self._asked:
            if self._open is None:
                self._begin(IncidentCause.TRIPPED, self._clock.monotonic() - self._heard)
            self._cancel_and_page()
            self._looked = self._clock.monotonic()
        self._asked = asked
        if self._open is not None and self._open.cause is IncidentCause.TRIPPED and self._open.orders_gone:
            self._open = None

    def _see_it_back(self) -> None:
        """Close an incident whose orders are gone when the desk beats again."""
        beaten, self._beaten = self._beaten, False
        if beaten and self._open is not None and self._open.orders_gone:
            write_incident(self._folder, msgspec.structs.replace(self._open, cleared_at=self._clock.now()))
            self._open = None

    def _take(self) -> None:
        """Take the messages and answer the beats; notes when the desk said farewell."""
        try:
            messages = self._channel.receive()
        except InvalidInput:
            self.ignored += 1
            return
        for message in messages:
            if isinstance(message, Answer) or (message.run_id, message.pid) != (self._job.run_id, self._job.pid):
                self.ignored += 1
            elif isinstance(message, Farewell):
                self._ended = True
            else:
                self._last, self._heard, self._beaten = message, self._clock.monotonic(), True
                self._channel.send(Answer(self._job.token, message.sequence))

    def _cause(self, gone: bool) -> IncidentCause:
        if gone:
            return IncidentCause.PROCESS_GONE
        stopped = state_of(self._job.pid) in ("T", "t")
        return IncidentCause.PROCESS_STOPPED if stopped else IncidentCause.LOOP_HUNG

    def _act(self, cause: IncidentCause, silent: int) -> None:
        """Trip, keep the stacks, cancel, page: in this order, each with its outcome."""
        self._begin(cause, silent)
        whom = f"run {self._job.run_id}, pid {self._job.pid}"
        said = f"{cause.value}: no beat of {whom} for {silent / NANOS_PER_SECOND:.3f} s"
        self._try("trip", lambda: self._trip.trip(cause.value, said, self._clock.now()))
        self._take_stacks(cause)
        self._cancel_and_page()

    def _begin(self, cause: IncidentCause, silent: int) -> None:
        self._incidents += 1
        self._detected = self._clock.monotonic()
        last = self._last
        self._open = Incident(
            self._job.run_id, self._job.pid, self._job.token, self._incidents, cause, silent, self._clock.now(),
            0 if last is None else last.sequence, 0 if last is None else last.lag_ns, "" if last is None else last.head,
            "" if last is None else last.guard,
        )  # fmt: skip

    def _take_stacks(self, cause: IncidentCause) -> None:
        if cause is not IncidentCause.LOOP_HUNG:
            why = "process stopped" if cause is IncidentCause.PROCESS_STOPPED else "process gone"
            self._note("stacks", Outcome.UNAVAILABLE, f"unavailable: {why}")
            return
        self._asking = asking = _Asking(self._job, self._clock, self._policy.stacks_wait_s)
        asking.start()
        asking.join(STACKS_FIRST_S)
        if not asking.is_alive():
            self._note_stacks(asking)

    def _note_stacks(self, asked: "_Asking") -> None:
        """Note what became of the stacks, in the place where they were asked for: behind the trip."""
        outcome, detail = Outcome.DONE, ""
        if asked.problem is not None:
            outcome, detail = Outcome.FAILED, f"{type(asked.problem).__name__}: {asked.problem}"
        elif asked.found is None:
            outcome, detail = Outcome.UNAVAILABLE, "unavailable: no answer to the signal"
        self._note("stacks", outcome, detail, BEHIND_THE_TRIP)

    def _write_stacks(self) -> None:
        """Keep the stacks as evidence: after the cancels, which wait for no disk and not for a process that is slow."""
        asked, self._asking = self._asking, None
        if asked is not None and all(act.name != "stacks" for act in self._incident().acts):
            asked.join()
            self._note_stacks(asked)
        if asked is None or asked.found is None:
            return
        try:
            digest = write_stacks(self._folder, self._incident(), asked.found)
        except OSError as error:
            self._note("stacks", Outcome.FAILED, f"{type(error).__name__}: {error}")
        else:
            self._open = msgspec.structs.replace(self._incident(), stacks_sha256=digest)

    def _cancel_and_page(self) -> None:
        first = not any(act.name == "cancel" for act in self._incident().acts)
        start = self._detected if first else self._clock.monotonic()
        self._cancel_orders(start + nanos(self._policy.verify_within_s))
        self._write_stacks()
        self._keep()
        record = self._record
        if record is not None:
            self._try("record", lambda: record.record(self._incident()))
        self._try("page", lambda: self._page.page(self._incident()))
        self._keep()
        self._repeat_at = self._clock.monotonic() + nanos(self._policy.repeat_s)

    def _cancel_orders(self, deadline: int) -> None:
        """Cancel and look until the venue took the cancel and shows no order, again and again to the deadline.

        A view without orders is not enough while the cancel itself was refused or not answered: it also blocks what a
        stopped desk may send later.
        """
        while True:
            if not self._in_charge():
                self._note("cancel", Outcome.FENCED, "a newer watchdog is in charge")
                return
            problem, taken = "", True
            try:
                self._bounded(lambda: self._cancel.cancel_all(self._job.token))
            except Exception as error:  # a venue that refuses or is away: looked at all the same, and tried again
                problem, taken = f"{type(error).__name__}: {error}", not isinstance(error, TAKEN_LATER)
            try:
                left = self._bounded(self._cancel.open_orders)
            except Exception as error:
                left, problem = None, problem or f"{type(error).__name__}: {error}"
            late = self._clock.monotonic() >= deadline
            if left == 0 and (taken or late):
                self._note("cancel", Outcome.VERIFIED, "no open orders" if taken else f"no open orders; {problem}")
                return
            if late:
                break
            self._clock.sleep(nanos(VIEW_POLL_S))
            self._take()
        if left is None:
            self._note("cancel", Outcome.UNVERIFIED, problem or "the venue gives no view of open orders")
        else:
            self._note("cancel", Outcome.PARTIAL, f"{left} open orders left" + (f"; {problem}" if problem else ""))

    def _see_orders_gone(self) -> ExitCode | None:
        """End when nothing is left at the venue; else stay for the repeats."""
        if self._incident().orders_gone:
            return ExitCode.FAIL
        if self._clock.monotonic() >= self._repeat_at:
            self._cancel_and_page()
        return None

    def _kill(self) -> None:
        if self._in_charge() and same_process(self._job.pid, self._job.start_ticks):
            os.kill(self._job.pid, signal.SIGKILL)
            self._note("kill", Outcome.DONE, f"no beat for {self._policy.kill_after_s} s")
        else:
            self._note("kill", Outcome.FENCED, "another process or a newer watchdog")
        self._keep()

    def _try(self, name: str, act: Callable[[], None]) -> None:
        if not self._in_charge():
            self._note(name, Outcome.FENCED, "a newer watchdog is in charge")
            return
        try:
            self._bounded(act)
        except Exception as error:  # the next act is tried whatever became of this one
            self._note(name, Outcome.FAILED, f"{type(error).__name__}: {error}")
        else:
            self._note(name, Outcome.DONE)

    def _bounded(self, call: Callable[[], T]) -> T:
        """Return what a port answers; raises `TimeoutError` when it takes too long, and goes on without it."""
        answers: list[T] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                answers.append(call())
            except Exception as error:  # handed to the caller's thread
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        for _ in range(round(PORT_TIMEOUT_S / HEAR_POLL_S)):
            thread.join(HEAR_POLL_S)
            if not thread.is_alive():
                break
            self._take()
        if errors:
            raise errors[0]
        if not answers:
            raise TimeoutError(f"expected an answer within {PORT_TIMEOUT_S} s, found none")
        return answers[0]

    def _in_charge(self) -> bool:
        return current_token(self._folder) == self._job.token

    def _incident(self) -> Incident:
        assert self._open is not None
        return self._open

    def _note(self, name: str, outcome: Outcome, detail: str = "", place: int | None = None) -> None:
        incident = self._incident()
        act = Act(name, outcome, self._clock.monotonic() - self._detected, detail)
        acts, place = incident.acts, len(incident.acts) if place is None else place
        acts = (*acts[:place], act, *acts[place:])
        if len(acts) > ACTS_KEPT:  # a venue that stays away is asked for days: the first acts and the newest stay
            acts = (*acts[: ACTS_KEPT // 2], *acts[ACTS_KEPT // 2 + 1 :])
        self._open = msgspec.structs.replace(incident, acts=acts)

    def _keep(self) -> None:
        try:
            write_incident(self._folder, self._incident())
        except OSError as error:
            self._note("evidence", Outcome.FAILED, f"{type(error).__name__}: {error}")


class _Asking(threading.Thread):
    """Ask a process for its stacks: `found` is None where it wrote none in time."""

    def __init__(self, job: WatchdogJob, clock: Clock, wait_s: float) -> None:
        super().__init__(daemon=True)
        self._job, self._clock, self._wait_s = job, clock, wait_s
        self.found: bytes | None = None
        self.problem: OSError | None = None

    def run(self) -> None:
        """Signal the process and wait for what it writes."""
        try:
            self.found = ask_for_stacks(self._job.pid, self._job.stacks_file, self._clock, self._wait_s)
        except OSError as problem:
            self.problem = problem


def current_token(folder: Path) -> int:
    """Return the highest fencing token given out in a folder, 0 before the first."""
    try:
        return int((folder / "writer.token").read_bytes()[:TOKEN_WIDTH] or b"0")
    except FileNotFoundError:
        return 0


def watch(
    job_file: Path, clock: Clock, *, trip: TripPort, cancel: CancelPort, page: PagePort, stop: StopPort | None = None,
    record: RecordPort | None = None, begun: Callable[[Watchdog], None] = lambda watchdog: None,
) -> ExitCode:  # fmt: skip
    """Run the watchdog that a job file describes, on the socket that its launcher left open; `begun` is given it."""
    job = msgspec.json.decode(job_file.read_bytes(), type=WatchdogJob)
    channel = Channel(socket.socket(fileno=job.channel))
    try:
        watchdog = Watchdog(
            job, clock, channel=channel, trip=trip, cancel=cancel, page=page, stop=stop, record=record
        )
        begun(watchdog)
        return watchdog.serve()
    finally:
        channel.close()
