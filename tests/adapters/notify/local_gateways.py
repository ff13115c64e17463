"""Real servers on loopback that stand for gateways: HTTP with a memory, and SMTP as far as RFC 5321 needs here."""

import datetime
import json
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class HttpGateway:
    """Answers `answers` in turn (status, body), the last one for ever; keeps what it got. `hang` answers nothing."""

    def __init__(self, *answers, hang=False, route=None, port=0):
        self.answers, self.got, self.hang, self.route = list(answers) or [(200, {"id": "m-1"})], [], hang, route
        gateway, self.released = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = (self.command, self.path, dict(self.headers.items()), body)
                gateway.got.append(request)
                if gateway.hang:
                    gateway.released.wait(30)
                    return
                status, said = gateway.route(*request) if gateway.route else gateway.next_answer()
                data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET = do_PATCH = do_any

            def log_message(self, *_words):
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that gave up is what some tests are about."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def next_answer(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class SmtpGateway:
    """Takes mail; `refuse` answers RCPT with that code, `tls` offers STARTTLS, `hang` never greets."""

    def __init__(self, *, refuse=None, tls=None, hang=False, login=None):
        self.mails, self.encrypted, self.logins = [], [], []
        gateway, self.released = self, threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")
                self.wfile.flush()

            def handle(self):
                if hang:
                    gateway.released.wait(30)
                    return
                self.say("220 local ESMTP")
                secure, sender, to = False, "", []
                while line := self.rfile.readline():
                    word = line.decode().strip()
                    verb = word.upper().partition(" ")[0]
                    if verb in ("EHLO", "HELO"):
                        offers = ["local", *["STARTTLS"] * bool(tls and not secure), *["AUTH PLAIN"] * bool(login)]
                        for n, offer in enumerate(offers):
                            self.say(f"250{' ' if n == len(offers) - 1 else '-'}{offer}")
                    elif verb == "STARTTLS" and tls:
                        self.say("220 go")
                        self.request = tls.wrap_socket(self.request, server_side=True)
                        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")
                        secure = True
                    elif verb == "AUTH":
                        gateway.logins.append(word)
                        self.say("235 ok" if login == "take" else "535 no")
                    elif verb == "MAIL":
                        sender, to = word, []
                        self.say("250 ok")
                    elif verb == "RCPT":
                        to.append(word)
                        self.say(f"{refuse} no such user" if refuse else "250 ok")
                    elif verb == "DATA":
                        self.say("354 go")
                        data = b""
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            data += part
                        gateway.mails.append((sender, tuple(to), data.decode()))
                        gateway.encrypted.append(secure)
                        self.say("250 queued")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok" if verb in ("RSET", "NOOP") else "502 unknown")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True

            def handle_error(self, request, client_address):
                """A client that gave up is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def certificate(folder):
    """Return server and client TLS contexts of a certificate for 127.0.0.1 that only the client's trusts."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, private)
    return server, ssl.create_default_context(cafile=cert)
