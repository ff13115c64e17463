"""Count what nobody has a route for, over the last hour: lines of the log, dead letters, the machine's mail (AS-33)."""

import os
import pwd
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.telemetry.dead_letters import LINE
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.windows import HOUR_MINUTES, MINUTE_NS, MinuteCounts
from tradeworthy.operations.assessments.framework.values import Observation

LINES, LETTERS = "error_lines", "dead_letters"
SPOOL = Path("/var/mail")
MAIL_BYTES_READ = 1_048_576
"""Of a mailbox its end is read: what came within an hour stands there."""
_FROM = b"From "


class UnroutedFold:
    """Take ERROR lines without a route as the log's own thread found them; memory is an hour of counts."""

    def __init__(self) -> None:
        self._counts = MinuteCounts()

    def take(self, event: str, at: int) -> None:
        """Take the line of this event, which came `at`, nanoseconds UTC; that of a dead letter is one."""
        self._counts.add(LETTERS if event == LINE else LINES, at)

    def facts(self, tell: Teller, now: int) -> list[Observation]:
        """Return what came within the hour before `now`."""
        return [tell(name, self._counts.total(name, now)) for name in (LINES, LETTERS)]


def usual_mailbox() -> Path | None:
    """Return where the machine keeps the mail of this process's user; None for a user without a name."""
    try:
        return SPOOL / pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def mail_facts(box: Path | None, now: int, tell: Teller) -> list[Observation]:
    """Return how many mails came within the hour before `now`; none without a mailbox, unknown if unreadable."""
    if box is None:
        return []
    since = now - HOUR_MINUTES * MINUTE_NS
    try:
        seen = box.stat()
        if seen.st_mtime_ns <= since:
            return [tell("mails", 0, str(box))]
        with box.open("rb") as file:
            file.seek(max(0, seen.st_size - MAIL_BYTES_READ))
            stamps = [_came(line) for line in file.read(MAIL_BYTES_READ).splitlines() if line.startswith(_FROM)]
    except FileNotFoundError:
        return []
    except OSError as problem:
        return [tell("mails", None, str(box), why=f"the mailbox cannot be read: {problem.strerror}")]
    return [tell("mails", sum(since < stamp <= now for stamp in stamps), str(box))]


def _came(line: bytes) -> int:
    """Return when a mail came, nanoseconds UTC, by the first line that mbox gives it; 0 for one that says no time."""
    words = line.decode("utf-8", "replace").split(None, 2)
    parts = parsedate_tz(words[2]) if len(words) > 2 else None
    return 0 if parts is None else mktime_tz(parts) * NANOS_PER_SECOND
