"""The jobs that act on JOIN run once, are never retried, and leave no personal data in Dagster's storage."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import httpx
import pytest

from join_pipeline.actions.send import ATTEMPTS, Submission
from join_pipeline.errors import TransientError
from join_pipeline.settings import Settings
from join_pipeline.sources.join.options import JoinOptions
from join_pipeline_tests.dagster.conftest import settings_for

PERSON = ("Ottilie", "Vogelsang", "ottilie.vogelsang")
PDF = b"%PDF-1.4 Ottilie"


@pytest.fixture
def chosen(sandbox_url: str, tmp_path: Path) -> Settings:
    return settings_for(sandbox_url, tmp_path)


def ask(settings: Settings, name: str, place: int, **changes: Any) -> None:
    """Put a request where the job looks for it."""
    jobs = httpx.get(
        f"{settings.of(JoinOptions).join_api_url}/jobs",
        params={"status": "ONLINE"},
        headers={"Authorization": "sandbox-token"},
        timeout=30,
    )
    first, last, local = PERSON
    request = {
        "candidate": {"first_name": first, "last_name": last, "email_address": f"{local}.{place}@example.org"},
        "application": {"job_id": f"remote:{jobs.json()[0]['id']}"},
        "attachments": [{"name": f"CV {last}.pdf", "type": "CV", "data": b64encode(PDF).decode()}],
    }
    path = settings.actions / "requests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(request | changes))
    path.chmod(0o600)


def run(definitions: dg.Definitions, settings: Settings, job: str, config: dict[str, Any]) -> tuple[Any, str]:
    """A job run in this process with these settings; its result, and everything that the instance keeps of it."""
    with dg.DagsterInstance.ephemeral() as instance:
        resolved = definitions.get_repository_def().get_job(job)
        result = resolved.execute_in_process(
            run_config={"ops": {f"{job}_at_join": {"config": config}}},
            resources={"join_pipeline_settings": settings},
            instance=instance,
            raise_on_error=False,
        )
        kept = [repr(entry) for entry in instance.all_logs(result.run_id)]
        stored = instance.get_run_by_id(result.run_id)
        assert stored is not None
        return result, "\n".join([*kept, repr(stored), json.dumps(stored.run_config), str(stored.tags)])


def told(result: Any, job: str) -> dict[str, Any]:
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in output.event_specific_data.metadata.items()}


def test_a_job_creates_once_and_keeps_nothing_of_the_person(
    definitions: dg.Definitions, chosen: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(chosen, "order-1.json", 1, source={"name": "Some board"})
    result, kept = run(definitions, chosen, "create_application", {"name": "order-1.json"})
    assert result.success
    figures = told(result, "create_application")
    answer = chosen.actions / "answers" / "order-1.json"
    assert figures["answer"] == str(answer)
    assert figures["warnings"] == 1
    created = json.loads(answer.read_bytes())
    assert created["application"]["id"] == figures["application_id"]
    assert created["candidate"]["last_name"] == "Vogelsang"
    assert oct(answer.stat().st_mode & 0o777) == "0o600"

    again, _ = run(definitions, chosen, "create_application", {"name": "order-1.json"})
    assert told(again, "create_application") == figures | {"created_before": 1, "warnings": 2}

    fetched, kept_of_files = run(
        definitions, chosen, "fetch_attachments", {"name": "order-1", "application_id": figures["application_id"]}
    )
    assert told(fetched, "fetch_attachments")["files"] == 1
    [file] = (chosen.actions / "attachments" / "order-1").iterdir()
    assert file.read_bytes() == PDF
    printed = "".join(capfd.readouterr())
    for word in (*PERSON, b64encode(PDF).decode()):
        assert word not in kept + kept_of_files + printed


def test_a_candidate_is_answered_with_the_application(definitions: dg.Definitions, chosen: Settings) -> None:
    ask(chosen, "order-2.json", 2)
    result, _ = run(definitions, chosen, "create_candidate", {"name": "order-2.json", "key": "order 2"})
    assert result.success
    answer = json.loads((chosen.actions / "answers" / "order-2.json").read_bytes())
    assert answer["candidate"]["applications"][0]["id"] == told(result, "create_candidate")["application_id"]


def test_a_failure_says_what_to_do_and_nothing_of_the_person_and_is_not_retried(
    definitions: dg.Definitions, chosen: Settings
) -> None:
    ask(chosen, "order-3.json", 3)
    lost = TransientError("POST /applications got no answer.")
    with (
        mock.patch("join_pipeline.actions.send.FIRST_WAIT", 0.01),
        mock.patch.object(Submission, "post", side_effect=lost) as sent,
    ):
        result, kept = run(definitions, chosen, "create_application", {"name": "order-3.json"})
    assert not result.success
    assert sent.call_count == ATTEMPTS  # all of one request, with its files
    events = [event.event_type_value for event in result.all_events]
    assert events.count("STEP_START") == 1
    assert "STEP_UP_FOR_RETRY" not in events
    assert "Make the same request again" in kept
    assert not any(word in kept for word in PERSON)
    job = definitions.get_repository_def().get_job("create_application")
    assert job.tags["dagster/max_retries"] == "0"
    assert all(node.definition.retry_policy is None for node in job.graph.nodes)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "none.json"}, "No such file"),
        ({"name": "../../../etc/passwd"}, "must be a plain name"),
        ({"name": "open.json"}, "chmod 600"),
        ({"name": "broken.json"}, "is not JSON"),
        ({"name": "list.json"}, "must hold one JSON object"),
        ({"name": "wrong.json"}, "candidate.email_address: is no e-mail address"),
    ],
)
def test_a_request_that_can_not_be_taken_is_told_by_its_field(
    definitions: dg.Definitions, chosen: Settings, config: dict[str, Any], words: str
) -> None:
    ask(chosen, "open.json", 4)
    (chosen.actions / "requests" / "open.json").chmod(0o644)
    ask(chosen, "wrong.json", 4, candidate={"first_name": "A", "last_name": "B", "email_address": "Ottilie"})
    for name, text in (("broken.json", "{Ottilie"), ("list.json", '["Ottilie"]')):
        (chosen.actions / "requests" / name).write_text(text)
        (chosen.actions / "requests" / name).chmod(0o600)
    result, kept = run(definitions, chosen, "create_application", config)
    assert not result.success
    assert words in kept
    assert "Ottilie" not in kept


def test_files_that_can_not_be_had_fail_the_run(definitions: dg.Definitions, chosen: Settings) -> None:
    result, kept = run(definitions, chosen, "fetch_attachments", {"name": "x", "application_id": "remote:999999"})
    assert not result.success
    assert "no application 999999" in kept
    neither, kept = run(definitions, chosen, "fetch_attachments", {"name": "x"})
    assert not neither.success
    assert "exactly one of application_id and candidate_id" in kept
