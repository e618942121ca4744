"""With no changes at JOIN, the tables of models equal what it lists, field by field, by an independent mapping."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pandas as pd
import pytest

from join_pipeline.pipeline import load
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sync.plan import AskedMode
from join_pipeline_tests.oracle.compare import differences, fetched
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.world import World
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.whole_rows import whole

TOKEN = "sandbox-token"
INTEGRATION = "join:test"
START = datetime(2026, 1, 10, 8, tzinfo=UTC)
# what a record's payload holds of other records is as old as the record's own last change
BORROWED = ("candidate", "job", "currentStage")
ACCUMULATED = ("application_stages", "job_application_stages", "screening_questions", "job_screening_questions")
WITH_BORROWED = ("applications", "application_stages")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(SandboxConfig(port=0, applications=700, now=START, rate_limit=None)) as url:
        yield url


def settings_for(url: str, data: Path) -> Settings:
    return load_settings(
        join_api_token=TOKEN,
        join_api_url=f"{url}/v2",
        data=data,
        connection="sandbox",
        integration_id=INTEGRATION,
        pseudonym_key="a key for tests only",
    )


def move_clock(url: str, now: datetime) -> None:
    httpx.post(f"{url}/control/clock", json={"now": now.isoformat()}, trust_env=False).raise_for_status()


def live_rows_differ(settings: Settings, url: str) -> dict[str, list[str]]:
    """Differences between the live rows of `ats` and what the account lists, by model."""
    load(settings)
    expected = expected_tables(World.read(f"{url}/v2", TOKEN), INTEGRATION)
    found = {}
    with contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
        for model, frame in expected.items():
            actual = fetched(con, f"FROM {whole(model)} WHERE remote_deleted_at IS NULL")
            wanted = frame
            if model in WITH_BORROWED:
                wanted, actual = without_borrowed(frame), without_borrowed(actual)
            if lines := differences(wanted, actual):
                found[model] = lines
    return found


def without_borrowed(frame: pd.DataFrame) -> pd.DataFrame:
    """`remote_data` without what belongs to other records, which does not make a version of its own."""

    def own(value: Any) -> Any:
        data = json.loads(value) if isinstance(value, str) else value or {}
        return {path: {k: v for k, v in payload.items() if k not in BORROWED} for path, payload in data.items()}

    return frame.assign(remote_data=[own(value) for value in frame["remote_data"]])


def is_memory(model: str, line: str) -> bool:
    """What only a pipeline with a past can know: stages and forms that nobody is in any more, a draft's opening."""
    return any(word in line for word in (" opened_at: ", " global_index: ", " index: ")) or (
        model in ACCUMULATED and line.startswith("not expected")
    )


def test_a_first_full_sync_gives_what_join_lists(sandbox: str, tmp_path: Path) -> None:
    move_clock(sandbox, START)
    settings = settings_for(sandbox, tmp_path)
    run_sync(settings, "full")
    assert live_rows_differ(settings, sandbox) == {}


@pytest.mark.parametrize("modes", [("full",) * 4, ("incremental", "incremental", "incremental", "full")])
def test_after_any_history_a_full_sync_gives_what_join_lists(
    sandbox: str, tmp_path: Path, modes: tuple[AskedMode, ...]
) -> None:
    settings = settings_for(sandbox, tmp_path)
    move_clock(sandbox, START)
    run_sync(settings, "full")
    for day, mode in enumerate(modes, start=1):
        move_clock(sandbox, START + timedelta(days=7 * day))
        record = run_sync(settings, mode)
        assert record.models["applications"].changed > 0
    assert record.models["applications"].deleted > 0
    found = live_rows_differ(settings, sandbox)
    surprises = {model: [line for line in lines if not is_memory(model, line)] for model, lines in found.items()}
    assert {model: lines for model, lines in surprises.items() if lines} == {}


def test_an_incremental_sync_sees_all_but_deletions(sandbox: str, tmp_path: Path) -> None:
    settings = settings_for(sandbox, tmp_path)
    move_clock(sandbox, START)
    run_sync(settings, "full")
    move_clock(sandbox, START + timedelta(days=10))
    run_sync(settings, "incremental")
    found = live_rows_differ(settings, sandbox)
    assert all("not expected" in line for line in found["applications"]), found["applications"]


def test_reading_the_same_again_writes_nothing(sandbox: str, tmp_path: Path) -> None:
    settings = settings_for(sandbox, tmp_path)
    move_clock(sandbox, START)
    first = run_sync(settings, "full")
    for mode in ("full", "incremental"):
        again = run_sync(settings, mode)
        assert {name: model.versions for name, model in again.models.items()} == dict.fromkeys(first.models, 0)
        assert again.files.models == first.files.models
