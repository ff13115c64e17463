"""A PostgreSQL server of a test alone, a child of it, in a folder of its own, over a socket there.

The folder lies beside those of pytest: the server's own user must reach it, and pytest keeps its folders to itself.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROLE = "postgres"


def missing(what):
    """Skip loudly; where every component must be there, fail."""
    if os.environ.get("STRICT_COMPONENTS") == "1":
        pytest.fail(f"STRICT_COMPONENTS=1 and {what}")
    pytest.skip(what)


@contextmanager
def serving():
    """Yield the URL of a fresh server."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        missing("no PostgreSQL server on this machine: initdb and postgres are not on the path")
    try:
        import psycopg
    except ModuleNotFoundError:
        missing("the extra postgres is not installed")
    who = {}
    if os.getuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam(ROLE)
        except KeyError:
            missing("PostgreSQL does not run as root, and there is no user postgres")
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    place = Path(tempfile.mkdtemp(prefix="tradeworthy-postgres-"))
    if who:
        os.chown(place, who["user"], who["group"])
    data = place / "data"
    subprocess.run(
        ["initdb", "-D", str(data), "-U", ROLE, "-A", "trust", "--no-sync"], check=True, capture_output=True, cwd=place,
        timeout=60, **who,
    )  # fmt: skip
    words = ["postgres", "-D", str(data), "-k", str(place), "-c", "listen_addresses=", "-c", "fsync=off"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place, **who)
    url = f"postgresql://{ROLE}@/postgres?host={place}"
    try:
        for _ in range(200):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield url
    finally:
        running.send_signal(signal.SIGINT)  # at once, whoever is connected
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGQUIT)
            running.wait(timeout=20)
        shutil.rmtree(place, ignore_errors=True)
