"""Pictures of marts: they exist where a mart has rows, are small and not blank, and show shared models only."""

import contextlib
import io
import re

import duckdb
import pytest
from PIL import Image

from join_pipeline.pipeline import pictures
from join_pipeline.report.pictures import QUERIES
from join_pipeline.transform.run import read_manifest
from join_pipeline_tests.report.companies import Companies


def test_each_mart_has_one_that_is_small_and_not_blank(companies: Companies) -> None:
    drawn = pictures(companies("busy"))
    assert set(drawn) == {"fct_funnel_cohort", "fct_survival", "mart_speed"}
    for png in drawn.values():
        picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(16)
        colours = [count for count, _ in picture.getcolors() or () if count > picture.width * picture.height / 1000]
        assert picture.width > 400
        assert len(colours) >= 3
        assert len(png) < 75_000, "each run keeps them"


def test_where_there_is_nothing_to_show_there_is_none(companies: Companies) -> None:
    assert pictures(companies("empty")) == {}


@pytest.mark.parametrize("mart", QUERIES)
def test_it_is_of_a_shared_model(companies: Companies, mart: str) -> None:
    model = read_manifest(companies("busy"))["nodes"][f"model.join_pipeline.{mart}"]
    assert model["config"]["meta"]["audience"] == "shared"
    assert set(re.findall(r"recruiting\.(\w+)", QUERIES[mart])) == {mart}


def test_the_funnel_s_picture_has_the_mart_s_numbers(companies: Companies) -> None:
    with contextlib.closing(duckdb.connect(companies("busy").warehouse, read_only=True)) as con:
        rows = con.execute(QUERIES["fct_funnel_cohort"]).fetchall()
        cohorts = con.execute(
            "SELECT milestone, n_reached_assumed FROM recruiting.fct_funnel_cohort "
            "WHERE scope = 'overall' AND cohort_grain = 'month' AND NOT is_suppressed"
        ).fetchall()
    assert [row[0] for row in rows] == ["SCREENING", "INTERIM", "OFFER"]
    for milestone, *fates in rows:
        assert sum(fates) == sum(n for name, n in cohorts if name == milestone)
