"""The commands that act on JOIN, as a user types them."""

import json
from pathlib import Path
from unittest import mock

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


def test_a_write_asks_for_yes_and_an_error_status_is_an_answer(shell: Shell) -> None:
    with mock.patch("join_pipeline.actions.passthrough.call") as called:
        is_told(shell("api", "DELETE", "/jobs/1"), 2, "--yes")
    assert called.call_count == 0
    ended = shell("api", "GET", "/jobs/999999", "--json")
    assert (ended.code, ended.document["status"]) == (0, 404)
