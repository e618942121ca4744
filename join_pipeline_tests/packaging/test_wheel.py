"""The wheel, installed far from the repository: it carries all it needs, and works in somebody's own Dagster."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from join_pipeline.models import MODELS

REPOSITORY = Path(__file__).parents[2]
OF_DBT = {"target", "logs", "dbt_packages", ".user.yml"}  # what dbt itself may have left there
IN_SOMEBODY_ELSES_DAGSTER = """
import json
import dagster as dg
import join_pipeline
from join_pipeline.definitions import defs
from join_pipeline.connections.dagster_home import dagster_home
from join_pipeline.settings import load_settings
from join_pipeline.transform.run import project_dir

@dg.asset(deps=[dg.AssetKey(["recruiting", "fct_application"])])
def theirs() -> None: ...

merged = dg.Definitions.merge(defs(), dg.Definitions(assets=[theirs]))
keys = sorted(key.to_user_string() for key in merged.resolve_asset_graph().materializable_asset_keys)
home = dagster_home(load_settings().data)
print(json.dumps({
    "package": join_pipeline.__file__,
    "project": str(project_dir()),
    "keys": keys,
    "dagster.yaml": (home / "dagster.yaml").read_text(),
}))
"""


class Installed(NamedTuple):
    """A fresh environment with the wheel in it, an empty folder to work in, and what the wheel holds."""

    bin: Path
    elsewhere: Path
    names: list[str]
    metadata: str

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """A command as somebody there would run it."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.elsewhere)}
        return subprocess.run(command, cwd=self.elsewhere, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built and installed without a network: the dependencies are those of the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, check=True)
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, check=True, text=True, capture_output=True).stdout.strip())
    # a path file of another folder is not followed further: the repository itself stays out
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Installed(python.parent, elsewhere, archive.namelist(), archive.read(metadata).decode())


def test_the_wheel_holds_the_package_and_nothing_else(installed: Installed) -> None:
    folders = {name.split("/")[0] for name in installed.names}
    assert folders == {"join_pipeline", f"join_pipeline-{_version(installed)}.dist-info"}
    shipped = {
        f"join_pipeline/{name}.json"
        for name in ("transform/shipped/manifest", "transform/shipped/statements", "report/shipped/charts")
    }
    assert {"join_pipeline/py.typed", "join_pipeline/_dagster.yaml", *shipped} <= set(installed.names)
    assert [name for name in installed.names if re.search(r"__pycache__|/target/|/logs/|tests_|\.duckdb", name)] == []
    assert [name for name in installed.names if name.endswith("licenses/LICENSE")]


def test_the_wheel_holds_the_whole_dbt_project(installed: Installed) -> None:
    files = (path.relative_to(REPOSITORY) for path in (REPOSITORY / "dbt_project").rglob("*") if path.is_file())
    expected = {f"join_pipeline/_{path.as_posix()}" for path in files if not OF_DBT & set(path.parts)}
    assert {name for name in installed.names if name.startswith("join_pipeline/_dbt_project/")} == expected
    assert "join_pipeline/_dbt_project/dbt_project.yml" in expected


def test_the_wheel_holds_what_the_report_is_made_of(installed: Installed) -> None:
    folder = REPOSITORY / "join_pipeline" / "report"
    files = {path.relative_to(REPOSITORY).as_posix() for path in folder.rglob("*.*") if path.suffix != ".pyc"}
    assert files <= set(installed.names)
    assert {path.rsplit(".", 1)[1] for path in files} == {"py", "js", "css", "html", "json"}


def test_the_command_runs_from_the_wheel(installed: Installed) -> None:
    ended = installed.run(installed.bin / "join-pipeline", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "JOIN ATS" in ended.stdout
    ended = installed.run(installed.bin / "join-pipeline", "sync")
    assert ended.returncode == 2
    assert "JOIN_API_TOKEN is not set" in ended.stderr


@pytest.mark.slow
def test_definitions_load_in_somebody_elses_dagster(installed: Installed) -> None:
    ended = installed.run(installed.bin / "python", "-W", "ignore", "-c", IN_SOMEBODY_ELSES_DAGSTER)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    environment = installed.bin.parent.resolve()
    assert Path(found["package"]).resolve().is_relative_to(environment)
    assert Path(found["project"]).resolve().is_relative_to(environment)
    assert {"theirs", "published/recruiting", "recruiting/fct_application", "raw/applications"} <= set(found["keys"])
    assert {f"ats/{model}" for model in MODELS} <= set(found["keys"])
    assert found["dagster.yaml"] == (REPOSITORY / "dagster.yaml").read_text()
    assert {path.name for path in installed.elsewhere.iterdir()} <= {"data", ".config", ".dbt"}


def _version(installed: Installed) -> str:
    return next(line.split()[1] for line in installed.metadata.splitlines() if line.startswith("Version: "))
