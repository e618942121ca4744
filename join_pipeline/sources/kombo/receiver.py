"""Listening for Kombo's webhooks: one that is signed leaves a request, which a sensor turns into one sync.

Belongs here: the receiver, and the request as a file. Not here: what a webhook says (webhooks), when a sync is
launched (defs). However many come, and however often one is sent again, there is one request until a sync begins; what
comes from then on asks for another. It answers on this machine only unless told otherwise: a proxy speaks TLS for it.
"""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from uuid import uuid4

from join_pipeline.errors import SettingsError
from join_pipeline.lake.files import write_whole
from join_pipeline.settings import Settings
from join_pipeline.sources.kombo.webhooks import SIGNATURE_HEADER, is_signed, tells_of_data

MAX_BYTES: Final = 1_000_000
SECONDS: Final = 10.0


def request_file(settings: Settings) -> Path:
    """Where the request lies."""
    return settings.home / "sync-requested"


def requested(settings: Settings) -> str | None:
    """The request that is open, by a name of its own; None if there is none."""
    try:
        return request_file(settings).read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):  # a data folder that is a file is the sync's to tell
        return None


def answer_request(settings: Settings) -> None:
    """A sync begins: whatever was asked for until now, it will read."""
    if requested(settings) is not None:
        request_file(settings).unlink(missing_ok=True)


def leave_request(settings: Settings) -> None:
    """Ask for a sync. One that is asked for already and has not begun is enough."""
    if requested(settings) is None:
        write_whole(request_file(settings), uuid4().hex.encode())


def receive(settings: Settings, secret: str, body: bytes, signature: str) -> int:
    """What one webhook does, as the status that answers it: one that is not signed changes nothing."""
    if not is_signed(secret, body, signature):
        return 401
    if tells_of_data(body):
        leave_request(settings)
    return 204


def listen(settings: Settings, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Receive webhooks until interrupted. `ready` is told the port. `SettingsError` if there is no secret."""
    with server(settings, host, port) as receiver:
        ready(receiver.server_port)
        receiver.serve_forever()


def server(settings: Settings, host: str, port: int) -> ThreadingHTTPServer:
    """The receiver, bound and not yet serving."""
    secret = settings.kombo_webhook_secret.get_secret_value().strip() if settings.kombo_webhook_secret else ""
    if not secret:
        raise SettingsError(
            "KOMBO_WEBHOOK_SECRET is not set. In Kombo's dashboard: the webhook's secret; export it, then listen again."
        )

    class Receiver(BaseHTTPRequestHandler):
        timeout = SECONDS  # of one who connects and says nothing

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit():
                self._answer(411)
            elif int(length) > MAX_BYTES:
                self._answer(413)
            else:
                body = self.rfile.read(int(length))
                self._answer(receive(settings, secret, body, self.headers.get(SIGNATURE_HEADER, "")))

        def _answer(self, status: int) -> None:
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: a request line is whatever its sender wrote."""

    try:
        return ThreadingHTTPServer((host, port), Receiver)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such port"
        raise SettingsError(f"{host}:{port} can't be taken ({reason}). Another one: --port 0.") from None
