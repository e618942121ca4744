"""Runs in this process against the sandbox: what they produce, what they report, and when they stop."""

import base64
import contextlib
import os
import signal
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from join_pipeline import pipeline
from join_pipeline.connections.lost_runs import failure_line
from join_pipeline.defs import build_definitions
from join_pipeline.lake.files import locked
from join_pipeline.models import MODELS
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline_tests.cli.commands import contents
from join_pipeline_tests.cli.companies import without_applications
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.unit.lake.test_patience import held

PUBLISHED = "published/recruiting"


def run(settings: Settings, job: str, config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
    """A job that may fail."""
    definitions = build_definitions(settings)
    return definitions.resolve_job_def(job).execute_in_process(run_config=config, raise_on_error=False)


def materialize(settings: Settings, keys: Collection[str]) -> dg.ExecuteInProcessResult:
    """A click on these assets."""
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    selected = [dg.AssetKey.from_user_string(key) for key in keys]
    return job.execute_in_process(asset_selection=selected, raise_on_error=False)


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    (event,) = [event for event in result.get_asset_materialization_events() if event.asset_key.to_user_string() == key]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def broken_checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    return {
        (check.asset_key.to_user_string(), check.check_name): check
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """The one step that failed, and what it says."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    return str(event.step_key), str(event.step_failure_data.user_failure_data.description)


def rows(settings: Settings, table: str) -> int:
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def identity(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mtime_ns


def test_the_job_sync_is_green_makes_every_asset_and_publishes(
    settings: Settings, definitions: dg.Definitions, green: dg.ExecuteInProcessResult
) -> None:
    assert green.success
    assert made(green) == {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    ran = {(check.asset_key, check.check_name) for check in green.get_asset_check_evaluations()}
    assert ran == {(key.asset_key, key.name) for key in definitions.resolve_asset_graph().asset_check_keys}
    told = {"known_words", "stages_are_mapped", "sources_are_mapped", "consents_allow_keeping"}
    assert {name for _, name in broken_checks(green)} <= told
    assert rows(settings, "fct_application") == metadata(green, "recruiting/fct_application")["dagster/row_count"] > 0


def test_a_run_tells_what_it_did(settings: Settings, green: dg.ExecuteInProcessResult) -> None:
    listed = metadata(green, "raw/applications")
    assert (listed["mode"], listed["verdict"]) == ("full", "committed")
    assert listed["reason"].startswith("nothing is known yet; it is not proved yet that the list")
    assert listed["dagster/row_count"] >= rows(settings, "fct_application")
    assert listed["bytes"] > 100_000
    assert listed["sync_requests"] >= listed["pages"] > 0
    assert listed["sync_retries"] == 0
    assert listed["listed_since"] > 0
    assert listed["as_of"] >= listed["listed_since"]
    assert listed["sync_seconds"] > 0
    for model in MODELS:
        written = metadata(green, f"models/{model}")
        assert written["new_versions"] == written["dagster/row_count"] == written["new"] > 0
        loaded = metadata(green, f"ats/{model}")
        assert loaded.pop("step_seconds") > 0
        assert loaded == {"dagster/row_count": written["new"], "versions": written["new"]}
    published = metadata(green, PUBLISHED)
    assert published["path"] == str(settings.published)
    assert published["bytes"] == settings.published.stat().st_size
    tables = {record.data["table"]: record.data["rows"] for record in published["tables"].records}
    assert tables["fct_application"] == rows(settings, "fct_application")
    assert published["dagster/row_count"] == sum(tables.values())
    assert min(published["step_seconds"], metadata(green, "published/report")["step_seconds"]) > 0


def test_the_funnel_shows_as_a_picture(green: dg.ExecuteInProcessResult) -> None:
    start, _, encoded = metadata(green, "recruiting/fct_funnel_cohort")["picture"].partition("base64,")
    assert start == "![picture](data:image/png;"
    assert base64.b64decode(encoded.removesuffix(")")).startswith(b"\x89PNG")
    assert "picture" not in metadata(green, "recruiting/fct_application")
    assert "picture" not in metadata(green, "recruiting/mart_speed"), "nothing was seen to end yet"


@pytest.mark.slow  # `cli/test_commands.py` rebuilds, too
def test_rebuild_needs_no_network_and_gives_the_same_rows(settings: Settings, green: dg.ExecuteInProcessResult) -> None:
    before = rows(settings, "fct_application")
    with duckdb.connect(settings.warehouse) as con:
        con.execute("CREATE TABLE left_over (id INTEGER)")
    offline = settings_for("http://127.0.0.1:9", settings.data, join_api_token=None)
    result = run(offline, "rebuild")
    assert result.success
    assert not any(key.startswith(("raw/", "models/")) for key in made(result))
    with duckdb.connect(settings.warehouse, read_only=True) as con:
        assert con.execute("FROM duckdb_tables() WHERE table_name = 'left_over'").fetchall() == []
    assert rows(settings, "fct_application") == before


def test_a_part_of_a_step_cannot_be_launched(settings: Settings, green: dg.ExecuteInProcessResult) -> None:
    for key in ("raw/jobs", "models/users", "ats/jobs"):
        with pytest.raises(dg.DagsterInvalidSubsetError):
            materialize(settings, [key])


def test_a_run_while_another_process_holds_the_lock_says_so(
    settings: Settings, green: dg.ExecuteInProcessResult
) -> None:
    with locked(settings.home):
        result = run(settings, "sync")
    assert not result.success
    step, said = failure(result)
    assert step == "extract"
    assert said.startswith("Another command works on ")
    assert made(result) == set()


def test_a_run_that_a_signal_ends_within_a_sync_leaves_the_lake_and_says_so(
    settings: Settings, green: dg.ExecuteInProcessResult
) -> None:
    """As at the end of its service, and as a run that is canceled in the UI."""
    before = contents(settings.lake)
    slow = SandboxConfig(port=0, applications=200, rate_limit=None, faults={"slow": 1.0}, slow_seconds=0.5)
    with running(slow) as url:
        slowly = settings_for(url, settings.data, pages_in_flight=1)
        at_work = threading.Timer(0, lambda: interrupt(slowly))
        with dg.instance_for_test() as instance:
            job = build_definitions(slowly).resolve_job_def("sync_full")
            at_work.start()
            result = job.execute_in_process(instance=instance, raise_on_error=False)
            at_work.join()
            (event,) = [event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE"]
            (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert made(result) == set()
    line = failure_line(result.dagster_run, event, [failed])
    assert "extract: The process of this run was told to end" in line
    assert "Dagster" not in line
    assert contents(settings.lake) == before
    assert not (settings.home / "runs" / result.run_id).exists()
    assert pipeline.sync(settings, "full", []).record.verdict == "committed"


def interrupt(settings: Settings) -> None:
    """SIGTERM to this process once a sync has taken the lock and asked for something."""
    end = time.monotonic() + 60
    while pipeline.busy(settings) is None:
        if time.monotonic() > end:
            return  # the run failed before it began: the test says how
        time.sleep(0.05)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_step_waits_for_a_command_and_says_for_whom(settings: Settings, green: dg.ExecuteInProcessResult) -> None:
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    with held(settings.home, "join-pipeline", "build") as other, dg.instance_for_test() as instance:
        assert other.stdin is not None
        threading.Timer(6, other.kill).start()
        keys = [dg.AssetKey(["published", "report"])]
        result = job.execute_in_process(asset_selection=keys, instance=instance, raise_on_error=False)
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert result.success
    (begun,) = [message for message in said if "A command works on" in message]
    assert f"(process {other.pid}, join-pipeline build). This step waits until it ends" in begun
    assert any("The lock is free" in message for message in said)


def test_a_reason_is_said_once(sandbox_url: str, tmp_path: Path) -> None:
    result = run(settings_for(sandbox_url, tmp_path, join_api_token=None), "sync")
    (event,) = [event for event in result.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert (error.cause, error.context) == (None, None)
    assert error.message.count("JOIN_API_TOKEN is not set") == 1
    assert failure(result)[1].count("JOIN_API_TOKEN is not set") == 1


@pytest.mark.parametrize("setting", ["hiring_plan_csv", "service_level_csv", "cost_csv"])
def test_a_faulty_file_of_figures_is_told_by_setting_and_line_and_nothing_is_loaded(
    sandbox_url: str, settings: Settings, green: dg.ExecuteInProcessResult, tmp_path: Path, setting: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"K\xf6chin;1\n")
    before = settings.warehouse.stat().st_mtime_ns
    result = run(settings_for(sandbox_url, settings.data, **{setting: path}), "rebuild")
    assert failure(result)[1].startswith(f"JOIN_PIPELINE_{setting.upper()}: {path}, line 1: not UTF-8.")
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.error.cause is None
    assert settings.warehouse.stat().st_mtime_ns == before


def test_a_wrong_token_is_one_clear_failure_and_leaves_no_lake(sandbox_url: str, tmp_path: Path) -> None:
    settings = settings_for(sandbox_url, tmp_path, join_api_token="wrong-token")
    result = run(settings, "sync_full")
    step, said = failure(result)
    assert step == "extract"
    assert "token" in said
    assert "wrong-token" not in said
    assert not settings.lake.exists()


def test_a_failed_data_test_publishes_nothing_neither_now_nor_by_a_later_click(
    settings: Settings, green: dg.ExecuteInProcessResult, definitions: dg.Definitions
) -> None:
    before = identity(settings.published)
    dbt = {key for key in made(green) if key.startswith(("staging/", "intermediate/", "recruiting/", "people/"))}
    with duckdb.connect(settings.warehouse) as con:
        con.execute("INSERT INTO ats.as_of FROM ats.as_of")
    result = materialize(settings, {*dbt, PUBLISHED})
    assert not result.success
    check = broken_checks(result)["staging/stg_ats__as_of", "source_unique_key_ats_as_of_sync_id"]
    assert check.severity is dg.AssetCheckSeverity.ERROR
    said = check.description or ""
    assert "Nothing is published until it passes" in said
    assert "`join-pipeline rebuild`" in said
    step, said = failure(result)
    assert step == "build"
    assert "source_unique_key_ats_as_of" in said
    assert PUBLISHED not in made(result)

    later = materialize(settings, [PUBLISHED])
    assert not later.success
    assert "nothing was published" in failure(later)[1]
    assert identity(settings.published) == before

    assert run(settings, "rebuild").success
    assert identity(settings.published) != before


@pytest.mark.slow
def test_the_guard_is_a_failed_check_that_says_how_to_accept_the_loss(sandbox_url: str, tmp_path: Path) -> None:
    assert run(settings_for(sandbox_url, tmp_path), "sync").success
    with without_applications():
        settings = settings_for(sandbox_url, tmp_path)
        before = rows(settings, "fct_application")
        guarded = run(settings, "sync_full")
        assert guarded.success, "what is known is kept and built on"
        assert metadata(guarded, "raw/applications")["verdict"] == "guarded"
        check = broken_checks(guarded)["raw/applications", "guard"]
        assert check.severity is dg.AssetCheckSeverity.ERROR
        assert "the listing is empty" in (check.description or "")
        assert "join-pipeline sync --mode full --accept-loss applications" in (check.description or "")
        assert metadata(guarded, "models/applications")["deleted"] == 0

        accepting = {"ops": {"extract": {"config": {"mode": "full", "accept_loss": ["applications"]}}}}
        accepted = run(settings, "sync_full", accepting)
        assert accepted.success
        assert ("raw/applications", "guard") not in broken_checks(accepted)
        assert metadata(accepted, "models/applications")["deleted"] == before
        assert broken_checks(accepted)["models/applications", "volume"].severity is dg.AssetCheckSeverity.WARN
        assert rows(settings, "fct_application") == before, "deleted applications stay in every denominator"


@pytest.mark.usefixtures("green")
def test_one_mart_alone_is_built_with_what_it_needs_and_nothing_else_is_told(settings: Settings) -> None:
    ran = materialize(settings, ["recruiting/fct_application"])
    assert ran.success
    assert made(ran) == {"recruiting/fct_application"}
    about = {check.asset_key.to_user_string() for check in ran.get_asset_check_evaluations()}
    assert about == {"recruiting/fct_application"}
