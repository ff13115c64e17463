"""An address that hears heartbeats: signed notices of a desk's webhook channel, and nothing else (AR-15)."""

import hmac
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from tradeworthy.adapters.notify.webhook import SIGNED, STAMPED, signature
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.dead_man import is_heartbeat
from tradeworthy.operations.incidents.model import Notice

BODY_MAX = 64 << 10
READ_TIMEOUT_S = 5.0
POLL_S = 0.1


class HeartbeatServer:
    """Serve in a thread; `close` ends it.

    host, port  to listen at, port 0 takes a free one;  key  of the desk's signature, None: unsigned ones count
    beat        hears of each heartbeat, in a thread of the server
    """

    def __init__(self, host: str, port: int, key: Callable[[], Secret] | None, beat: Callable[[], None]) -> None:
        self._key, self._beat, self._newest, self._lock = key, beat, 0, threading.Lock()
        taken = self._taken

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_TIMEOUT_S

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isdigit() or int(length) > BODY_MAX:
                    self.send_error(413)
                    return
                body = self.rfile.read(int(length))
                status = taken(body, self.headers.get(STAMPED, ""), self.headers.get(SIGNED, ""))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: what counts is silence."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _taken(self, body: bytes, stamp: str, signed: str) -> int:
        """Return the status of one notice: 204 a heartbeat, 202 something else, 400, 401, or 409 for an old one."""
        try:
            notice = msgspec.json.decode(body, type=Notice)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return 400
        if self._key is not None:
            if not stamp.isdigit() or not hmac.compare_digest(signature(self._key(), int(stamp), body), signed):
                return 401
            with self._lock:
                if int(stamp) <= self._newest:  # somebody plays an old heartbeat again
                    return 409
                self._newest = int(stamp)
        if not is_heartbeat(notice):
            return 202
        self._beat()
        return 204
