"""Who gets notices in tests: a webhook and a mail server on this machine, each in a thread.

Belongs here: listening and keeping what came. Not here: any claim about it.
"""

import base64
import contextlib
import json
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WEBHOOK_SECRET = "T0CANARY/B0CANARY/wEbHoOkCanary77"
MAIL_USER, MAIL_PASSWORD = "canary-user@mail.example", "mAiLcAnArY-4711"
SENDER, RECEIVERS = "canary-from@mail.example", "canary-a@mail.example, canary-b@mail.example"
CANARIES = (WEBHOOK_SECRET, MAIL_USER, MAIL_PASSWORD, SENDER, *RECEIVERS.split(", "))


@dataclass
class Hook:
    """A webhook: what it got, and what it answers."""

    url: str
    got: list[Any] = field(default_factory=list)
    answers: int = 200

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.got]


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    """A webhook that takes whatever is posted to its secret path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            assert WEBHOOK_SECRET in self.path
            made.got.append(json.loads(content))
            self.send_response(made.answers)
            self.end_headers()
            self.wfile.write(b"no answer is read")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Hook(f"http://127.0.0.1:{server.server_port}/services/{WEBHOOK_SECRET}?sig={WEBHOOK_SECRET}")
    with _serving(server):
        yield made


@dataclass
class Post:
    """A mail server: what it got, and whom it refuses."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    is_wrapped: bool = False
    refuses: str = ""
    logins: list[str] = field(default_factory=list)
    got: list[tuple[str, list[str], Message]] = field(default_factory=list)
    was_clear: list[str] = field(default_factory=list)
    """The commands that came without encryption."""


@contextlib.contextmanager
def post(certificate: Path | None = None, *, is_wrapped: bool = False, refuses: str = "") -> Iterator[Post]:
    """A mail server: without a certificate, in the clear; with one, by STARTTLS, or wrapped in TLS from the start."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                _talk(self.request, made, opened)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    made = Post(is_wrapped=is_wrapped, refuses=refuses)
    if certificate is not None:
        made.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = Server(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    with _serving(server):
        yield made


def _talk(plain: socket.socket, post: Post, opened: contextlib.ExitStack) -> None:
    plain.settimeout(30)
    is_safe = post.is_wrapped
    connection: socket.socket = plain
    if post.tls and is_safe:
        connection = opened.enter_context(post.tls.wrap_socket(plain, server_side=True))
    lines = connection.makefile("rb")
    sender, receivers = "", list[str]()

    def say(*said: str) -> None:
        connection.sendall("".join(f"{line}\r\n" for line in said).encode())

    say("220 here")
    while line := lines.readline().decode():
        verb, _, rest = line.strip().partition(" ")
        if not is_safe:
            post.was_clear.append(verb.upper())
        match verb.upper():
            case "EHLO":
                say("250-here", *(["250-STARTTLS"] if post.tls and not is_safe else []), "250 AUTH PLAIN")
            case "STARTTLS":
                say("220 go")
                assert post.tls is not None
                connection = opened.enter_context(post.tls.wrap_socket(plain, server_side=True))
                is_safe = True
                lines = connection.makefile("rb")
            case "AUTH":
                post.logins.append(base64.b64decode(rest.split()[-1]).decode())
                say(f"535 wrong, {MAIL_PASSWORD}" if post.refuses == "login" else "235 in")
            case "MAIL":
                sender = rest
                say("250 ok")
            case "RCPT" if post.refuses and post.refuses in rest:
                say(f"550 no {rest}")
            case "RCPT":
                receivers.append(rest)
                say("250 ok")
            case "DATA":
                say("354 go")
                content = b""
                while (part := lines.readline()) != b".\r\n":
                    content += part
                post.got.append((sender, receivers, message_from_bytes(content, policy=default)))
                say("250 ok")
            case other:
                say("221 bye" if other == "QUIT" else "250 ok")


@contextlib.contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def certificate_in(folder: Path) -> Path:
    """A certificate of `localhost`, with its key beside it."""
    made = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(made), "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True, timeout=60)
    return made
