"""Whatever the source sends, as long as it fits its type, everything is built and published, and warnings name it."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline.models import MODELS
from join_pipeline.models.declared import OBSERVATION
from join_pipeline.models.types import INSTANT
from join_pipeline.pipeline import refuse_failed
from join_pipeline.settings import Settings
from join_pipeline.transform.consents import CHECK as CONSENTS
from join_pipeline.transform.figures import TABLES
from join_pipeline.transform.findings import data_tests, finding_of
from join_pipeline.transform.maps import MAPS
from join_pipeline.transform.odd import ADVICE, odd_records
from join_pipeline.transform.run import Node, build_marts, odd_in_last_build, project_dir, read_manifest
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.dbt.building import dbt
from join_pipeline_tests.dbt.company import Company, Seen, day
from join_pipeline_tests.dbt.odd import TEXTS, OddCompany
from join_pipeline_tests.report.companies import settings_in
from join_pipeline_tests.syncing import examine, write_report

NAMES = [text for text in TEXTS if text and text.strip()]
FIELDS = {field.name for field in OBSERVATION}


@dataclass(frozen=True)
class Odd:
    """The hand-written company with one of each oddity, and what dbt said of it."""

    settings: Settings
    nodes: list[Node]
    messages: Mapping[str, str]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    settings = settings_in(tmp_path_factory.mktemp("odd"))
    settings.home.mkdir(parents=True)
    company().write(settings.warehouse)
    nodes = build_marts(settings)
    refuse_failed(nodes)
    publish(settings)
    write_report(settings)
    return Odd(
        settings, nodes, {node.unique_id.split(".")[-1]: node.message for node in nodes if node.status == "warn"}
    )


def company() -> Company:
    one = Company()
    one.syncs(10, 20, 30)
    one.job("ahead", opened_at=day(10.1), remote_created_at=day(10.1), remote_updated_at=day(400))
    one.job("year 9999", opened_at=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    one.job("year 1", opened_at=datetime(1, 1, 1, tzinfo=UTC), remote_created_at=datetime(1900, 1, 1, tzinfo=UTC))
    nameless = {"status": None, "custom_fields": None, "remote_created_at": day(5), "remote_updated_at": day(4)}
    one.link("jobs", "nameless", name=None, **nameless)
    one.job("opened after it was seen", sync=2, opened_at=day(20.5))
    one.application("of_2199", Seen(1), Seen(2, "Interview", "ACTIVE", updated=80_000), applied=80_000, job="ahead")
    one.application("of_year_1", Seen(1, updated=-700_000), applied=-700_000, job="year 1", candidate_created=99_999)
    one.application("hired_before", Seen(1, "Hired", "HIRED", updated=-3), applied=9, job="year 9999")
    # an odd update time in one version does not spoil the next one's
    one.application(
        "late_word", Seen(1, updated=400), Seen(2, "Interview", "ACTIVE", updated=15), applied=9, job="nameless"
    )
    for number in range(6):
        one.application(f"many_{number}", Seen(1), applied=300 + number, job="ahead")
    lost = {"state": "APPLIED", "outcome": "PENDING", "remote_created_at": day(9)}
    one.link(
        "applications", "of_a_lost_job", **lost, job_id="lost", current_stage_id="lost stage", candidate_id="lost c"
    )
    one.link("applications", "of_no_job", **lost, job_id=None, current_stage_id=None, candidate_id=None, source="")
    one.link("applications", "bare")
    one.link("tags", "no name", name=None)
    one.link("candidate_tags", "c-of_2199/no name", candidate_id="c-of_2199", tag_id="no name")
    one.link("candidate_tags", "c-of_2199/lost", candidate_id="c-of_2199", tag_id="lost tag")
    one.link("screening_questions", "untitled", title="")
    one.link("job_screening_questions", "ahead/untitled", job_id="ahead", question_id="untitled")
    one.link("job_screening_questions", "lost/lost", job_id="lost", question_id="lost question")
    for number, text in enumerate(NAMES):
        one.link(
            "jobs", f"job {number}", name=text, status=text, category=text, location={"city": text, "country": text}
        )
        one.stage(f"stage {number}", number, name=text)
        one.link("tags", f"tag {number}", name=text)
        one.link("candidate_tags", f"c-of_2199/tag {number}", candidate_id="c-of_2199", tag_id=f"tag {number}")
        for twin in range(6):  # so many that shared marts show the group
            seen = Seen(1, f"stage {number}", text)
            one.application(f"named_{number}_{twin}", seen, applied=9, job=f"job {number}", source=text)
    one.link("users", "bare")
    one.link("job_hiring_team", "ahead/bare", job_id="ahead", user_id="bare", roles=[None])
    one.link("job_hiring_team", "lost/bare", job_id="lost", user_id="bare")
    return one


def test_every_key_that_a_fact_names_is_a_row_of_its_dimension(odd: Odd) -> None:
    for fact, column, dimension in (
        ("fct_application", "job_id", "dim_job"),
        ("fct_application", "stage_id", "dim_stage"),
        ("fct_stage_visit", "stage_id", "dim_stage"),
        ("bridge_candidate_tag", "tag_id", "dim_tag"),
        ("bridge_candidate_tag", "candidate_key", "dim_candidate"),
        ("bridge_job_question", "question_id", "dim_question"),
        ("bridge_job_question", "job_id", "dim_job"),
        ("bridge_job_team", "job_id", "dim_job"),
    ):
        keys = f"SELECT {column} FROM recruiting.{fact} WHERE {column} IS NOT NULL"
        assert odd.rows(f"{keys} EXCEPT SELECT {column} FROM recruiting.{dimension}") == [], (fact, column)
    assert odd.rows("SELECT job_name, status, is_deleted FROM recruiting.dim_job WHERE job_id = 'lost'") == [
        (None, None, False)
    ]


def test_no_instant_of_the_source_lies_after_its_fetch_or_before_1990(odd: Odd) -> None:
    columns = odd.rows("""
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'recruiting' AND data_type IN ('TIMESTAMP WITH TIME ZONE', 'DATE')
    """)
    assert len(columns) > 60
    for table, column in columns:
        if table == "dim_date" or column.startswith(("due_on", "quarter_on", "year_on", "week_on")):
            continue
        found = odd.rows(f"SELECT min({column}) >= '1990-01-01', max({column}) <= '{day(31)}' FROM recruiting.{table}")
        assert found[0] in {(True, True), (None, None)}, (table, column)
    assert odd.rows("SELECT count(*) < 60 FROM recruiting.dim_date") == [(True,)]


def test_an_odd_instant_is_not_known_and_spoils_no_other(odd: Odd) -> None:
    applied = "SELECT applied_at_lo, applied_at, applied_evidence FROM recruiting.fct_application WHERE application_key"
    assert odd.rows(f"{applied} = 'p-of_2199'") == [(None, day(10) + timedelta(minutes=10), "bounded")]
    moved = odd.rows("""
        SELECT event_at, evidence, is_unannounced FROM recruiting.fct_application_stage_event
        WHERE application_key = 'p-late_word' AND event_type = 'STAGE_CHANGED'
    """)
    assert moved == [(day(15), "observed", False)]
    opened = odd.rows("SELECT job_id, opened_at, opened_evidence FROM recruiting.fct_job_vacancy ORDER BY job_id")
    assert ("ahead", None, None) in opened
    assert ("year 1", None, None) in opened


def test_names_of_any_characters_and_any_length_reach_readers_and_the_report_as_they_are(odd: Odd) -> None:
    with duckdb.connect(str(odd.settings.published), read_only=True) as con:
        for table, column in (("dim_job", "job_name"), ("dim_stage", "stage_name")):
            assert set(NAMES) <= {name for (name,) in con.execute(f"SELECT {column} FROM {table}").fetchall()}
        assert set(NAMES) <= {name for (name,) in con.execute("SELECT source FROM dim_source").fetchall()}
    page = odd.settings.report.read_text()
    assert "<script>alert(1)" not in page
    assert "\x1b" not in page


def test_the_warnings_name_records_and_how_many(odd: Odd) -> None:
    assert set(ADVICE) <= set(odd.messages)
    instants = odd.messages["instants_are_possible"]
    assert (
        "applications.remote_created_at lies in the future in 7 of them (many_0, many_1, many_2, many_3, many_4, …)"
        in (instants)
    )
    assert "applications.remote_created_at lies before 1990-01-01 in 1 of them (of_year_1)" in instants
    assert "candidates.remote_created_at lies in the future in 1 of them (c-of_year_1)" in instants
    assert "jobs.opened_at lies in the future in 3 of them (ahead, opened after it was seen, year 9999)" in instants
    assert "jobs.remote_updated_at lies before its creation in 1 of them (nameless)" in instants
    listed = odd.messages["records_are_listed"]
    for told in ("jobs.id", "application_stages.id", "tags.id", "screening_questions.id", "candidates.id"):
        assert f"{told} is all that is known in 1 of them (lost" in listed
    names = odd.messages["names_are_given"]
    assert "jobs.name is empty in 1 of them (nameless)" in names
    assert "tags.name is empty in 1 of them (no name)" in names
    assert "screening_questions.title is empty in 1 of them (untitled)" in names


def test_the_trust_mart_keeps_the_numbers_and_hides_those_of_few_people(odd: Odd) -> None:
    kept = dict(odd.rows("SELECT subject, n FROM recruiting.mart_trust WHERE check_name = 'odd records'"))
    assert kept["jobs.opened_at lies in the future"] == 3
    assert kept["applications.remote_created_at lies in the future"] == 7
    assert kept["applications.remote_created_at lies before 1990-01-01"] is None
    assert kept["tags.name is empty"] == 1


def test_status_doctor_and_dagster_show_the_warnings(odd: Odd) -> None:
    assert odd_in_last_build(odd.settings) == {name: odd.messages[name] for name in ADVICE}
    told = [finding for finding in examine(odd.settings) if finding.check == "records"]
    assert sorted(finding.message.split(":")[0] for finding in told) == sorted(ADVICE)
    tests = data_tests(read_manifest(odd.settings))
    for node in odd.nodes:
        if node.status == "warn":
            assert finding_of(node, tests[node.unique_id]).verdict == "warning"
            assert finding_of(node, tests[node.unique_id]).message == node.message


def test_a_test_stops_publishing_if_and_only_if_the_source_can_not_fail_it(odd: Odd) -> None:
    """The rule of docs/developers/testing.md: what the source can fail lies in tests/source and warns."""
    tests = [node for node in read_manifest(odd.settings)["nodes"].values() if node["resource_type"] == "test"]
    for test in tests:
        is_of_source = test["original_file_path"].startswith("tests/source/")
        fault, severity = ("source", "warn") if is_of_source else ("ours", "error")
        assert test["config"]["meta"] == {"fault": fault}, test["name"]
        assert test["config"]["severity"].lower() == severity, test["name"]
    warning = {test["name"] for test in tests if test["config"]["severity"].lower() == "warn"}
    named = {*ADVICE, CONSENTS, *(one.test for one in MAPS), *(one.test for one in TABLES if one.test)}
    assert warning == named, "each warning has a message that names the records"


def test_the_macros_know_every_instant_and_every_reference_of_the_models() -> None:
    macros = project_dir() / "macros"
    assert _returned(macros / "possible.sql") == {
        name: columns
        for name, model in MODELS.items()
        if (columns := [one.name for one in model.columns if one.type == INSTANT and _is_stated(one.name)])
    }
    references: dict[str, list[tuple[str, str]]] = {}
    for name, model in MODELS.items():
        for column in model.columns:
            if column.references:
                references.setdefault(column.references, []).append((name, column.name))
    assert {model: sorted(found) for model, found in _returned(macros / "known_by_id.sql").items()} == {
        model: sorted(found) for model, found in references.items()
    }


def _is_stated(column: str) -> bool:
    return column not in FIELDS and column not in {"changed_at", "remote_deleted_at"}


def _returned(macro: Path) -> Any:
    (given,) = re.findall(r"return\((\{.*?\})\)", macro.read_text(), re.DOTALL)
    return ast.literal_eval(given)


@pytest.mark.parametrize(
    ("seed", "share"),
    [
        (1, 0.4),
        pytest.param(2, 0.1, marks=pytest.mark.slow),
        pytest.param(3, 0.9, marks=pytest.mark.slow),
        pytest.param(4, 1.0, marks=pytest.mark.slow),
    ],
)
def test_whatever_fits_its_type_is_built_and_passes_every_test_that_stops(
    tmp_path: Path, seed: int, share: float
) -> None:
    OddCompany(seed, share=share).write(tmp_path / "warehouse.duckdb")
    assert dbt(tmp_path, "build", "--exclude-resource-type", "unit_test").failures == []
    for message in odd_records(tmp_path / "warehouse.duckdb").values():
        assert message.isprintable()
        assert len(message) < 10_000
