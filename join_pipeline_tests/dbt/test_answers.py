"""Answers, the views with the names of questions: they show what the marts show, and no smaller groups."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.company import PROJECT

ANSWERS = sorted((PROJECT / "models" / "answers").glob("*.sql"))
FUNNEL = """
    select milestone, sum(n_cohort) as n_applications, sum(n_moved_on) as n_moved_on, sum(n_out) as n_out,
        sum(n_waiting) as n_waiting
    from recruiting.fct_funnel_cohort
    where scope = 'overall' and cohort_grain = 'month'
        and cohort_on > (select max(date_on) from recruiting.dim_date) - interval 12 month
    group by milestone order by milestone
"""
FUNNEL_ANSWERED = """
    select milestone, sum(n_applications) as n_applications, sum(n_moved_on) as n_moved_on, sum(n_out) as n_out,
        sum(n_waiting) as n_waiting
    from recruiting.how_far_do_applications_get group by milestone order by milestone
"""


@cache
def audiences() -> dict[str, str]:
    """For whom each model and seed is."""
    files = [*PROJECT.glob("models/**/*.yml"), *PROJECT.glob("seeds/*.yml")]
    described: list[dict[str, Any]] = [
        one for file in files for kind in ("models", "seeds") for one in yaml.safe_load(file.read_text()).get(kind, [])
    ]
    metas = {one["name"]: one.get("config", {}).get("meta", {}) for one in described}
    return {name: meta["audience"] for name, meta in metas.items() if "audience" in meta}


def test_there_are_seventeen() -> None:
    assert len(ANSWERS) == 17


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.stem)
def test_an_answer_for_everybody_rests_on_marts_for_everybody(answer: Path) -> None:
    known = audiences()
    asked = re.findall(r"ref\('(\w+)'\)", answer.read_text())
    assert asked
    assert [name for name in asked if not list(PROJECT.glob(f"models/marts/*/{name}.sql"))] == []
    if known[answer.stem] == "shared":
        assert {known[name] for name in asked} == {"shared"}


@pytest.mark.parametrize("answer", [path.stem for path in ANSWERS])
def test_an_answer_says_something(built: Build, answer: str) -> None:
    assert built.rows(f"from recruiting.{answer}") != []


def test_the_funnel_is_that_of_the_cohorts(built: Build) -> None:
    assert built.rows(FUNNEL_ANSWERED) == built.rows(FUNNEL)


@pytest.mark.parametrize(
    ("answer", "mart"),
    [
        ("where_do_applications_wait", "mart_pipeline_now where scope = 'milestone'"),
        ("which_stages_are_stuck", "mart_pipeline_now where scope = 'job'"),
        ("how_do_months_compare", "fct_funnel_cohort_age where scope = 'overall' and cohort_grain = 'month'"),
        ("how_long_does_it_take", "mart_speed where period_grain = 'all' and scope in ('overall', 'job')"),
        ("how_long_do_stages_take", "mart_time_in_stage where scope = 'overall'"),
        ("which_sources_bring_hires", "mart_source_effectiveness where period_key = 'all'"),
        ("what_happens_each_week", "mart_weekly_trend"),
        ("who_has_consented", "mart_consent where period_grain = 'all'"),
        ("which_jobs_are_open", "fct_job_vacancy where status = 'OPEN'"),
        ("how_sure_are_we", "mart_trust"),
        ("what_will_we_hire", "mart_hiring_forecast"),
    ],
)
def test_the_others_are_rows_of_a_mart(built: Build, answer: str, mart: str) -> None:
    """Every column that an answer has from its mart holds the same values, row by row."""
    shared = names(built, answer) & names(built, mart.split(maxsplit=1)[0])
    assert len(shared) >= 6
    listed = ", ".join(sorted(shared))
    where = " and milestone_rank > 1" if answer == "how_do_months_compare" else ""
    assert built.rows(f"select {listed} from recruiting.{answer} order by all") == built.rows(
        f"select {listed} from recruiting.{mart}{where} order by all"
    )


def test_who_is_overdue_counts_each_open_application_once(built: Build) -> None:
    counted = built.row(
        "select sum(n_overdue)::int as n, max(days_over_at_most) as days from recruiting.who_is_overdue"
    )
    due = "select count(*) as n, round(max(-days_left), 1) as days from recruiting.mart_service_due where is_overdue"
    assert counted == built.row(due)
    assert counted["n"] > 3


def names(built: Build, model: str) -> set[str]:
    return {row["column_name"] for row in built.rows(f"describe recruiting.{model}")}
