"""Companies with a report: a busy, a tiny and an empty one. Each is synced and built once per process.

Belongs here: making data folders. Not here: looking at reports (test_…, browser/test_report).
"""

import fcntl
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest

from join_pipeline.pipeline import build
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.syncing import run_sync

START: Final = datetime(2026, 3, 1, 6, tzinfo=UTC)
SIZES: Final = {"busy": (1600, 10), "tiny": (20, 2), "empty": (0, 0)}
"""By company: applications in 18 months, and jobs."""
SYNCED_ON_DAYS: Final = {"busy": (0, 20, 40, 60), "tiny": (0, 30), "empty": (0,)}


class Companies:
    """Data folders by company's name, shared by all processes that run these tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> Settings:
        """The settings of a company that is built. Tests leave it as it is."""
        settings = settings_in(self._folder / name)
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not settings.report.exists():
                _make(settings, name)
        return settings

    def copy(self, name: str, to: Path) -> Settings:
        """What a company's readers get, in a folder that a test may change."""
        settings = settings_in(to)
        shutil.copytree(self(name).published.parent, settings.published.parent, symlinks=True)
        for path in (settings.published, settings.report):
            path.chmod(0o600)
        settings.builds.mkdir()
        for library in self(name).builds.glob("*.js"):
            shutil.copy(library, settings.builds)
        return settings


def settings_in(data: Path, url: str = "http://127.0.0.1:9", **others: object) -> Settings:
    """Settings of a data folder; of nothing else in the environment that would show on the page."""
    return load_settings(
        join_api_token="sandbox-token",
        join_api_url=f"{url}/v2",
        data=data,
        connection="sandbox",
        integration_id="join:test",
        pseudonym_key="a key for tests only",
        **others,
    )


def shared_companies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Companies:
    """One folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "companies-with-a-report"
    folder.mkdir(exist_ok=True)
    return Companies(folder)


def _make(settings: Settings, name: str) -> None:
    applications, jobs = SIZES[name]
    config = SandboxConfig(port=0, applications=applications, jobs=jobs, now=START, rate_limit=None)
    with running(config) as url:
        for day in SYNCED_ON_DAYS[name]:
            now = {"now": (START + timedelta(days=day)).isoformat()}
            httpx.post(f"{url}/control/clock", json=now, trust_env=False).raise_for_status()
            run_sync(settings_in(settings.data, url), "full")
    build(settings)
