"""The platform's endpoints, errors, limits, faults and webhooks of the sandbox's Kombo.

Belongs here: what holds for every model and action. Not here: single actions (test_kombo_actions), lists
(test_kombo_lists).
"""

import hashlib
import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import kombo.errors
import kombo.models
import pytest

from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline_tests.contract.kombo_client import CONFIG, LISTS, Client, Sandbox, code_of, serving


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serving(CONFIG) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=[False, True], ids=["sync", "async"])
def client(request, sandbox) -> Client:
    return sandbox.client(is_async=request.param)


@pytest.fixture
def job(client) -> Any:
    return client.everything("jobs", statuses=["OPEN"])[0]


def apply_at_join(sandbox: Sandbox, job: Any, name: str) -> str:
    """An application that Kombo has nothing to do with; its id at JOIN."""
    body = {
        "jobId": int(job.remote_id),
        "candidate": {"email": f"{name}@example.org", "firstName": name, "lastName": "Example"},
        "source": "OTHER",
    }
    created = sandbox.http.post("/v2/applications", headers={"Authorization": CONFIG.token}, json=body)
    return str(created.json()["id"])


def test_the_key_the_integration_and_its_models_are_told(client):
    assert client.call("check_api_key").data.environment_id
    details = client.call("get_integration_details", integration_id=CONFIG.kombo.integration_id).data
    assert (details.tool.id, details.status, details.setup_status) == ("join", "ACTIVE", "COMPLETED")
    assert {model.id for model in details.read_models if model.is_available} == {f"ats_{name}" for name in LISTS}
    assert [action.id for action in details.write_actions] == ["create_application", "create_candidate"]


def test_a_forced_sync_sees_what_join_lists_now(sandbox, client, job):
    created = apply_at_join(sandbox, job, "hans" if client.is_async else "hana")
    assert client.everything("applications", remote_ids=[created]) == []
    assert client.call("trigger_sync", type_="DELTA").data.type == "DELTA"
    assert len(client.everything("applications", remote_ids=[created])) == 1
    assert client.call("trigger_sync").data.already_queued


def test_a_passthrough_answers_what_join_answers_even_an_error(client):
    def passed(path: str, **more: Any) -> Any:
        return client.call("send_passthrough_request", tool="join", api="v2", method="GET", path=path, **more).data

    found = passed("/applications", params={"pageSize": "2"}, headers={"Authorization": "mine"})
    assert (found.status, len(found.data)) == (200, 2)
    lost = passed("/applications/999999")
    assert (lost.status, lost.data["error"]["message"]) == (404, "no such application")
    assert isinstance(passed("/seniorityLevels", response_as_base64=True).data, str)
    job = passed("/jobs", params={"status": "ONLINE", "pageSize": "1"}).data[0]["id"]
    email = "passed.async@example.org" if client.is_async else "passed@example.org"
    body = {"jobId": job, "candidate": {"email": email, "firstName": "A", "lastName": "B"}, "source": "OTHER"}
    created = client.call(
        "send_passthrough_request", tool="join", api="v2", method="POST", path="applications", data=body
    ).data
    assert created.status == 201
    with pytest.raises(kombo.errors.KomboGeneralError):
        client.call("send_passthrough_request", tool="personio", api="v1", method="GET", path="/")


@pytest.mark.parametrize("path", ["/force-sync", "/passthrough/join/v2", "/ats/candidates"])
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"type": "SOME", "method": 1, "candidate": 1}'])
def test_bodies_that_make_no_sense_are_invalid_input(sandbox, path, body):
    answer = sandbox.raw(path, "POST", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID")


# Errors, limits, faults


def test_a_wrong_key_and_a_wrong_integration_are_told_apart(sandbox):
    assert code_of(sandbox.client(api_key="wrong"), "get_tags") == "PLATFORM.AUTHENTICATION_INVALID"
    assert code_of(sandbox.client(integration_id="join:no"), "get_tags") == "PLATFORM.INTEGRATION_NOT_FOUND"
    key = {"Authorization": f"Bearer {CONFIG.kombo.api_key}"}
    assert sandbox.raw("/ats/tags", headers=key).json()["error"]["code"] == "PLATFORM.INPUT_INVALID"
    assert sandbox.raw("/check-api-key", headers=key).status_code == 200
    assert sandbox.raw("/no/such/path").json()["error"] == {
        "code": None,
        "title": None,
        "message": "no such path",
        "log_url": None,
    }


@pytest.mark.parametrize(
    ("condition", "code", "status"),
    [
        ("setup_incomplete", "INTEGRATION.SETUP_INCOMPLETE", 409),
        ("setup_pending", "INTEGRATION.SETUP_SYNC_PENDING", 409),
        ("qa_failed", "INTEGRATION.QA_FAILED", 409),
        ("inactive", "INTEGRATION.INACTIVE", 400),
        ("credentials_invalid", "INTEGRATION.AUTHENTICATION_INVALID", 401),
    ],
)
def test_an_integration_that_is_not_ready_says_why(sandbox, condition, code, status):
    client = sandbox.client()
    sandbox.control("kombo", {"condition": condition})
    assert [code_of(client, f"get_{name}") for name in LISTS] == [code] * 6
    assert sandbox.raw("/ats/jobs").status_code == status
    assert client.call("get_integration_details", integration_id=CONFIG.kombo.integration_id).data.id
    sandbox.control("kombo", {"condition": "ready"})
    assert client.call("get_tags").result.data.results


def test_before_its_first_sync_an_integration_is_pending(sandbox):
    client = sandbox.client()
    sandbox.go_to("2026-01-01T00:00:00Z")
    assert code_of(client, "get_jobs") == "INTEGRATION.SETUP_SYNC_PENDING"
    details = client.call("get_integration_details", integration_id=CONFIG.kombo.integration_id).data
    assert details.setup_status == "FINAL_SYNC_PENDING"
    sandbox.go_to("2026-06-01T00:00:00Z")


def test_a_model_that_is_refused_is_disabled_and_told_so(sandbox):
    client = sandbox.client()
    sandbox.control("kombo", {"models_off": {"tags": "refused"}})
    assert code_of(client, "get_tags") == "INTEGRATION.MODEL_DISABLED"
    models = client.call("get_integration_details", integration_id=CONFIG.kombo.integration_id).data.read_models
    assert [model.id for model in models if not model.is_available] == ["ats_tags"]
    assert client.call("get_jobs").result.data.results
    sandbox.control("kombo", {"models_off": {}})


def test_the_limit_counts_down_and_then_refuses():
    few = replace(CONFIG, kombo=KomboConfig(rate_limit=(3, 60.0)))
    with serving(few) as sandbox:
        answers = [sandbox.raw("/check-api-key") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["ratelimit-limit"] == "3"
        assert 0 < int(answers[3].headers["ratelimit-reset"]) <= 60
        assert code_of(sandbox.client(), "get_jobs") == "PLATFORM.RATE_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("rate_limited", 429, "PLATFORM.RATE_LIMIT_EXCEEDED"),
        ("server_error", 500, "PLATFORM.UNKNOWN_ERROR"),
        ("bad_gateway", 502, None),
        ("not_json", 200, None),
    ],
)
def test_faults_come_in_kombos_shape_or_in_a_load_balancers(sandbox, fault, status, code):
    sandbox.control("faults", {fault: 1.0})
    answer = sandbox.raw("/ats/jobs")
    sandbox.control("faults", {})
    assert answer.status_code == status
    if code is None:
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.json()["error"]["code"] == code
    if fault == "rate_limited":
        assert (answer.headers["ratelimit-remaining"], answer.headers["ratelimit-reset"]) == ("0", "1")


def test_answers_may_break_off_or_hold_broken_records(sandbox):
    sandbox.control("faults", {"dropped": 1.0})
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.raw("/ats/jobs")
    sandbox.control("faults", {"truncated": 1.0})
    with pytest.raises(json.JSONDecodeError):
        sandbox.raw("/ats/jobs").json()
    sandbox.control("faults", {"extra_field": 1.0})
    assert sum("talentScore" in one for one in sandbox.raw("/ats/jobs").json()["data"]["results"]) == 1
    assert sandbox.client().call("get_jobs").result.data.results
    sandbox.control("faults", {"missing_field": 1.0})
    sizes = sorted(len(one) for one in sandbox.raw("/ats/jobs").json()["data"]["results"])
    assert sizes[0] == sizes[1] - 1
    sandbox.control("faults", {})


@pytest.mark.parametrize("body", [{"mood": "bad"}, {"condition": "bored"}, {"models_off": {"offers": "deleted"}}])
def test_switches_that_nobody_knows_are_refused(sandbox, body):
    assert sandbox.http.post("/control/kombo", json=body).status_code == 422
    assert sandbox.http.get("/control/kombo").json()["condition"] == "ready"


# Webhooks


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A loopback URL, and what it got: signature and raw body."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["X-Kombo-Signature"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("data-changed", kombo.models.DataChangedWebhookPayload),
        ("sync-finished", kombo.models.SyncFinishedWebhookPayload),
    ],
)
def test_a_webhook_is_signed_over_its_raw_body(sandbox, receiver, kind, model):
    url, got = receiver
    client = sandbox.client()
    job = client.everything("jobs", statuses=["OPEN"])[0]
    apply_at_join(sandbox, job, kind)
    client.call("trigger_sync")
    assert sandbox.control("kombo/webhook", {"url": url, "type": kind}) == {"status": 204}
    [(signature, body)] = got
    digest = hmac.new(CONFIG.kombo.webhook_secret.encode(), body, hashlib.sha256).digest()
    assert signature == urlsafe_b64encode(digest).decode().rstrip("=")
    payload = model.model_validate_json(body)
    assert payload.data.integration_id == CONFIG.kombo.integration_id
    if kind == "data-changed":
        changed = {model.name for model in payload.data.changed_models}
        assert {"ats_applications", "ats_candidates"} <= changed


def test_webhooks_go_to_this_machine_only(sandbox):
    for body in ({"url": "https://example.com/"}, {"url": 5}, {}, {"url": "http://127.0.0.1:9/", "type": "party"}):
        assert sandbox.http.post("/control/kombo/webhook", json=body).status_code == 422
    assert sandbox.http.post("/control/kombo/webhook", json={"url": "http://127.0.0.1:9/"}).status_code == 502
