"""The report as a file: from shared models only, small, written whole or not at all, and the same for the same data."""

import contextlib
import json
import re
import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline.errors import BuildError
from join_pipeline.report.page import SECTIONS
from join_pipeline.settings import Settings
from join_pipeline.transform.run import read_manifest
from join_pipeline_tests.report.companies import Companies, settings_in
from join_pipeline_tests.syncing import write_report

MOST_BYTES = 6_000_000
HOSTILE = "</script><script>window.hacked=1</script><!-- <img src=x onerror='window.hacked=1'> \u2028 & ' \""


def datasets(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The rows that the page was given."""
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', settings.report.read_text())
    assert found
    given = json.loads(found[1])["datasets"]
    return {name: [dict(zip(one["columns"], row, strict=True)) for row in one["rows"]] for name, one in given.items()}


def change(settings: Settings, *statements: str) -> None:
    """Change a copy of a published file."""
    with contextlib.closing(duckdb.connect(settings.published)) as con:
        settings.published.with_name(f"{settings.published.name}.wal").unlink(missing_ok=True)
        for statement in statements:
            con.execute(statement)


def test_a_build_writes_it_for_readers_only_to_read(companies: Companies) -> None:
    report = companies("busy").report
    assert stat.S_IMODE(report.stat().st_mode) == 0o444
    assert list(report.parent.glob(".*.part")) == []
    assert report.stat().st_size < MOST_BYTES


def test_it_is_made_of_shared_models_only(companies: Companies, tmp_path: Path) -> None:
    nodes = read_manifest(companies("busy"))["nodes"].values()
    private = {
        node["name"]: node["config"]["materialized"]
        for node in nodes
        if node["config"].get("meta", {}).get("audience") == "analyst"
    }
    assert "fct_application" in private
    copy = companies.copy("busy", tmp_path)
    change(copy, *(f"DROP {kind} IF EXISTS {name}" for name, kind in private.items()))
    write_report(copy)
    assert copy.report.read_bytes() == companies("busy").report.read_bytes()


def test_no_key_of_a_person_is_in_it(companies: Companies) -> None:
    page = companies("busy").report.read_text()
    with contextlib.closing(duckdb.connect(companies("busy").published, read_only=True)) as con:
        keys = con.execute("SELECT application_key FROM fct_application UNION SELECT candidate_key FROM dim_candidate")
        assert [key for (key,) in keys.fetchall() if key in page] == []


@pytest.mark.parametrize("name", ["busy", "tiny", "empty"])
def test_hidden_groups_have_no_numbers(companies: Companies, name: str) -> None:
    given = datasets(companies(name))
    hidden = [cohort for cohort in given["cohorts"] if cohort["is_hidden"]]
    shown = {"group", "grain", "on", "is_truncated", "is_hidden"}
    assert [cohort for cohort in hidden if any(cohort[column] is not None for column in cohort.keys() - shown)] == []
    assert [row for row in given["now"] if row["is_hidden"] and row["n_open"] is not None] == []
    assert [row for row in given["stays"] if row["is_hidden"] and row["n"] is not None] == []
    assert name != "busy" or hidden


def test_an_old_version_s_file_is_refused_in_words(companies: Companies, tmp_path: Path) -> None:
    copy = companies.copy("empty", tmp_path)
    before = copy.report.read_bytes()
    change(copy, "DROP TABLE mart_trust")
    with pytest.raises(BuildError, match=r"mart_trust[\s\S]*join-pipeline build"):
        write_report(copy)
    assert copy.report.read_bytes() == before


def test_without_a_published_file_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="join-pipeline build"):
        write_report(settings_in(tmp_path))


def test_text_from_join_can_not_end_a_script(companies: Companies, tmp_path: Path) -> None:
    copy = companies.copy("busy", tmp_path)
    change(copy, f"UPDATE dim_job SET job_name = '{HOSTILE.replace(chr(39), chr(39) * 2)}'")
    write_report(copy)
    page = copy.report.read_text()
    assert "hacked=1</script>" not in page
    assert "\u2028" not in page[page.index('id="report-data"') :]
    scripts = companies("busy").report.read_text().count("<script")
    assert page.count("<script") == scripts
    assert {group["name"] for group in datasets(copy)["groups"] if group["scope"] == "job"} == {HOSTILE}


def test_a_curve_is_its_mart_on_each_day_that_it_shows(companies: Companies) -> None:
    """A second way: every bound's last step at or before the day, by hand."""
    given = datasets(companies("busy"))
    with contextlib.closing(duckdb.connect(companies("busy").published, read_only=True)) as con:
        rows = con.execute(
            """SELECT question, bound, day, survival, incidence_hired FROM fct_survival
            WHERE scope = 'overall' ORDER BY day"""
        ).fetchall()
    for curve in (one for one in given["curves"] if one["group"] == 0):
        mine = [row for row in rows if row[0] == curve["question"]]
        bounds = {bound for _, bound, *_ in mine}
        for at, day in enumerate(curve["days"]):
            steps = {bound: [row for row in mine if row[1] == bound and row[2] <= day] for bound in bounds}
            if curve["question"] == "decision":
                values = [steps[bound][-1][3] if steps[bound] else 1 for bound in bounds]
                low, high = curve["survival_lo"][at], curve["survival_hi"][at]
            else:
                values = [steps[bound][-1][4] if steps[bound] else 0 for bound in bounds]
                low, high = curve["hired_lo"][at], curve["hired_hi"][at]
            assert (low, high) == (pytest.approx(min(values), abs=1e-4), pytest.approx(max(values), abs=1e-4))


def test_it_names_its_sections(companies: Companies, tmp_path: Path) -> None:
    written = write_report(companies.copy("empty", tmp_path))
    assert written.sections == tuple(SECTIONS)
    assert written.n_bytes == written.path.stat().st_size
