"""A sandbox, a data folder and the definitions over both; and one green run that the tests look at."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from join_pipeline.defs import build_definitions
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings

ELSEWHERE = {
    "run_launcher": {
        "module": "join_pipeline.fleet.celery_launcher",
        "class": "PatientCeleryRunLauncher",
        "config": {"broker": "memory://", "backend": "cache+memory://"},
    },
    "run_coordinator": {"module": "join_pipeline.fleet.queues", "class": "CompanyQueueCoordinator"},
    "run_monitoring": {"enabled": True},
    "run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False},
}
"""What a Dagster's configuration has whose runs start on other machines."""


def settings_for(url: str, data: Path, **overrides: object) -> Settings:
    """Settings of one connection, whatever the environment says."""
    chosen = {
        "join_api_token": "sandbox-token",
        "join_api_url": f"{url}/v2",
        "data": data,
        "connection": "sandbox",
        "integration_id": "join:test",
        "pseudonym_key": "a key for tests only",
    }
    return load_settings(**(chosen | overrides))


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running(SandboxConfig(port=0, applications=200, rate_limit=None)) as url:
        yield url


@pytest.fixture(scope="session")
def settings(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(sandbox_url, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def definitions(settings: Settings) -> dg.Definitions:
    return build_definitions(settings)


@pytest.fixture(scope="session")
def green(definitions: dg.Definitions) -> dg.ExecuteInProcessResult:
    """The job sync, run once; what it made lies in `settings.home`."""
    return definitions.resolve_job_def("sync").execute_in_process()
