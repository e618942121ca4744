"""Dagster as people start it, driven by its GraphQL API: its definitions, and runs that succeed."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import duckdb
import httpx
import pytest

from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.dagster.serving import LOCATIONS, serving, until

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
AUTOMATION: Final = """{ repositoryOrError(repositorySelector: {
  repositoryLocationName: "join_pipeline", repositoryName: "__repository__"
}) { ... on Repository {
  schedules { name scheduleState { status } }
  sensors { name sensorState { status } }
} } }"""

pytestmark = pytest.mark.slow  # four processes are started, and each of them imports Dagster


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


@pytest.fixture(scope="module")
def connection(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(sandbox_url, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def dagster(connection: Settings) -> Iterator[Dagster]:
    with serving(connection) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield Dagster(client)


def test_the_location_loads_and_nothing_runs_by_itself(dagster: Dagster) -> None:
    (location,) = dagster.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location["name"] == "join_pipeline"
    assert location["locationOrLoadError"] == {"__typename": "RepositoryLocation"}
    repository = dagster.ask(AUTOMATION)["repositoryOrError"]
    assert {one["name"]: one["scheduleState"]["status"] for one in repository["schedules"]} == {
        "hourly": "STOPPED",
        "nightly": "STOPPED",
    }
    assert {one["name"]: one["sensorState"]["status"] for one in repository["sensors"]} == {
        "failed_run": "RUNNING",
        "good_run": "RUNNING",
        "lost_run": "RUNNING",
        "stale": "RUNNING",
        "webhook": "STOPPED",
        "default_automation_condition_sensor": "STOPPED",
    }


def test_a_launched_sync_turns_green_and_publishes(dagster: Dagster, connection: Settings) -> None:
    made = dagster.run("sync", {"ops": {"extract": {"config": {"mode": "incremental"}}}})
    assert made["raw/applications"]["reason"].startswith("nothing is known yet; it is not proved yet")
    with contextlib.closing(duckdb.connect(connection.published, read_only=True)) as con:
        n = con.execute("SELECT count(*) FROM fct_application").fetchall()[0][0]
    assert made["recruiting/fct_application"]["dagster/row_count"] == n > 0
    # a job launched without config does what its name says; after a first sync, for that says nothing of the mode
    assert dagster.run("sync_full")["raw/applications"]["reason"] == "asked for"
