"""An attacker with every number of the shared tables learns of no small group more than that it is small."""

import shutil
from pathlib import Path

import duckdb
import pytest

from join_pipeline.suppression.cells import read_cells
from join_pipeline.suppression.inventory import CHECKED
from join_pipeline_tests.privacy.attacker import attack, attack_marts
from join_pipeline_tests.privacy.attacker_all import attack_all
from join_pipeline_tests.privacy.attacker_waiting import attack_waiting, attack_waiting_marts
from join_pipeline_tests.report.companies import Companies

OUTCOMES = "ended|historic|stays|hires|attained|breached"


def test_an_attacker_is_told_no_small_group(companies: Companies) -> None:
    settings = companies("busy")
    n_hidden, told = attack(settings.published, settings.k)
    assert n_hidden > 100
    assert told == []


def test_the_same_attacker_is_told_many_if_each_table_hides_for_itself(companies: Companies) -> None:
    settings = companies("busy")
    _, told = attack_marts(settings.warehouse, settings.k)
    assert len(told) > 20


def test_an_attacker_in_whole_numbers_is_told_no_small_group_of_those_who_wait(companies: Companies) -> None:
    settings = companies("busy")
    n_hidden, told = attack_waiting(settings.published, settings.k)
    assert n_hidden > 30
    assert told == []
    _, told_by_marts = attack_waiting_marts(settings.warehouse, settings.k)
    assert len(told_by_marts) > 8


def test_an_attacker_with_every_number_of_a_tiny_company_is_told_no_small_group(companies: Companies) -> None:
    settings = companies("tiny")
    n_hidden, told = attack_all(settings.published, settings.k, settings.time_zone)
    assert n_hidden > 30
    assert told == []


def test_an_attacker_who_adds_up_durations_stays_and_hires_is_told_no_small_group(companies: Companies) -> None:
    settings = companies("busy")
    n_hidden, told = attack_all(settings.published, settings.k, settings.time_zone, only=OUTCOMES, of=OUTCOMES)
    assert n_hidden > 30
    assert told == []


@pytest.mark.slow
def test_an_attacker_with_every_number_is_told_what_the_docs_say(companies: Companies) -> None:
    """The cells inside shown cohorts are not compared yet, so they tell some. The attack finds them."""
    settings = companies("busy")
    numbers = r"(?!reached |aged |.* consent)"
    n_hidden, told = attack_all(settings.published, settings.k, settings.time_zone, only=numbers)
    assert n_hidden > 200
    assert 0 < len(told) < n_hidden / 4
    assert {one.group[0].split()[0] for one in told} <= {"applied", "waits"}


def test_people_are_counted_in_the_groups_that_the_marts_count(companies: Companies, tmp_path: Path) -> None:
    """If each application is somebody else's, a group has as many people as applications."""
    settings = companies("busy")
    copy = shutil.copy(settings.warehouse, tmp_path / "warehouse.duckdb")
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{copy}' AS warehouse")
        for table in ("fct_application", "fct_time_to_hire"):
            con.execute(f"UPDATE warehouse.recruiting.{table} SET candidate_key = application_key")
        for (table,) in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'warehouse' AND schema_name = 'recruiting'"
        ).fetchall():
            con.execute(f"CREATE VIEW memory.main.{table} AS FROM warehouse.recruiting.{table}")
        con.execute("SET VARIABLE time_zone = $zone", {"zone": settings.time_zone})
        read_cells(con, CHECKED, settings.k)
        counted = con.execute(
            """SELECT split_part(what, ' ', 1) AS kind, grain, count(*), count(*) FILTER (n = n_people)
            FROM cell WHERE n > 0 AND kind IN ('ended', 'historic', 'forecast') GROUP BY ALL ORDER BY ALL"""
        ).fetchall()
    kinds = {(kind, grain) for kind, grain, _, _ in counted}
    assert kinds >= {("ended", "all"), ("ended", "month"), ("historic", "month"), ("forecast", "all")}
    assert [one for one in counted if one[2] != one[3]] == []
