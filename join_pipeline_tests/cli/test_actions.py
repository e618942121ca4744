"""The commands that act on JOIN, as a user types them."""

import json
from pathlib import Path
from unittest import mock

import httpx
import pytest

from join_pipeline.actions.send import Submission
from join_pipeline_tests.cli.commands import Shell, is_told


def request(shell: Shell, tmp_path: Path, email: str) -> Path:
    job = shell("api", "GET", "/jobs", "--param", "status=ONLINE", "--json").document["data"][0]["id"]
    person = {"first_name": "Zoë", "last_name": "Test", "email_address": email}
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"candidate": person, "application": {"job_id": f"remote:{job}"}}))
    return path


def test_an_application_is_created_listed_and_saved(shell: Shell, tmp_path: Path) -> None:
    cv = tmp_path / "cv.pdf"
    cv.write_bytes(b"%PDF-1.4 me")
    asked = ["--request", str(request(shell, tmp_path, "cli.one@example.org")), "--attach", f"CV={cv}", "--json"]
    created = shell("create", "application", *asked)
    assert created.code == 0, created
    number = created.document["application"]["id"]
    again = shell("create", "candidate", *asked).document
    assert (again["is_replay"], again["candidate"]["applications"][0]["id"]) == (True, number)
    [listed] = shell("attachments", "list", "--application", number, "--json").document
    assert (listed["type"], listed["file_name"], listed["content_type"]) == ("CV", "cv.pdf", "application/pdf")
    assert shell("attachments", "get", "--application", number, "--to", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out" / "cv.pdf").read_bytes() == cv.read_bytes()
    assert "Nothing is kept" in shell("attachments", "resend").out


def test_faults_are_told_in_a_line_and_end_with_2(shell: Shell, tmp_path: Path) -> None:
    path = request(shell, tmp_path, "no address")
    is_told(shell("create", "application", "--request", str(path)), 2, "candidate.email_address: is no e-mail address")
    is_told(shell("attachments", "list"), 2, "exactly one of --application and --candidate")
    is_told(shell("api", "GET", "/../control/faults"), 2, "path: ")
    is_told(shell("api", "GET", "/..;/control/faults"), 2, "path: ")
    is_told(shell("api", "GET", "/jobs/1", "--header", "X-Method-Override: DELETE"), 2, "headers: x-method-override")
    is_told(shell("api", "GET", "/jobs/1", "--param", "_method=DELETE"), 2, "params: method would change")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_request_is_read_as_editors_write_it(shell: Shell, tmp_path: Path, encoding: str) -> None:
    path = request(shell, tmp_path, "no address")
    path.write_bytes(path.read_text().encode(encoding))
    # the fault that is told is the one in it
    is_told(shell("create", "application", "--request", str(path)), 2, "candidate.email_address: is no e-mail address")
    is_told(shell("api", "GET", "/jobs", "--data", f"@{path}"), 2, "data: GET takes none")


def test_a_file_in_an_old_encoding_is_told_by_its_line(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_bytes('{"candidate":\n {"first_name": "Zoë"}}'.encode("windows-1252"))
    told = f"{path}, line 2: not UTF-8"
    is_told(shell("create", "application", "--request", str(path)), 2, f"--request: {told}")
    is_told(shell("api", "POST", "/jobs", "--data", f"@{path}", "--yes"), 2, f"--data: {told}")


def test_what_join_does_not_take_for_now_waits_and_is_sent_whole(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("join_pipeline.actions.send.FIRST_WAIT", 0.01)
    cv = tmp_path / "cv.pdf"
    cv.write_bytes(b"%PDF-1.4 me")
    asked = ["--request", str(request(shell, tmp_path, "cli.waits@example.org")), "--attach", f"CV={cv}"]
    busy = httpx.Response(503, request=httpx.Request("POST", "https://join.example/applications"))
    with mock.patch.object(Submission, "post", return_value=busy) as sent:
        is_told(shell("create", "application", *asked), 1, "Make the same request again")
        assert shell("attachments", "resend").code == 1
    assert all(len(call.args[0]) == 1 for call in sent.call_args_list)
    ended = shell("attachments", "resend", "--json")
    assert (ended.code, [one["ending"] for one in ended.document]) == (0, ["created"])
    number = ended.document[0]["application_id"]
    [listed] = shell("attachments", "list", "--application", number, "--json").document
    assert listed["file_name"] == "cv.pdf"


def test_a_write_asks_for_yes_and_an_error_status_is_an_answer(shell: Shell) -> None:
    with mock.patch("join_pipeline.actions.passthrough.call") as called:
        is_told(shell("api", "DELETE", "/jobs/1"), 2, "--yes")
    assert called.call_count == 0
    ended = shell("api", "GET", "/jobs/999999", "--json")
    assert (ended.code, ended.document["status"]) == (0, 404)
