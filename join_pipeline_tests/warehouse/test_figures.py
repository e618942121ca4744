"""A plan, service levels and costs on the way from the user's files to the published file, and to the report's data."""

import contextlib
import shutil
from pathlib import Path

import duckdb
import pytest

from join_pipeline.pipeline import build
from join_pipeline.report.data import read_datasets
from join_pipeline.settings import Settings
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.syncing import examine


def with_files(built: Grown, folder: Path, plan: str) -> Settings:
    """A copy of the company, with files of figures."""
    shutil.copytree(built.shell.data, folder / "data", symlinks=True)
    texts = {
        "HIRING_PLAN": plan,
        "SERVICE_LEVEL": "milestone;days\nSCREENING;3\n",
        "COST": "source;month;cost\nlinkedin;01.2026;250,5\nDer Bote;2026-01;10\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    files = {f"JOIN_PIPELINE_{name}_CSV": str(folder / f"{name}.csv") for name in texts}
    return Shell(built.shell.url, folder / "data", files).settings


@pytest.mark.slow
def test_figures_are_published_and_names_that_the_ats_does_not_have_are_told(built: Grown, tmp_path: Path) -> None:
    with contextlib.closing(duckdb.connect(built.shell.settings.published, read_only=True)) as con:
        title, n_hires = con.execute(
            """SELECT job_name, count(*) FROM fct_time_to_hire INNER JOIN dim_job USING (job_id)
            GROUP BY job_name ORDER BY count(*) DESC, job_name LIMIT 1"""
        ).fetchall()[0]
    quoted = '"' + title.replace('"', '""').upper() + '"'
    settings = with_files(built, tmp_path, f"job;hires;by\n{quoted};1000;31.12.2099\nBrewer;2;12.2026\n")
    nodes = {node.unique_id.split(".")[-1]: node for node in build(settings).nodes}
    assert "“Brewer”, which JOIN_PIPELINE_HIRING_PLAN_CSV names" in nodes["plans_are_known"].message
    assert "“Der Bote”, which JOIN_PIPELINE_COST_CSV names" in nodes["costs_are_known"].message
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        plan = con.execute("SELECT planned_for, n_wanted, n_hires, n_gap FROM how_is_the_plan").fetchall()
        (cost,) = con.execute(
            "SELECT cost FROM mart_cost_per_hire WHERE period_key = '2026-01' AND scope = 'overall'"
        ).fetchone()
    assert plan == [
        ("all", 1002, n_hires, 1002 - n_hires),
        (title.upper(), 1000, n_hires, 1000 - n_hires),
        ("Brewer", 2, 0, 2),
    ]
    assert cost == 260.5
    datasets = read_datasets(settings.published, "1GB")
    assert [row["wanted"] for row in datasets["plan"].records()] == [1002, 1000, 2]
    assert [row["days_allowed"] for row in datasets["service_levels"].records() if row["group"] == 0] == [3]
    assert {row["source"] for row in datasets["costs"].records()} == {None, "linkedin", "Der Bote"}
    (found,) = (finding for finding in examine(settings) if finding.check == "figures")
    assert found.verdict == "warning"
    assert "“Brewer”" in found.message


def test_a_build_refuses_a_faulty_file_before_it_changes_anything(built: Grown, tmp_path: Path) -> None:
    settings = with_files(built, tmp_path, "job;hires;by\nNurse;2;12/31/2026\n")
    before = settings.warehouse.stat().st_mtime_ns
    said = Shell(built.shell.url, tmp_path / "data", {"JOIN_PIPELINE_HIRING_PLAN_CSV": str(settings.hiring_plan_csv)})(
        "build"
    )
    assert said.code == 2
    assert "HIRING_PLAN.csv, line 2, column by: '12/31/2026' is not a day" in " ".join(said.err.split())
    assert settings.warehouse.stat().st_mtime_ns == before
