"""Verbs as in `forked_words`, and desks with an ear: a test blocks the loop or stops the bus when it chooses.

Desk, venue line, watchdog and verbs are the real ones; the ear hangs on the desk's own event loop. The variable `EAR`
names its socket. It hears `block SECONDS` and `bus`, and makes the file `SOCKET.WORD` when it begins.
"""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from forked_words import SERVE, ForkedWords, serve

EAR = "TEST_EAR"
MESSAGE_BYTES_MAX = 64


class AilingWords(ForkedWords):
    """Start verbs whose desks can be made ill; see `mouth`."""

    script = Path(__file__)


def mouth(ear, *words):
    """Make a desk ill; return the file that shows that it has begun."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.sendto(" ".join(map(str, words)).encode(), str(ear))
    return Path(f"{ear}.{words[0]}")


def give_ears():
    """Let each desk's process hear, as long as it runs."""
    import tradeworthy.cli.supervised as supervised
    from tradeworthy.app.runtime.desk_process import DeskProcess

    class AilingDesk(DeskProcess):
        async def run(self, timeout_s=None):
            place, loop = os.environ[EAR], asyncio.get_running_loop()
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
                ear.bind(place)
                loop.add_reader(ear, lambda: self.hear(place, ear.recv(MESSAGE_BYTES_MAX).decode().split()))
                return await super().run(timeout_s)

        def hear(self, place, words):
            Path(f"{place}.{words[0]}").touch()
            match words:
                case ["block", seconds]:
                    keep_the_loop(float(seconds))
                case ["bus"]:
                    self.bus_stops = asyncio.ensure_future(self.publishing.bus.stop())

    supervised.DeskProcess = AilingDesk


def keep_the_loop(seconds):
    time.sleep(seconds)


if __name__ == "__main__" and sys.argv[1:] == [SERVE]:
    give_ears()
    serve()
