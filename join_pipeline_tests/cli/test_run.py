"""`run` and what `build` says: one process from the source to readers, nothing if nothing changed, results in words."""

import contextlib
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import duckdb
import msgspec
import pytest

from join_pipeline.transform.compiled import Compiled
from join_pipeline.transform.run import _shipped, ensure_manifest, target_dir
from join_pipeline_tests.cli.commands import Shell, is_good, is_told_as_json
from join_pipeline_tests.cli.companies import Grown, without_applications


@pytest.fixture
def copied(built: Grown, tmp_path: Path) -> Shell:
    """The company that was built, in a folder that a test may change."""
    shutil.copytree(built.shell.data, tmp_path / "data")
    return Shell(built.shell.url, tmp_path / "data")


def test_a_run_builds_what_changed_and_nothing_else(copied: Shell) -> None:
    ran = copied("run", "--json")  # other files than those that the last build left
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["sync"]["verdict"] == "committed"
    build = ran.document["build"]
    assert not build["is_unchanged"]
    assert build["after"]["figures"]["applications"] == build["before"]["figures"]["applications"] > 80
    assert build["after"]["figures"]["syncs"] == build["before"]["figures"]["syncs"] + 1

    published = copied.settings.published.stat()
    said = copied("run")
    assert said.code == 0
    assert "Nothing has changed since the last build" in said.out
    assert str(copied.settings.report) in said.out
    assert copied("build", "--json").document["is_unchanged"]
    assert copied.settings.published.stat().st_ino == published.st_ino

    with without_applications():
        guarded = copied("run", "--mode", "full")
    assert guarded.code == 3
    assert "--accept-loss applications" in guarded.err
    assert "Checks" in guarded.out  # what is known is published


def content_of(warehouse: Path) -> dict[str, str]:
    """A hash of the rows of every table and view, whatever their order."""
    with contextlib.closing(duckdb.connect(warehouse, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        names = con.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables ORDER BY ALL"
        ).fetchall()
        return {name: _hash(con, name) for (name,) in names}


def _hash(con: duckdb.DuckDBPyConnection, name: str) -> str:
    rows = sorted(json.dumps(row, default=repr) for row in con.execute(f"FROM {name}").fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def test_dbt_makes_the_same_as_what_is_shipped_of_it(built: Grown, copied: Shell) -> None:
    """What is shipped was made of another company, and played for this one, which had no application at first."""
    assert not (target_dir(built.shell.settings) / "compiled").exists()
    ended = copied("rebuild", "--json")
    assert (ended.code, ended.err.strip()) == (0, "")
    published, before = (one.document["published"] for one in (ended, built.built[-1]))
    elsewhere = {name: published[name] for name in ("path", "n_bytes")}
    assert published == before | elsewhere
    for file in ("warehouse", "published"):
        before = content_of(getattr(built.shell.settings, file))
        assert "recruiting.fct_application" in before or file == "published"
        assert content_of(getattr(copied.settings, file)) == before
    assert (target_dir(copied.settings) / "compiled").exists()  # dbt was at work
    manifest = ensure_manifest(copied.settings)
    shipped = _shipped(copied.settings)
    assert shipped
    same = [json.dumps(json.loads(one)) for one in (manifest.read_bytes(), shipped[1])]  # in the same order
    assert same[0] == same[1], "run `make statements`"
    made = msgspec.json.decode(manifest.with_name("compiled.json").read_bytes(), type=Compiled)
    assert made == shipped[0], "run `make statements`"
    with contextlib.closing(duckdb.connect()) as con:
        con.execute(f"ATTACH '{copied.settings.warehouse}' AS dbts (READ_ONLY)")
        con.execute(f"ATTACH '{built.shell.settings.warehouse}' AS played (READ_ONLY)")
        made = """SELECT schema_name, table_name, sql FROM duckdb_tables() WHERE database_name = ?
            UNION ALL SELECT schema_name, view_name, sql FROM duckdb_views()
            WHERE database_name = ? AND NOT internal AND schema_name <> 'ats_personal' ORDER BY ALL"""
        tables = con.execute(made, ["dbts", "dbts"]).fetchall()
        assert tables == con.execute(made, ["played", "played"]).fetchall()
        assert len(tables) > 150


ALONE = """
import sys
started = []
sys.addaudithook(lambda event, _: started.append(event) if event in FORBIDDEN else None)
from join_pipeline.cli.entry import app
app(sys.argv[1:], standalone_mode=False)
imported = sorted({"dbt", "pandas", "dagster", "altair"} & sys.modules.keys())
print("started", started, "imported", imported, file=sys.stderr)
"""
FORBIDDEN = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec", "os.system")


@pytest.mark.parametrize("command", [("run",), ("build", "--force")])
def test_no_process_is_started_and_nothing_imported_that_it_does_not_need(
    built: Grown, tmp_path: Path, command: tuple[str, ...]
) -> None:
    shutil.copytree(built.shell.data, tmp_path / "data")
    code = f"FORBIDDEN = {FORBIDDEN}\n{ALONE}"
    shell = Shell(built.shell.url, tmp_path / "data")
    said = subprocess.run(
        [sys.executable, "-c", code, *command], env=shell.environment, capture_output=True, text=True, check=True
    )
    assert "started [] imported []" in said.stderr


def test_a_first_run_needs_no_dbt_whichever_files_are_the_users_own(built: Grown, tmp_path: Path) -> None:
    """Each file changes a model, and what this model then is has to be the one that reads the file."""
    (tmp_path / "costs.csv").write_text("source,month,cost\nIndeed,2026-05,120.50\n")
    (tmp_path / "stages.csv").write_text("stage_name,milestone\nScreening,OFFER\n")
    shell = Shell(built.shell.url, tmp_path / "data").but(
        JOIN_PIPELINE_COST_CSV=str(tmp_path / "costs.csv"),
        JOIN_PIPELINE_STAGE_MILESTONE_CSV=str(tmp_path / "stages.csv"),
    )
    is_good(shell("run"))
    assert not target_dir(shell.settings).joinpath("manifest.json").exists()
    with contextlib.closing(duckdb.connect(shell.settings.warehouse, read_only=True)) as con:
        costs = con.execute("SELECT cost FROM intermediate.int_cost").fetchall()
        assert costs == [(120.5,)]
        stages = con.execute("SELECT DISTINCT milestone FROM recruiting.dim_stage WHERE stage_name = 'Screening'")
        assert stages.fetchall() == [("OFFER",)]


def test_no_file_stays_open_after_runs_of_several_companies(copied: Shell) -> None:
    other = copied.but(JOIN_PIPELINE_CONNECTION="other")
    shutil.copytree(copied.settings.home, other.settings.home)
    assert [copied("run").code, other("run").code] == [0, 0]
    n_open = len(list(Path("/dev/fd").iterdir()))
    for shell in (copied, other, copied, other):
        assert "Nothing has changed" in shell("run").out
    assert len(list(Path("/dev/fd").iterdir())) == n_open


def test_without_the_extra_a_build_publishes_the_file_and_says_how_to_get_the_report(copied: Shell) -> None:
    with mock.patch("join_pipeline.pipeline.can_draw", return_value=False):
        said = copied("build", "--force")
    assert said.code == 0
    assert "pip install 'join-pipeline[report]'" in said.out
    assert copied.settings.published.exists()
    assert not copied.settings.report.exists()  # an old one would contradict the file


def test_a_build_prints_results_and_tables_only_if_asked_to(built: Grown) -> None:
    said, details = built.shell("build").out, built.shell("build", "-v").out
    for word in ("For DuckDB", str(built.shell.settings.published), "Report", "Checks", "passed"):
        assert word in said
    assert "dim_job" not in said
    assert len(said.splitlines()) < 15
    assert re.search(r"dim_job +│ +\d", details)
    assert "seconds" in details


def test_a_run_whose_sync_fails_builds_nothing(shell: Shell) -> None:
    away = shell.but(JOIN_API_URL="http://127.0.0.1:1/v2")
    is_told_as_json(away("run", "--json"), 1, "TransientError", "127.0.0.1")
    assert not shell.settings.published.exists()
