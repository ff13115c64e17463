"""The desk's log: structlog and the standard library through one chain, a thread that writes (LOG-01 to LOG-06).

Decisions go to the journal; these lines are for operators. Nothing global stays behind `Logs.close`.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec
import structlog

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.telemetry.log_files import Cited, DailyFile
from tradeworthy.kernel.telemetry.log_lines import Chain, Fields, LogLine, TraceIds, fields_of, level_of
from tradeworthy.kernel.telemetry.log_outlets import Outlet, Sink, StreamSink
from tradeworthy.kernel.telemetry.log_policy import LEVELS, LogPolicy, with_variables
from tradeworthy.kernel.telemetry.log_queue import LogQueue

BATCH_LINES = 64
"""Lines written at once; more would hold the interpreter, and so the callers, longer at a time."""
UNROUTED_KEYS_MAX = 1_000
OWN = "tradeworthy"
SELF = "tradeworthy.telemetry.logs"


class Logs:
    """An open log; make it with `open_logs`. A context manager that closes at its end.

    policy      as the variables left it
    malformed   records of which no full line could be made
    unanswered  incidents of ERROR lines that `on_unrouted` failed to take
    """

    def __init__(
        self, policy: LogPolicy, *, chain: Chain, clock: Clock, outlets: Sequence[Outlet],
        routed: Callable[[LogLine], bool], on_unrouted: Callable[[LogLine], None] | None,
    ) -> None:  # fmt: skip
        self.policy, self._clock, self._outlets = policy, clock, tuple(outlets)
        self._chain, self._bare = chain, chain.bare()
        self._routed, self._on_unrouted = routed, on_unrouted
        self._level = LEVELS[policy.level]
        self._queue = LogQueue(
            policy.queue_lines, policy.errors_held, batch=BATCH_LINES, linger_s=policy.linger_s
        )
        self._kept: deque[bytes] = deque(maxlen=policy.kept_lines)
        self._handed_on: dict[tuple[str, str], int] = {}
        self._opening = False
        self._told: set[str] = set()
        self._captured: list[tuple[logging.Logger, int, bool]] = []
        self._handler = _Handler(self._take)
        self._writer = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._closed = False
        self._undelivered = 0
        self.malformed = self.unanswered = 0

    @property
    def dropped(self) -> int:
        """All lines that did not arrive everywhere they should."""
        return sum(self.dropped_by_cause.values())

    @property
    def dropped_by_cause(self) -> Mapping[str, int]:
        """Lost lines by where: the full queue by level, then each outlet by its name."""
        found = {f"queue_{logging.getLevelName(level).lower()}": n for level, n in self._queue.dropped.items()}
        found |= {outlet.name: outlet.lost for outlet in self._outlets}
        found["undelivered"] = self._undelivered
        return found

    @property
    def backlog(self) -> int:
        """Lines that wait for the writer."""
        return len(self._queue)

    def lines(self) -> tuple[bytes, ...]:
        """Return the last lines, oldest first, secrets taken out, also those no outlet took (KS-08)."""
        return tuple(self._kept)

    def logger(self, name: str = OWN, **fields: Any) -> Any:
        """Return a structlog logger with `fields` bound; it speaks through the standard logger of that name."""
        return structlog.wrap_logger(
            logging.getLogger(name), processors=[_to_standard],
            wrapper_class=structlog.make_filtering_bound_logger(self._level), **fields,
        )  # fmt: skip

    def adopt(self, policy: LogPolicy) -> None:
        """Log from another level on; everything else of a policy waits for the next start."""
        self.policy = msgspec.structs.replace(self.policy, level=policy.level)
        self._level = LEVELS[policy.level]
        for logger, _, _ in self._captured:
            logger.setLevel(self._level if logger.name == OWN else max(self._level, logging.WARNING))

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until the writer is done with what was logged so far; False when that took too long."""
        return self._queue.drained(self.policy.close_timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Give the loggers back, write what waits within `close_timeout_s`, count the rest. Again does nothing."""
        if self._closed:
            return
        self._closed = True
        for logger, level, propagate in reversed(self._captured):
            logger.removeHandler(self._handler)
            logger.setLevel(level)
            logger.propagate = propagate
        self._handler.close()
        self._queue.close()
        self._writer.join(self.policy.close_timeout_s)
        if self._writer.is_alive():  # stuck in an outlet; it dies with the process
            self._undelivered += len(self._queue)

    def __enter__(self) -> "Logs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        for name in self.policy.capture:
            logger = logging.getLogger(name)
            self._captured.append((logger, logger.level, logger.propagate))
            logger.addHandler(self._handler)
            logger.setLevel(self._level if name == OWN else max(self._level, logging.WARNING))
            logger.propagate = False
        self._writer.start()

    def _take(self, record: logging.LogRecord) -> None:
        """Make a record's line in the thread that logs it: what is queued cannot change any more."""
        level = level_of(record)
        quiet = self._opening and threading.current_thread() is self._writer
        at = self._clock.now()
        try:
            line = self._chain.line(level, at, record.name, fields_of(record), quiet=quiet)
        except Exception as error:  # a caller's odd value must neither raise there nor cost the whole line
            self.malformed += 1
            fields: Fields = {
                "event": "log_line_malformed", "message": f"no line of {record.module}:{record.lineno}",
                "error": f"{type(error).__name__}: {redact(str(error))}",
            }  # fmt: skip
            line = self._bare.line(level, at, record.name, fields, quiet=quiet)
        self._keep(line)

    def _keep(self, line: LogLine) -> None:
        self._kept.append(line.data)
        self._queue.put(line)

    def _write(self) -> None:
        while lines := self._queue.take():
            for line in lines:
                if line.level >= logging.ERROR and not line.quiet:
                    self._hand_on(line)
            for outlet in self._outlets:
                outlet.write(lines)
                self._tell(outlet)
        for outlet in self._outlets:
            outlet.close()

    def _hand_on(self, line: LogLine) -> None:
        """Give an ERROR line without an alert route to whoever opens incidents, once in a while for the same."""
        if self._on_unrouted is None:
            return
        key = (line.logger, line.event)
        last = self._handed_on.get(key)
        if last is not None and 0 <= line.at - last < self.policy.unrouted_repeat_s * NANOS_PER_SECOND:
            return
        self._opening = True
        try:
            if not self._routed(line):
                if len(self._handed_on) >= UNROUTED_KEYS_MAX:
                    self._handed_on.clear()
                self._handed_on[key] = line.at
                self._on_unrouted(line)
        except Exception as error:  # the writer goes on when nobody takes incidents
            self.unanswered += 1
            self._say("log_incident_failed", logging.WARNING, error=f"{type(error).__name__}: {redact(str(error))}")
        finally:
            self._opening = False

    def _tell(self, outlet: Outlet) -> None:
        """Say once that an outlet fails, and once that it works again."""
        if outlet.failing and outlet.name not in self._told:
            self._told.add(outlet.name)
            self._say("log_outlet_failed", logging.WARNING, outlet=outlet.name, error=outlet.fault)
        elif not outlet.failing and outlet.name in self._told:
            self._told.discard(outlet.name)
            self._say("log_outlet_recovered", logging.WARNING, outlet=outlet.name, lost=outlet.lost)

    def _say(self, event: str, level: int, **fields: Any) -> None:
        said: Fields = {"event": event, "message": event, **fields}
        self._keep(self._bare.line(level, self._clock.now(), SELF, said, quiet=True))


def open_logs(
    policy: LogPolicy, *, run_id: str, environment: str, clock: Clock, tier: str = "", release: str = "",
    variables: Mapping[str, str] | None = None, folder: Path | None = None, stream: IO[bytes] | None = None,
    cited: Cited = lambda path: False, trace_ids: TraceIds = lambda: None, sinks: Mapping[str, Sink] | None = None,
    routed: Callable[[LogLine], bool] = lambda line: False, on_unrouted: Callable[[LogLine], None] | None = None,
) -> Logs:  # fmt: skip
    """Open the log of a run: from here on the captured loggers write through it, until `close`.

    variables    the process's environment; the LOG_* and RUNTIME_LOG_* keys change the policy, bad ones give a WARN
    folder       where the file lies when neither policy nor LOG_DIR says; None with neither: no file
    stream       where lines are shown, e.g. `sys.stdout.buffer`; None: nowhere
    cited        tells whether a live bundle cites a file
    trace_ids    e.g. `Tracing.current_ids`
    sinks        further places by name, e.g. the OTLP export of `log_export.open_log_export`
    routed       tells whether an ERROR line has an alert route; default: none has
    on_unrouted  takes an ERROR line without one, on the writer's thread; an incident belongs to it (LOG-05)
    """
    policy, problems = with_variables(policy, variables or {})
    constants = {"run_id": run_id, "environment": environment, "tier": tier or None, "release": release or None}
    chain = Chain(constants, policy.context, trace_ids, policy.text_characters_max)
    named: dict[str, Sink] = {}
    where = Path(policy.directory) if policy.directory else folder
    if where is not None:
        named["file"] = DailyFile(where, policy.file_name, kept=policy.retention_days, cited=cited)
    if stream is not None:
        named["stream"] = StreamSink(stream, structured=policy.structured)
    named |= sinks or {}
    outlets = [Outlet(name, sink, errors_held=policy.errors_held) for name, sink in named.items()]
    logs = Logs(policy, chain=chain, clock=clock, outlets=outlets, routed=routed, on_unrouted=on_unrouted)
    logs._open()
    for problem in problems:
        logs._say("log_variable_ignored", logging.WARNING, problem=problem)
    return logs


class _Handler(logging.Handler):
    """Hand records on without a lock: the chain and the queue bear many threads."""

    def __init__(self, take: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._take = take

    def createLock(self) -> None:
        """Need no lock."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        self._take(record)


def _to_standard(logger: Any, name: str, fields: Fields) -> tuple[tuple[Fields], dict[str, Any]]:
    return (fields,), {}
