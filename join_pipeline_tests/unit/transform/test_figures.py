"""The user's own figures: what a file may hold, how a bad one is told, and names that the ATS does not have."""

from pathlib import Path

import duckdb
import pytest

from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings
from join_pipeline.transform import figures
from join_pipeline.transform.figures import TABLES, checked_table, copy_tables, table_vars, unknown_names

PLAN, LEVELS, TAGS, COSTS = TABLES
SETTINGS = {one.setting: one for one in TABLES}


def rows(tmp_path: Path, setting: str, content: str | bytes) -> list[dict[str, str]]:
    path = tmp_path / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [dict(row) for row in checked_table(SETTINGS[setting], path)]


@pytest.mark.parametrize(
    "content",
    [
        "job,category,hires,by,since\nNurse,,3,2026-12-31,2026-01-01\n,Care,5,2026-06-30,\n",
        "Job;Category;Hires;By;Since\r\nNurse;;3;31.12.2026;01.01.2026\r\n;Care;5;06.2026;\r\n;;;;\r\n",
        "by\thires\tsince\tcategory\tjob\n2026-12\t3,0\t2026-01\t\tNurse\n30.6.2026\t5\t\tCare\t\n".encode("utf-16"),
    ],
    ids=["iso", "german", "other order"],
)
def test_a_plan_has_jobs_or_categories_in_any_form(tmp_path: Path, content: str | bytes) -> None:
    job = {"job": "Nurse", "category": "", "n_wanted": "3", "due_on": "2026-12-31", "counts_from_on": "2026-01-01"}
    care = {"job": "", "category": "Care", "n_wanted": "5", "due_on": "2026-06-30", "counts_from_on": "2026-01-01"}
    assert rows(tmp_path, "hiring_plan_csv", content) == [{"line_number": "2", **job}, {"line_number": "3", **care}]


def test_a_list_of_tags_has_one_column_and_each_tag_once(tmp_path: Path) -> None:
    assert rows(tmp_path, TAGS.setting, "tag\nSpeaks French\n") == [{"line_number": "2", "tag_name": "Speaks French"}]
    with pytest.raises(SettingsError, match="line 3: the same tag_name as in line 2"):
        rows(tmp_path, TAGS.setting, "tag\nStar\nSTAR\n")


def test_columns_that_may_be_empty_may_be_left_out(tmp_path: Path) -> None:
    (line,) = rows(tmp_path, "hiring_plan_csv", "job,hires,by\nNurse,3,2026-12-31\n")
    assert (line["category"], line["counts_from_on"]) == ("", "")
    (line,) = rows(tmp_path, "cost_csv", 'source,month,cost\nIndeed,Mrz 26,"1.200,50"\n')
    assert (line["month_on"], line["cost"], line["currency"]) == ("2026-03-01", "1200.5", "")


def test_the_lines_of_one_name_may_follow_each_other(tmp_path: Path) -> None:
    text = (
        "job,category,hires,by,since\n,Care,3,2025-12,\n,care,4,2026-12,\nNurse,,1,2026-06,\nnurse,,1,2026-12,2026-07\n"
    )
    assert len(rows(tmp_path, "hiring_plan_csv", text)) == 4


@pytest.mark.parametrize(
    ("setting", "content", "words"),
    [
        ("hiring_plan_csv", "", "line 1: needs the columns hires and by"),
        ("hiring_plan_csv", "job,number,by\nNurse,3,2026-12-31\n", "line 1: needs the columns hires and by"),
        (
            "hiring_plan_csv",
            "job,hires,by,town\nA,3,2026-12-31,Bern\n",
            "the column 'town' is not one of job, category",
        ),
        (
            "hiring_plan_csv",
            "job,category,hires,by\nA,B,3,2026-12-31\n",
            "line 2: needs a job or a category, and not both",
        ),
        (
            "hiring_plan_csv",
            "job,category,hires,by\n,,3,2026-12-31\n",
            "line 2: needs a job or a category, and not both",
        ),
        ("hiring_plan_csv", "job,hires,by\nA,some,2026-12-31\n", "line 2, column hires: 'some' is not a whole number"),
        ("hiring_plan_csv", "job,hires,by\nA,3,12/31/2026\n", "line 2, column by: '12/31/2026' is not a day"),
        ("hiring_plan_csv", "job,hires,by\nA,3,\n", "line 2, column by: is empty"),
        ("hiring_plan_csv", "job,hires,by,since\nA,3,2026-01,2026-02\n", "line 2, column since: 2026-02-01 is after"),
        (
            "hiring_plan_csv",
            "job,hires,by\nA,3,2026-06-30\n\n a ,3,2026-12-31\n",
            "line 4: the same job as in line 2, and their times overlap. Give the later one a `since` after 2026-06-30",
        ),
        ("hiring_plan_csv", "category,hires,by\nA,3,2026-06\na,3,2026-12\n", "line 3: the same category as in line 2"),
        ("service_level_csv", "milestone,days\nHIRED,3\n", "line 2, column milestone: 'HIRED' is not one of SCREENING"),
        ("service_level_csv", "milestone,days\nOFFER,0\n", "line 2, column days: '0' is not a whole number from 1"),
        ("service_level_csv", "milestone,days\nOFFER,2\noffer,3\n", "line 3: the same milestone as in line 2"),
        ("cost_csv", "source,month,cost\nIndeed,2026-13,5\n", "line 2, column month: '2026-13' is not a month"),
        (
            "cost_csv",
            "source,month,cost\nIndeed,2026-01,1.234\n",
            "line 2, column cost: '1.234' can be read in two ways",
        ),
        ("cost_csv", "source,month,cost\nIndeed,2026-01,12,50\n", "line 2: 4 columns, not 3"),
        ("cost_csv", "source,month,cost\n ,2026-01,12\n", "line 2, column source: is empty"),
        (
            "cost_csv",
            "source,month,cost,currency\nIndeed,2026-01,5,EUR\nIndeed,2026-01,5,CHF\nINDEED,01.2026,7,eur\n",
            "line 4: the same source and month and currency as in line 2",
        ),
        ("cost_csv", b"source,month,cost\n\xe4,2026-01,5\n", "line 2: not UTF-8"),
    ],
)
def test_a_bad_file_is_told_by_its_setting_line_and_column(
    tmp_path: Path, setting: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        rows(tmp_path, setting, content)
    assert str(caught.value).startswith(f"JOIN_PIPELINE_{setting.upper()}: {tmp_path / 'mine.csv'}")
    assert words in str(caught.value)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_file_that_is_not_there_is_told(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.csv can't be read"):
        copy_tables(load_settings(data=tmp_path / "data", **{setting: tmp_path / "nowhere.csv"}))
    assert not (tmp_path / "data").exists()


def test_dbt_reads_a_copy_in_one_form(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text('source;month;cost\n"say ""hi"", A; B\nC";2026-01;5,5\n')
    settings = load_settings(data=tmp_path / "data", cost_csv=tmp_path / "mine.csv")
    copy_tables(settings)
    read = table_vars(settings)
    assert read["hiring_plan_csv"] is read["service_level_csv"] is None
    found = duckdb.sql(
        f"FROM read_csv('{read['cost_csv']}', header = true, all_varchar = true, quote = '\"')"
    ).fetchall()
    assert found == [("2", 'say "hi", A; B\nC', "2026-01-01", "5.5", None)]


def test_names_that_the_ats_does_not_have_are_told(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as con:
        con.execute(
            """CREATE TABLE mart_plan_line AS
            SELECT 'Job ' || range AS job, NULL AS category, if(range > 21, 1, 0) AS n_jobs, 'line' AS scope
            FROM range(25) UNION ALL SELECT NULL, NULL, 0, 'overall'"""
        )
        con.execute(
            "CREATE TABLE mart_cost_per_hire AS SELECT 'Gazette' AS source, 'source' AS scope, false AS is_known"
        )
    told = unknown_names(tmp_path / "x.duckdb", "main")
    assert list(told) == ["plans_are_known", "costs_are_known"]
    assert told["plans_are_known"].startswith("The ATS has no “Job 0”, “Job 1”")
    assert "and 2 more, which JOIN_PIPELINE_HIRING_PLAN_CSV names" in told["plans_are_known"]
    assert told["costs_are_known"].startswith("The ATS has no “Gazette”, which JOIN_PIPELINE_COST_CSV names")


def test_a_file_has_no_more_rows_than_a_report_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_ROWS", 2)
    text = "job,hires,by\nA,1,2026-12\nB,1,2026-12\n"
    assert len(rows(tmp_path, "hiring_plan_csv", text)) == 2
    with pytest.raises(SettingsError, match="line 5: has more than 2 rows"):
        rows(tmp_path, "hiring_plan_csv", f"{text}\nC,1,2026-12\n")
