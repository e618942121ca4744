"""The component in a project of a user, as docs/own-dagster.md says it, with the commands of `dg`."""

import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

import join_pipeline
from join_pipeline.component.companies import JoinCompanies
from join_pipeline.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "own-dagster.md").read_text()
BLOCKS = {
    language: re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for language in ("yaml", "python", "sh")
}
PROJECT = """\
[project]
name = "mine"
version = "0.1"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "mine"
"""
DEFINITIONS = """\
from pathlib import Path
from typing import Any

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with the component of the page."""
    for path, text in {
        "pyproject.toml": PROJECT,
        "mine/__init__.py": "",
        "mine/definitions.py": DEFINITIONS,
        "mine/defs/__init__.py": "",
        "mine/defs/join/defs.yaml": BLOCKS["yaml"][0],
        "home/dagster.yaml": BLOCKS["yaml"][1],
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_page_names_every_attribute_of_the_component() -> None:
    assert join_pipeline.JoinCompanies is JoinCompanies
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == sorted(JoinCompanies.model_fields)


def test_the_components_companies_are_partitions_and_no_secret_is_written(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "s3cret-4f7Zq")
    given = yaml.safe_load(BLOCKS["yaml"][0])["attributes"] | {"data": str(settings.data), "schedules": True}
    given |= {"retries": 2, "pool": "shared", "group_prefix": "j_"}
    built = JoinCompanies(**given).build_defs(dg.ComponentTree.for_test().load_context)
    (file,) = settings.data.glob("connections-join.toml")
    assert "s3cret" not in file.read_text()
    repository = built.get_repository_def()
    assert {schedule.default_status.value for schedule in repository.schedule_defs} == {"RUNNING"}
    job = built.resolve_job_def("join_sync")
    assert job.tags["dagster/max_retries"] == "2"
    assert isinstance(job.partitions_def, dg.DynamicPartitionsDefinition)
    assert job.partitions_def.name == "join_connection"
    assert {pool for step in built.resolve_asset_graph().assets_defs for pool in step.node_def.pools} == {"shared"}


@pytest.mark.slow
def test_dg_lists_checks_and_launches_one_company(project: Path, sandbox_url: str) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DAGSTER_HOME": str(project / "home"),
        "XDG_CONFIG_HOME": str(project / "config"),
        "JOIN_API_URL": f"{sandbox_url}/v2",
        "ACME_TOKEN": "sandbox-token",
        "GLOBEX_TOKEN": "sandbox-token",
    }

    def run(*command: str) -> str:
        ended = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=900
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    assert "join_pipeline.JoinCompanies" in run("dg", "list", "components")
    run("dg", "check", "yaml")
    run("dg", "check", "defs")
    run(*shlex.split(BLOCKS["sh"][0]))  # the daemon's sensor would do it
    run("dg", "launch", "--job", "join_sync", "--partition", "acme")
    assert (project / "data" / "acme" / "published" / "recruiting.duckdb").exists()
    assert not (project / "data" / "globex").exists()
    (project / "mine" / "definitions.py").write_text(BLOCKS["python"][0])
    (project / "config" / "join-pipeline").mkdir(parents=True, exist_ok=True)
    (project / "config" / "join-pipeline" / "connections.toml").write_text("[acme]\n")
    run("dg", "check", "defs")


@pytest.mark.parametrize(
    ("companies", "told"),
    [
        ({"acme": {"join_api_token": "s3cret-4f7Zq"}}, "connections.acme.join_api_token: no secret stands here"),
        ({"acme": {"secrets": {"join_api_token": "s3cret-4f7Zq"}}}, "acme.secrets.join_api_token: needs {environment"),
        ({"acme": {"secrets": ["s3cret-4f7Zq"]}}, "connections.acme.secrets: needs a table of its own"),
        ({"acme": {"secrets": {"join_api_token": {"environment": 5}}}}, "acme.secrets.join_api_token: needs"),
        ({"acme": {"schedule": "sometimes"}}, "connections.acme.schedule: is one of hourly"),
        ({"acme": {"time_zone": None}}, "connections.acme.time_zone: needs a text"),
        ({"acme": {"integration_id": date(2026, 1, 1)}}, "connections.acme.integration_id: needs a text"),
        ({"Acme GmbH": {}, "münchen": {"kk": 1}}, "connections.münchen.kk: is no setting"),
    ],
)
def test_what_is_wrong_with_a_company_is_told_when_it_is_loaded_and_not_written(
    companies: dict[str, Any], told: str, tmp_path: Path
) -> None:
    component = JoinCompanies(connections=companies, data=str(tmp_path), key_prefix=["join"])
    with pytest.raises(dg.DagsterInvalidDefinitionError) as refused:
        component.build_defs(dg.ComponentTree.for_test().load_context)
    assert told in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_company_may_have_no_settings_and_a_file_must_be_there(settings: Settings) -> None:
    context = dg.ComponentTree.for_test().load_context
    JoinCompanies(connections={"acme": None}, data=str(settings.data), key_prefix=["bare"]).build_defs(context)
    assert (settings.data / "connections-bare.toml").read_text() == "[acme]\n"
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"connections_file: .*nope.toml is not there"):
        JoinCompanies(connections_file="nope.toml", data=str(settings.data)).build_defs(context)
