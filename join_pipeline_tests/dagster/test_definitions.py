"""What Dagster is given: the exact assets, jobs and schedules; a whole run; and the rings that keep it out."""

import ast
import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from join_pipeline.models import MODELS
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of Dagster's own imports
    import dagster as dg

    from join_pipeline.defs import build_definitions

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
PACKAGE = Path(__file__).parents[2] / "join_pipeline"
FEEDS = ("applications", "jobs", "categories", "employment_types", "seniority_levels")
RING_2 = ("defs", "definitions.py")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running(SandboxConfig(port=0, applications=200, rate_limit=None)) as url:
        yield load_settings(
            join_api_token="sandbox-token",
            join_api_url=f"{url}/v2",
            data=tmp_path_factory.mktemp("data"),
            connection="sandbox",
            integration_id="join:test",
            pseudonym_key="a key for tests only",
        )


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    return build_definitions(settings)


def keys_of(definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in definitions.resolve_asset_graph().materializable_asset_keys}


def test_every_feed_model_and_table_is_an_asset(definitions: dg.Definitions) -> None:
    keys = keys_of(definitions)
    assert {key for key in keys if key.startswith("raw/")} == {f"raw/{feed}" for feed in FEEDS}
    assert {key for key in keys if key.startswith("models/")} == {f"models/{model}" for model in MODELS}
    assert {f"ats/{model}" for model in MODELS} <= keys
    assert {key for key in keys if key.startswith("published/")} == {"published/recruiting"}
    marts = {"dim_job", "dim_stage", "dim_candidate", "fct_application", "fct_funnel_cohort", "fct_time_to_hire"}
    assert {f"recruiting/{mart}" for mart in marts} <= keys


def test_jobs_schedules_and_the_sensor_are_named(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "sync",
        "sync_full",
        "rebuild",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {"hourly", "nightly"}
    assert all(schedule.default_status is dg.DefaultScheduleStatus.STOPPED for schedule in repository.schedule_defs)
    assert {sensor.name for sensor in repository.sensor_defs} == {"failed_run"}


def test_the_job_sync_publishes_what_readers_open(settings: Settings, definitions: dg.Definitions) -> None:
    result = definitions.resolve_job_def("sync").execute_in_process()
    assert result.success
    materialized = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert {"raw/applications", "models/applications", "ats/applications", "published/recruiting"} <= materialized
    assert [check for check in result.get_asset_check_evaluations() if not check.passed and check.blocking] == []
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        assert con.execute("SELECT count(*) > 0 FROM recruiting.fct_application").fetchall() == [(True,)]


def imports(path: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def reads_environment(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_dagster_stays_in_its_ring() -> None:
    plain = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in RING_2]
    strangers = {str(path) for path in plain if imports(path) & {"dagster", "dagster_dbt", "dagster_duckdb"}}
    assert strangers == set()


def test_only_settings_reads_the_environment() -> None:
    readers = {path.name for path in PACKAGE.rglob("*.py") if reads_environment(path)}
    assert readers == {"settings.py"}


def test_the_wiring_stays_thin() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in (PACKAGE / "defs").rglob("*.py"))
    assert lines < 500
