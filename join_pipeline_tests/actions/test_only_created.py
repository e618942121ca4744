"""Only what was created here: other records are in no model, and nothing else about a sync changes."""

from typing import Any
from unittest import mock

import duckdb
import pytest

from join_pipeline.actions.create import create_application
from join_pipeline.errors import SettingsError, TransientError
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.lake.sql import files_literal
from join_pipeline.settings import Settings
from join_pipeline_tests.actions.company import Company, attachment, no_sleep
from join_pipeline_tests.syncing import replay, run_sync


def live(record: SyncRecord) -> dict[str, int]:
    return {name: model.live for name, model in record.models.items()}


def remote_ids(settings: Settings, record: SyncRecord, model: str) -> set[str]:
    """JOIN's ids of what is live."""
    files = files_literal([str(settings.lake / file.path) for file in record.files.models.get(model, [])])
    query = f"""SELECT arg_max(remote_id, sync_id) FROM read_parquet({files}) GROUP BY id
        HAVING arg_max(remote_deleted_at IS NULL, sync_id)"""
    return {row[0] for row in duckdb.execute(query).fetchall()} if files != "[]" else set()


def test_only_what_was_created_here_is_in_the_models(company: Company, email: str) -> None:
    settings = company.settings(only_created=True)
    empty = run_sync(settings)
    assert live(empty)["jobs"] > 50
    assert not any(live(empty)[name] for name in ("applications", "candidates", "application_stages", "tags"))

    created = create_application(settings, company.request(email, attachment()))
    second = run_sync(settings, "incremental")
    assert remote_ids(settings, second, "applications") == {created.application["remote_id"]}
    assert remote_ids(settings, second, "candidates") == {created.candidate["remote_id"]}
    assert live(second)["application_stages"] == live(second)["job_application_stages"] == 1
    assert live(second)["jobs"] == live(empty)["jobs"]
    full = run_sync(settings, "full")
    assert (full.verdict, live(full)) == ("committed", live(second))
    assert not any(model.versions for model in full.models.values())
    assert replay(settings, open_lake(settings.lake)).n_different == 0

    company.move_to("2026-05-31T00:00:00Z")  # JOIN has it no longer
    try:
        gone = run_sync(settings, "full")
    finally:
        company.move_to("2026-06-01T00:00:00Z")
    assert gone.verdict == "committed"
    assert (live(gone)["applications"], live(gone)["candidates"]) == (0, 0)


def test_an_application_whose_answer_was_lost_is_kept_by_its_key(company: Company, email: str) -> None:
    settings = company.settings(only_created=True)

    def unseen(_self: object) -> Any:
        raise TransientError("no answer")

    asked = company.request(email)
    blind = mock.patch("join_pipeline.actions.send.Submission.look_up", unseen)
    with company.faulty(write_lost=1.0), blind, pytest.raises(TransientError):
        create_application(settings, asked, sleep=no_sleep)
    record = run_sync(settings)
    assert remote_ids(settings, record, "applications") == {str(one["id"]) for one in company.applications(email)}
    assert live(record)["applications"] == 1


def test_switched_off_everything_is_read_and_it_is_not_switched_on_again(company: Company, email: str) -> None:
    settings = company.settings(only_created=True)
    create_application(settings, company.request(email))
    assert live(run_sync(settings))["applications"] == 1
    widened = run_sync(company.settings(), "incremental")
    assert widened.mode == "full"
    assert widened.reason.startswith("until now only what was created here was kept; it is not proved yet")
    assert widened.last_full is None, "nearly all applications are new to this lake, as in a first sync"
    assert live(widened)["applications"] > 200
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_ONLY_CREATED is on, and this lake holds all"):
        run_sync(settings)
    assert run_sync(company.settings(), "incremental").mode == "incremental"
