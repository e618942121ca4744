"""The vars: the time zone that cuts days, and as_of, which rebuilds an earlier state."""

import contextlib
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.transform.maps import copy_maps, map_vars
from join_pipeline.transform.run import _compiled, ensure_manifest, forget_compiled, read_manifest, target_dir
from join_pipeline_tests.dbt.building import dbt
from join_pipeline_tests.dbt.company import Company, Seen

ONLY = ("--resource-type", "seed", "--resource-type", "model")


def company() -> Company:
    """One applies at 23:30 UTC on 31 January, which is February in Berlin; the night of 29 March has no two o'clock."""
    one = Company()
    one.syncs(20, 40, 83, 84)
    one.application("late", Seen(2), Seen(3, "Hired", "HIRED", updated=82.5), applied=26 + 23.5 / 24)
    one.application("spring", Seen(4), applied=83 + 1.5 / 24)
    return one


def test_days_are_cut_in_the_time_zone_and_durations_do_not_care(tmp_path: Path) -> None:
    company().write(tmp_path / "warehouse.duckdb")
    days = {}
    for zone in ("Europe/Berlin", "America/New_York"):
        build = dbt(tmp_path, "build", *ONLY, variables={"time_zone": zone})
        assert build.failures == []
        rows = build.rows("select applied_on::varchar as it from recruiting.fct_application order by application_key")
        days[zone] = [row["it"] for row in rows]
        assert build.row("select days_to_hire from recruiting.fct_time_to_hire") == {
            "days_to_hire": 82.5 - 26 - 23.5 / 24
        }
    assert days == {
        "Europe/Berlin": ["2026-02-01", "2026-03-29"],
        "America/New_York": ["2026-01-31", "2026-03-28"],
    }


def test_the_night_with_two_half_past_twos_is_one_day_of_twenty_five_hours(tmp_path: Path) -> None:
    """On 25 October three o'clock is two o'clock again: an hour between two instants of one clock time is an hour."""
    october = 293.0  # its midnight in UTC, two o'clock in Berlin
    one = Company()
    one.syncs(20, october - 1, october + 2)
    one.application("hour", Seen(3, "Hired", "HIRED", updated=october + 1.5 / 24), applied=october + 0.5 / 24)
    # 23:30 by winter's clock; by summer's it would be the day after
    one.application("evening", Seen(3), applied=october + 22.5 / 24)
    one.application("night", Seen(3), applied=october + 23.5 / 24)
    one.write(tmp_path / "warehouse.duckdb")
    build = dbt(tmp_path, "build", "--exclude-resource-type", "unit_test")
    assert build.failures == []
    assert build.rows(
        "select application_key, applied_on::varchar as it from recruiting.fct_application order by applied_at"
    ) == [
        {"application_key": "p-hour", "it": "2026-10-25"},
        {"application_key": "p-evening", "it": "2026-10-25"},
        {"application_key": "p-night", "it": "2026-10-26"},
    ]
    (hire,) = build.rows("select days_to_hire, hired_on::varchar as hired_on from recruiting.fct_time_to_hire")
    assert hire == {"days_to_hire": pytest.approx(1 / 24), "hired_on": "2026-10-25"}
    days = "select sum(n_entered)::int as entered, sum(n_left)::int as ended from recruiting.fct_funnel_daily"
    assert build.row(f"{days} where date_on = date '2026-10-25'") == {"entered": 2, "ended": 1}
    dates = build.rows("select date_on::varchar as it from recruiting.dim_date where date_on >= date '2026-10-24'")
    assert sorted(row["it"] for row in dates) == ["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"]


def test_as_of_builds_as_if_later_syncs_had_not_been(tmp_path: Path) -> None:
    company().write(tmp_path / "warehouse.duckdb")
    build = dbt(tmp_path, "build", "--exclude-resource-type", "unit_test", variables={"as_of": "2026-02-20 00:00+00"})
    assert build.failures == []
    assert build.rows("select application_key, status from recruiting.fct_application") == [
        {"application_key": "p-late", "status": "OPEN"}
    ]


def test_the_users_own_maps_come_before_the_seeds(tmp_path: Path) -> None:
    one = company()
    one.stage("Schnuppern", 9, name="Ward  visit")
    one.stage("Nonsense", 9)
    one.write(tmp_path / "warehouse.duckdb")
    (tmp_path / "stages.csv").write_text("stage_name,milestone\nInterview,Offer\nward  visit,OFFER\nnonsense,LUNCH\n")
    (tmp_path / "sources.csv").write_text("source,channel\nIndeed,EVENTS\n")
    variables = {
        "stage_milestone_csv": str(tmp_path / "stages.csv"),
        "source_channel_csv": str(tmp_path / "sources.csv"),
    }
    build = dbt(tmp_path, "build", *ONLY, "--select", "+dim_stage", "+dim_source", variables=variables)
    assert build.failures == []
    stages = build.rows("select stage_id, milestone, is_mapped from recruiting.dim_stage order by stage_id")
    assert [tuple(row.values()) for row in stages] == [
        ("Case study", "INTERIM", True),
        ("Hired", "HIRED", True),
        ("Interview", "OFFER", True),
        ("Nonsense", "INTERIM", False),
        ("Offer", "OFFER", True),
        ("Schnuppern", "OFFER", True),
        ("Screening", "SCREENING", True),
    ]
    assert build.rows("select source, channel from recruiting.dim_source") == [
        {"source": "indeed", "channel": "EVENTS"}
    ]


@pytest.mark.parametrize(("per_person", "keys"), [(False, []), (True, ["p-u-ada"])])
def test_no_key_of_a_user_is_there_unless_switched_on(tmp_path: Path, per_person: bool, keys: list[str]) -> None:
    one = company()
    one.link("users", "u-ada")
    one.link("job_hiring_team", "Nurse/u-ada", job_id="Nurse", user_id="u-ada", roles=["HIRING_MANAGER"])
    one.write(tmp_path / "warehouse.duckdb")
    select = ("--select", "+dim_user", "+bridge_job_team")
    build = dbt(tmp_path, "build", *ONLY, *select, variables={"per_person": per_person})
    assert build.failures == []
    assert [row["user_key"] for row in build.rows("select user_key from recruiting.dim_user")] == keys
    assert [row["user_key"] for row in build.rows("select user_key from recruiting.bridge_job_team")] == (
        keys or [None]
    )


def test_stages_are_named_by_a_map_in_any_case_and_composition(tmp_path: Path) -> None:
    """What the user writes and what JOIN writes are compared in one form, on both sides."""
    shown = ("İşe Alındı", "ΤΕΛΙΚΟΣ", "Straße", unicodedata.normalize("NFD", "Gespräch für Köche"))
    one = Company()
    one.syncs(20, 40)
    one.job("Nurse", stages=shown)
    one.write(tmp_path / "warehouse.duckdb")
    own = tmp_path / "own.csv"
    rows = [
        "Stage_Name;Milestone",
        *(f"{name};offer" for name in ("işe alındı", "τελικος", "STRASSE", "gespräch für köche")),
    ]
    own.write_bytes("\r\n".join(rows).encode("utf-16"))
    settings = load_settings(data=tmp_path / "data", stage_milestone_csv=own)
    copy_maps(settings)
    variables = {"stage_milestone_csv": map_vars(settings)["stage_milestone_csv"]}
    build = dbt(tmp_path, "build", *ONLY, "--select", "+int_stage", variables=variables)
    assert build.failures == []
    milestones = {
        row["stage_name"]: row["milestone"]
        for row in build.rows("select stage_name, milestone from intermediate.int_stage")
    }
    assert {name: milestones[name] for name in shown} == dict.fromkeys(shown, "OFFER")


def _nodes(data: Path) -> int:
    return len(read_manifest(load_settings(data=data))["nodes"])


COUNT = """
import sys
from pathlib import Path
from join_pipeline.settings import load_settings
from join_pipeline.transform.run import read_manifest
print(len(read_manifest(load_settings(data=Path(sys.argv[1])))["nodes"]))
"""


@pytest.mark.slow
def test_processes_that_load_the_definitions_at_once_each_read_a_whole_manifest(tmp_path: Path) -> None:
    forget_compiled(load_settings(data=tmp_path))  # what is shipped would not be parsed
    with contextlib.ExitStack() as open_:
        command = [sys.executable, "-c", COUNT, str(tmp_path)]
        children = [open_.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in range(4)]
        for child in children:
            open_.callback(child.kill)  # one that waits for ever must not hold up the others
        counts = {child.communicate(timeout=300)[0] for child in children}
        assert {child.returncode for child in children} == {0}
    assert len(counts) == 1
    assert int(counts.pop()) > 100


def test_what_a_killed_parse_left_is_parsed_again(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    forget_compiled(settings)  # what is shipped would not be parsed
    n_nodes = _nodes(tmp_path)
    forget_compiled(settings)
    left = target_dir(settings) / "manifest.json"
    left.write_bytes(left.read_bytes()[:9999])
    assert _nodes(tmp_path) == n_nodes


def test_connections_share_a_manifest_if_they_give_the_project_the_same_variables(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("stage_name,milestone\nTalk,OFFER\n")
    first = ensure_manifest(load_settings(data=tmp_path, connection="acme"))
    written = first.stat().st_mtime_ns
    assert ensure_manifest(load_settings(data=tmp_path, connection="globex")) == first
    assert first.stat().st_mtime_ns == written
    assert not target_dir(load_settings(data=tmp_path, connection="globex")).exists()
    others = [{"k": 7}, {"time_zone": "Asia/Tokyo"}, {"stage_milestone_csv": own}]
    folders = {_compiled(load_settings(data=tmp_path, **other)) for other in others}
    assert len(folders | {first.parent}) == 4
