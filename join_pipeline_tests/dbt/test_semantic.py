"""The semantic model for MetricFlow: `mf query` tells what the views tell."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.company import PROJECT

SEMANTIC = PROJECT / "semantic"
MF = """
import update_checker
update_checker.UpdateChecker.check = lambda *_: None  # it asks a package index at each start, and has no switch
from dbt_metricflow.cli.main import cli
cli()
"""
DBT = "from dbt.cli.main import cli; cli()"


def test_it_is_no_part_of_the_project_that_the_pipeline_runs() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    assert "semantic" not in project["model-paths"]
    model = yaml.safe_load((SEMANTIC / "recruiting.yml").read_text())
    parts = [*model["metrics"], *(measure for one in model["semantic_models"] for measure in one["measures"])]
    assert {part["config"]["meta"]["audience"] for part in parts} == {"analyst"}


class Asked:
    """A copy of the project with the semantic model, over a copy of a warehouse."""

    def __init__(self, folder: Path, warehouse: Path) -> None:
        self._folder, self._project = folder, folder / "project"
        shutil.copytree(PROJECT, self._project, ignore=shutil.ignore_patterns("target", "logs"))
        shutil.copytree(SEMANTIC, self._project / "models" / "semantic")
        self.path = Path(shutil.copy(warehouse, folder / "warehouse.duckdb"))
        output = {"type": "duckdb", "path": str(self.path), "threads": 1, "settings": {"TimeZone": "UTC"}}
        profile = {"join_pipeline": {"target": "warehouse", "outputs": {"warehouse": output}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        self._run(DBT, "run", "--select", "semantic_day")

    def rows(self, metrics: Sequence[str], by: str | None = None) -> list[dict[str, Any]]:
        file = self._folder / "answer.csv"
        self._run(MF, "query", "--metrics", ",".join(metrics), *(["--group-by", by] if by else []), "--csv", str(file))
        with file.open() as answer:
            return list(csv.DictReader(answer))

    def by(self, metrics: Sequence[str], group: str) -> dict[str, tuple[float | None, ...]]:
        return {row[group]: tuple(number(row[name]) for name in metrics) for row in self.rows(metrics, group)}

    def views(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as con:
            return con.execute(query).fetchall()

    def _run(self, program: str, *arguments: str) -> None:
        places = {"DBT_PROFILES_DIR": str(self._folder), "DBT_PROJECT_DIR": str(self._project)}
        command = [sys.executable, "-W", "ignore", "-c", program, *arguments]
        environment = {**os.environ, **places, "DO_NOT_TRACK": "1"}
        ended = subprocess.run(
            command, env=environment, cwd=self._project, capture_output=True, text=True, check=False, timeout=600
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def number(text: str) -> float | None:
    return round(float(text), 4) if text else None


@pytest.mark.slow
def test_metricflow_tells_what_the_views_tell(built: Build, tmp_path: Path) -> None:
    asked = Asked(tmp_path, built.path)

    names = ["n_open", "n_in_closed_job", "n_stuck"]
    waiting = asked.by(names, "waiting__milestone")
    told = asked.views(
        """SELECT milestone, n_open, n_in_closed_job, n_stuck
        FROM recruiting.where_do_applications_wait
        WHERE NOT is_suppressed AND milestone <> 'UNKNOWN'"""
    )
    assert told
    assert {milestone: waiting[milestone] for milestone, *_ in told} == {one: tuple(rest) for one, *rest in told}

    names = ["n_applications", "n_hired", "hire_rate", "n_qualified", "share_qualified"]
    sources = asked.by(names, "application__source")
    told = asked.views(
        """SELECT source_key, n_applications, n_hired, round(hire_rate, 4), n_qualified, round(share_qualified, 4)
        FROM recruiting.which_sources_bring_hires
        WHERE NOT is_suppressed AND source_key <> 'unknown' AND hire_rate IS NOT NULL"""
    )
    assert told
    assert {source: sources[source] for source, *_ in told} == {one: tuple(rest) for one, *rest in told}

    [hires] = asked.rows(["days_to_hire_p50"])
    told = asked.views(
        """SELECT round(days_p50, 4) FROM recruiting.how_long_does_it_take
        WHERE metric = 'time_to_hire' AND scope = 'overall'"""
    )
    assert told == [(number(hires["days_to_hire_p50"]),)]
