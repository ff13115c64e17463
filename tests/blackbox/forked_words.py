"""Run verbs in processes that are forked from one that has imported everything: a start costs no second of imports.

Reads a JSON object a line, `{"words": [...], "out": FILE, "environ": {...}}`, forks, and answers `pid N` at once and
`N ended CODE` later; a process ended by a signal has a negative code.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path

from desk_process import environment

SERVE = "serve"


class ForkedWords:
    """The side of the test: `start` returns a pid, `code` waits for the exit code of one."""

    script = Path(__file__)

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(self.script), SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(),
        )  # fmt: skip
        self._codes = {}
        assert self._process.stdout.readline() == "ready\n"

    def start(self, *words, out, **environ):
        asked = {"words": [str(one) for one in words], "out": str(out), "environ": environ}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        while True:
            told = self._process.stdout.readline().split()
            if told[0] == "pid":
                return int(told[1])
            self._codes[int(told[0])] = int(told[2])

    def code(self, pid):
        while pid not in self._codes:
            pid_ended, _, code = self._process.stdout.readline().split()
            self._codes[int(pid_ended)] = int(code)
        return self._codes.pop(pid)

    def running(self, pid):
        return pid not in self._codes and Path(f"/proc/{pid}").exists()

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve():
    """Fork for each line; end when the standard input ends."""
    import tradeworthy.app.runtime.desk_process  # noqa: F401  imported once, before the forks
    from tradeworthy.cli.main import main

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\n").encode())

    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    watched = selectors.DefaultSelector()
    watched.register(0, selectors.EVENT_READ)
    watched.register(heard, selectors.EVENT_READ)
    say("ready")
    rest = b""
    while True:
        for key, _ in watched.select():
            data = os.read(key.fd, 65_536)
            if key.fd == heard:
                reap(say)
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    become(asked, main)
                say("pid", pid)


def become(asked, main):
    """Turn the forked process into the verb."""
    out = os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, number in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(place, number)
    os.closerange(3, 64)
    os.environ.update(asked["environ"])
    main(asked["words"])


def reap(say):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        say(pid, "ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__" and sys.argv[1:] == [SERVE]:
    serve()
