"""Serving: starting, stopping, the clock in the headers, the limit, and who may control it."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import httpx
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sandbox.server import make_app
from join_pipeline.sandbox.world import World

CONFIG = SandboxConfig(port=0, applications=60, rate_limit=None)
TOKEN = {"Authorization": CONFIG.token}
SERVE = """
from join_pipeline.sandbox import SandboxConfig, serve
serve(SandboxConfig(port=0, applications=60), ready=lambda url: print(url, flush=True))
print("bye")
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(CONFIG) as url:
        yield url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_even_with_a_connection_open(number):
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url) as client:
            assert client.get("/control/clock").status_code == 200
            process.send_signal(number)
            assert process.communicate(timeout=10) == ("bye\n", "")
        assert process.returncode == 0


def test_a_port_in_use_is_told_at_once(url):
    taken = int(url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), running(replace(CONFIG, port=taken)):
        pass


def test_the_only_date_is_the_sandbox_clock(url):
    for path in ("/v2/jobs", "/v2/nothing", "/control/truth", "/"):
        assert httpx.get(url + path, headers=TOKEN).headers.get_list("date") == ["Mon, 01 Jun 2026 00:00:00 GMT"]


def test_a_clock_with_speed_moves_the_company():
    with running(replace(CONFIG, speed=86_400.0 * 200)) as url:
        before = httpx.get(f"{url}/v2/applications", headers=TOKEN)
        time.sleep(0.3)
        after = httpx.get(f"{url}/v2/applications", headers=TOKEN)
    assert after.headers["date"] != before.headers["date"]
    assert after.json()[0]["id"] > before.json()[0]["id"]


@pytest.mark.parametrize("body", [{"now": "tomorrow"}, {"now": 5}, {}, []])
def test_the_clock_takes_instants_only(url, body):
    assert httpx.post(f"{url}/control/clock", json=body).status_code == 422
    assert httpx.get(f"{url}/control/clock").json() == {"now": "2026-06-01T00:00:00.000Z"}


def test_an_instant_may_have_any_offset():
    with running(CONFIG) as url:
        moved = httpx.post(f"{url}/control/clock", json={"now": "2026-07-01T02:00:00+02:00"})
    assert moved.json() == {"now": "2026-07-01T00:00:00.000Z"}


def test_control_answers_on_loopback_only():
    app = make_app(World(CONFIG, "http://sandbox.example"))

    async def status(host: str) -> int:
        transport = httpx.ASGITransport(app, client=(host, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.example") as client:
            return (await client.get("/control/clock")).status_code

    assert asyncio.run(status("127.0.0.1")) == 200
    assert asyncio.run(status("::1")) == 200
    assert asyncio.run(status("192.0.2.7")) == 403


def test_the_limit_counts_down_and_then_refuses_until_its_window_ends():
    with running(replace(CONFIG, rate_limit=(3, 0.6))) as url, httpx.Client(base_url=url, headers=TOKEN) as api:
        answers = [api.get("/v2/seniorityLevels") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
        assert {answer.headers["x-ratelimit-reset"] for answer in answers} == {"1"}
        assert "error" in answers[3].json()
        assert api.get("/control/clock").status_code == 200
        time.sleep(0.65)
        assert api.get("/v2/seniorityLevels").status_code == 200


def test_signed_urls_go_stale_with_the_clock():
    with running(CONFIG) as url, httpx.Client(base_url=url, headers=TOKEN) as api:
        files = [item["url"] for found in api.get("/v2/applications").json() for item in found["attachments"]]
        answer = api.get(files[0])
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert httpx.get(files[0]).status_code == 422
        assert api.get(files[0].partition("?")[0]).status_code == 403
        assert api.get(files[0][:-1] + ("0" if files[0][-1] != "0" else "1")).status_code == 403
        assert api.get(files[0].replace("/0?", "/77?")).status_code == 404
        api.post("/control/clock", json={"now": "2026-06-01T01:30:00Z"}).raise_for_status()
        assert api.get(files[0]).status_code == 200
        api.post("/control/clock", json={"now": "2026-06-01T02:00:01Z"}).raise_for_status()
        assert api.get(files[0]).status_code == 403
        answers = [item for found in api.get("/v2/applications").json() for item in found["screeningQuestions"]]
        assert api.get(next(item["file"] for item in answers if item["file"])).status_code == 200
        fresh = [item["url"] for found in api.get("/v2/applications").json() for item in found["attachments"]]
        assert api.get(fresh[0]).status_code == 200


def test_what_is_assumed_about_join_can_be_turned_round():
    other = replace(
        CONFIG,
        jobs=400,
        page_size=7,
        has_milliseconds=False,
        state_keys=("hiringState",),
        shows_questions=False,
        shows_hiring_team=True,
        lists_drafts=True,
        job_statuses=("ONLINE", "ARCHIVED"),
        missing_token_status=401,
        wrong_token_status=403,
        files_need_token=False,
        created_status=200,
    )
    with running(other) as url, httpx.Client(base_url=url, headers=TOKEN) as api:
        found = api.get("/v2/applications?pageSize=50").json()
        assert len(found) <= 7
        assert "state" not in found[0]
        assert all("." not in record["createdAt"] for record in found)
        jobs = api.get("/v2/jobs").json()
        assert all("hiringTeam" in job and "questions" not in job for job in jobs)
        everything = [job for page in range(1, 40) for job in api.get(f"/v2/jobs?page={page}").json()]
        assert "DRAFT" in {job["status"] for job in everything}
        assert api.get("/v2/jobs?status=DRAFT").status_code == 422
        file = next(item["url"] for record in found for item in record["attachments"])
        assert httpx.get(file).status_code == 200
        assert httpx.get(f"{url}/v2/jobs").status_code == 401
        assert httpx.get(f"{url}/v2/jobs", headers={"Authorization": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("applications", "jobs", "has_jobs"), [(0, None, False), (0, 5, True)], ids=["nothing", "jobs alone"]
)
def test_an_empty_company_is_served(applications, jobs, has_jobs):
    with running(replace(CONFIG, applications=applications, jobs=jobs)) as url:
        assert httpx.get(f"{url}/v2/applications", headers=TOKEN).json() == []
        assert bool(httpx.get(f"{url}/v2/jobs", headers=TOKEN).json()) is has_jobs
        assert httpx.get(f"{url}/v2/categories", headers=TOKEN).json()


@pytest.mark.parametrize(
    "settings",
    [
        {"applications": -1},
        {"applications": 5, "jobs": 0},
        {"now": datetime(2026, 6, 1)},  # noqa: DTZ001 - what must be refused
        {"page_size": 51},
        {"speed": -1.0},
        {"seed": -1},
        {"faults": {"slow": 1.5}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"\w"):
        SandboxConfig(**settings)
