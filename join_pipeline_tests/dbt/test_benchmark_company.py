"""The company of `python -m benchmarks.marts` fits into the tables that load writes, so that it can be built."""

from pathlib import Path

import duckdb

from benchmarks.marts import fill, settings_of
from benchmarks.new_marts import MARTS
from join_pipeline.warehouse.pseudonyms import MODELS as PSEUDONYMOUS
from join_pipeline_tests.dbt.company import PROJECT


def test_the_company_of_the_benchmarks_fills_the_tables(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    fill(settings, 400)
    with duckdb.connect(settings.warehouse, read_only=True) as con:
        count = dict.fromkeys(
            ("applications", "candidates", "jobs", "tags", "candidate_tags", "job_application_stages"), 0
        )
        for model in count:
            ((count[model],),) = con.execute(f"SELECT count(*) FROM ats.{model}").fetchall()
            if model in PSEUDONYMOUS:
                without = f"SELECT count(*) FROM ats.{model} WHERE id NOT IN (SELECT id FROM ats.pseudonyms)"
                assert con.execute(without).fetchall() == [(0,)], model
    assert min(count.values()) >= 5, count
    assert count["applications"] > 300


def test_the_newer_marts_and_what_they_need_are_models() -> None:
    models = {path.stem for path in PROJECT.glob("models/**/*") if path.suffix in {".sql", ".py"}}
    assert {model for needed in MARTS.values() for model in needed} <= models
