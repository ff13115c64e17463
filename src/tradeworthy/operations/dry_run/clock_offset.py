"""How far this machine's wall clock is from true time, as its kernel knows it from the time service."""

import ctypes
import sys

from tradeworthy.operations.dry_run.model import ClockOffset

STA_UNSYNC = 0x0040
STA_NANO = 0x2000
NANOS, MICROS = 1e9, 1e6


class _Timex(ctypes.Structure):
    """The kernel's `struct timex` up to the fields that are read, padded to its size."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("frequency", ctypes.c_long),
        ("error_max", ctypes.c_long), ("error_estimated", ctypes.c_long), ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )  # fmt: skip


def read_clock_offset() -> ClockOffset:
    """Return the offset in seconds; None where no time service keeps the clock."""
    if not sys.platform.startswith("linux"):
        return ClockOffset(source="none")
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return ClockOffset(source="none")
    answer = _Timex()
    if ask(ctypes.byref(answer)) < 0 or answer.status & STA_UNSYNC:
        return ClockOffset(source="kernel, not synchronised")
    return ClockOffset(seconds=answer.offset / (NANOS if answer.status & STA_NANO else MICROS), source="kernel")
