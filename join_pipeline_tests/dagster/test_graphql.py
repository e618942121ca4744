"""Dagster as people start it: `dagster dev` with workspace.yaml and dagster.yaml, driven by its GraphQL."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import httpx
import pytest

from join_pipeline.settings import Settings, process_environment
from join_pipeline_tests.dagster.conftest import settings_for

T = TypeVar("T")
REPOSITORY: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 180.0
LAUNCH: Final = """
mutation Launch($job: String!, $config: RunConfigData) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "join_pipeline", repositoryName: "__repository__", jobName: $job}
    runConfigData: $config
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
RUN: Final = """
query Run($id: ID!) {
  runOrError(runId: $id) { ... on Run { status assetMaterializations {
    assetKey { path }
    metadataEntries { label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } }
  } } }
}"""
LOCATIONS: Final = """{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename ... on PythonError { message } }
} } } }"""
AUTOMATION: Final = """{ repositoryOrError(repositorySelector: {
  repositoryLocationName: "join_pipeline", repositoryName: "__repository__"
}) { ... on Repository {
  schedules { name scheduleState { status } }
  sensors { name sensorState { status } }
} } }"""


class Dagster:
    """A running Dagster."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data."""
        answer = self.client.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def run(self, job: str, config: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """Launch a job and wait until it ends green: the metadata of what it made, by asset key."""
        launched = self.ask(LAUNCH, job=job, config=config or {})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        ended = until(lambda: self.ended(run_id), f"the end of {job}")
        assert ended["status"] == "SUCCESS"
        return {
            "/".join(made["assetKey"]["path"]): {
                entry["label"]: entry.get("text") or entry.get("intValue") for entry in made["metadataEntries"]
            }
            for made in ended["assetMaterializations"]
        }

    def ended(self, run_id: str) -> dict[str, Any] | None:
        run: dict[str, Any] = self.ask(RUN, id=run_id)["runOrError"]
        return run if run["status"] in {"SUCCESS", "FAILURE", "CANCELED"} else None

    def loaded(self) -> list[dict[str, Any]] | None:
        """The code locations, once they have loaded."""
        try:
            entries: list[dict[str, Any]] = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        except httpx.TransportError:
            return None
        return entries if entries and all(entry["loadStatus"] == "LOADED" for entry in entries) else None


def until(look: Callable[[], T | None], what: str) -> T:
    """What `look` gives, once it gives anything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come in {PATIENCE_SECONDS:.0f} s")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def connection(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(sandbox_url, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def dagster(connection: Settings) -> Iterator[Dagster]:
    home = connection.data / "dagster"
    home.mkdir()
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    port = free_port()
    command = [sys.executable, "-m", "dagster", "dev", "--workspace", str(REPOSITORY / "workspace.yaml")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with (
        (home / "dev.log").open("wb") as log,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        subprocess.Popen(
            command,
            env={**process_environment(connection), "DAGSTER_HOME": str(home)},
            cwd=connection.data,  # no pyproject.toml above: definitions load without one
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            started = Dagster(client)
            until(started.loaded, "the code location")
            yield started
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_location_loads_and_nothing_runs_by_itself(dagster: Dagster) -> None:
    (location,) = dagster.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location["name"] == "join_pipeline"
    assert location["locationOrLoadError"] == {"__typename": "RepositoryLocation"}
    repository = dagster.ask(AUTOMATION)["repositoryOrError"]
    assert {one["name"]: one["scheduleState"]["status"] for one in repository["schedules"]} == {
        "hourly": "STOPPED",
        "nightly": "STOPPED",
    }
    assert {one["name"]: one["sensorState"]["status"] for one in repository["sensors"]} == {"failed_run": "RUNNING"}


def test_a_launched_sync_turns_green_and_publishes(dagster: Dagster, connection: Settings) -> None:
    made = dagster.run("sync", {"ops": {"extract": {"config": {"mode": "incremental"}}}})
    assert made["raw/applications"]["reason"] == "nothing is known yet"
    with contextlib.closing(duckdb.connect(connection.published, read_only=True)) as con:
        n = con.execute("SELECT count(*) FROM fct_application").fetchall()[0][0]
    assert made["recruiting/fct_application"]["dagster/row_count"] == n > 0
    # a job launched without config does what its name says; after a first sync, for that says nothing of the mode
    assert dagster.run("sync_full")["raw/applications"]["reason"] == "asked for"
