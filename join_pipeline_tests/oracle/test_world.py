"""Reading an account: every page, every job status, jobs that only applications name."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from join_pipeline_tests.oracle.payloads import application, job
from join_pipeline_tests.oracle.world import World

APPLICATIONS = [application(n, on_job=n % 4 + 1) for n in range(120, 0, -1)]
JOBS = {1: job(1), 2: job(2, status="DRAFT"), 3: job(3, status="UNHEARD_OF")}


def answer_to(path: str, params: dict[str, str]) -> tuple[int, object]:
    """An account with 120 applications, a listed job, a draft, a job in no list, and job 4, which is gone."""
    first = (int(params.get("page", 1)) - 1) * 50
    match path.split("/"):
        case ["", "v2", "applications"]:
            return 200, APPLICATIONS[first : first + 50]
        case ["", "v2", "jobs"]:
            status = params.get("status", "ONLINE")
            listed = [payload for payload in JOBS.values() if payload["status"] == status]
            return (422, {"error": {}}) if status == "ARCHIVED" else (200, listed[first : first + 50])
        case ["", "v2", "jobs", key]:
            return (200, JOBS[int(key)]) if int(key) in JOBS else (404, {"error": {}})
        case ["", "v2", "categories" | "employmentTypes" | "seniorityLevels" as name]:
            return 200, [{"id": 1, "name": name}]
    return 500, {}


class Account(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        status, body = answer_to(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})
        status = status if self.headers["Authorization"] == "secret" else 401
        self.send_response(status)
        self.end_headers()
        self.wfile.write(msgspec.json.encode(body))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def account() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Account)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v2"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_everything_that_is_listed_or_named_is_read_once():
    with account() as url:
        world = World.read(url, "secret")
    assert [payload["id"] for payload in world.applications] == list(range(1, 121))
    assert [payload["id"] for payload in world.jobs] == [1, 2, 3]
    assert world.lost_jobs == (4,)
    assert world.employment_types == ({"id": 1, "name": "employmentTypes"},)


def test_a_refusal_ends_the_reading():
    with account() as url, pytest.raises(httpx.HTTPStatusError):
        World.read(url, "wrong")
