"""The error tree and the exit codes. An operating failure names the response it asks for."""

from enum import IntEnum


class ExitCode(IntEnum):
    """One table for every verb."""

    PASS = 0
    WARN = 1
    FAIL = 2
    COULD_NOT_JUDGE = 3
    INTERRUPTED = 130


class DeskError(Exception):
    """Root of the operating failures."""

    exit_code = ExitCode.FAIL


class HaltTrading(DeskError):
    """State can no longer be trusted: stop, keep the journal, page a person."""


class RetryLater(DeskError):
    """Busy: back off; after the limit this becomes `HaltTrading`."""


class InvalidInput(DeskError):
    """Malformed: quarantine it with its bytes, continue."""


class UsageError(DeskError):
    """A verb cannot judge: its words or its inputs are missing or wrong."""

    exit_code = ExitCode.COULD_NOT_JUDGE


class ConfigurationRefused(DeskError):
    """The configuration is readable but not allowed, e.g. a leverage above the hard cap."""
