"""Tell the process manager where the desk stands: ready, alive, stopping (WD-07); the protocol of sd_notify(3)."""

import socket
from collections.abc import Mapping

ADDRESS_VARIABLE = "NOTIFY_SOCKET"


class ServiceNotify:
    """Send states to a process manager's socket; without one every call does nothing and answers False.

    address  a path, or a name that begins with `@` for a socket without a file; None or empty: no process manager
    """

    def __init__(self, address: str | None) -> None:
        self._address = address or None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "ServiceNotify":
        """Return the process manager that the environment names, if any."""
        return cls(environment.get(ADDRESS_VARIABLE))

    def ready(self, status: str) -> bool:
        """The desk has started: journal verified, guard restored, workloads begun."""
        return self._send("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> bool:
        """One line for people."""
        return self._send(f"STATUS={_line(status)}")

    def alive(self) -> bool:
        """The event loop turns; the process manager restarts a desk that does not say so in its watchdog time."""
        return self._send("WATCHDOG=1")

    def stopping(self, status: str) -> bool:
        """The desk ends by its own will."""
        return self._send("STOPPING=1", f"STATUS={_line(status)}")

    def _send(self, *lines: str) -> bool:
        """Tell whether the datagram left; a process manager that is gone or slow never stops the desk."""
        if self._address is None:
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            try:
                end.sendto("\n".join(lines).encode(), address)
            except OSError:
                return False
        return True


def _line(text: str) -> str:
    return " ".join(text.split())
