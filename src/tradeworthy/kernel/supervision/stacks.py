"""Where a task or thread stands now, as lines of text."""

import asyncio
import sys
import threading
import traceback
from collections import deque
from types import FrameType
from typing import Any

from tradeworthy.kernel.redaction import redact

_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


def task_stack(task: asyncio.Task[Any], frames_max: int) -> tuple[str, ...]:
    """Return the innermost frames a suspended task waits in, outermost first: through every coroutine it awaits."""
    lines: deque[str] = deque(maxlen=frames_max)
    awaited: object = task.get_coro()
    while awaited is not None:
        frame = _first(awaited, _FRAMES)
        if isinstance(frame, FrameType):
            lines.append(_line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        awaited = _first(awaited, _AWAITED)
    return tuple(lines)


def thread_stack(thread: threading.Thread, frames_max: int) -> tuple[str, ...]:
    """Return a living thread's innermost frames, outermost first; empty when it has ended."""
    frame = sys._current_frames().get(thread.ident or -1)
    if frame is None:
        return ()
    found = traceback.extract_stack(frame)[-frames_max:]
    return tuple(_line(one.filename, one.lineno or 0, one.name) for one in found)


def _first(awaited: object, names: tuple[str, ...]) -> object:
    return next((found for name in names if (found := getattr(awaited, name, None)) is not None), None)


def _line(file: str, line: int, name: str) -> str:
    return str(redact(f"{file}:{line} {name}"))
