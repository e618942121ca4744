"""`retention due`: who may delete in the ATS gets the ids to search for, and nothing that names a person."""

import csv
import io
from datetime import date

import duckdb
import pytest

from join_pipeline_tests.cli.commands import Shell, is_good, is_told
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.kombo.accounts import newest

UNTIL = "2099-12-31"


def test_what_is_due_is_listed_by_the_ids_of_the_ats_with_both_bounds(built: Grown) -> None:
    shell = built.shell
    listed = shell("retention", "due", "--until", UNTIL, "--json").document
    by_rule = [one for one in listed if one["rule"].startswith("after")]
    asked = "SELECT count(*) AS n FROM mart_retention_due WHERE due_on IS NOT NULL"
    ((n,),) = [row.values() for row in shell("query", asked, "--json").document]
    assert len(by_rule) == n > 10
    applications = {row["remote_id"]: row for row in newest(shell.settings, live=False)["applications"].values()}
    for one in by_rule:
        assert one["is_in_ats"] == (applications[one["application"]]["remote_deleted_at"] is None)
        assert one["due_from"] is None or one["due_from"] <= one["due_on"] <= UNTIL
        assert one["months"] > 0
    assert [one["due_on"] for one in by_rule] == sorted(one["due_on"] for one in by_rule)


def test_consents_that_do_not_allow_keeping_are_listed(built: Grown) -> None:
    listed = built.shell("retention", "due", "--json").document
    rows = newest(built.shell.settings)["applications"].values()
    refused = {row["remote_id"] for row in rows if (row["consent_status"] or "").upper() in {"REJECTED", "EXPIRED"}}
    assert {one["application"] for one in listed if one["rule"].startswith("consent")} == refused
    assert all(one["is_due"] for one in listed)


def test_the_list_is_csv_without_any_name(built: Grown) -> None:
    ended = built.shell("retention", "due", "--until", UNTIL, "--in-ats", "--csv")
    is_good(ended)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert rows
    assert {row["is_in_ats"] for row in rows} == {"True"}
    assert all(date.fromisoformat(row["due_on"]) for row in rows if row["due_on"])
    said = {cell for row in rows for cell in row.values()}
    for person in newest(built.shell.settings)["candidates"].values():
        assert person["last_name"] not in said
    is_good(built.shell("retention", "due"))


def test_without_a_build_it_says_what_to_do(shell: Shell) -> None:
    is_told(shell("retention", "due"), 1, "join-pipeline build")


def test_a_damaged_warehouse_says_what_to_do(shell: Shell) -> None:
    path = shell.settings.warehouse
    path.parent.mkdir(parents=True)
    with duckdb.connect(path):
        pass
    is_told(shell("retention", "due"), 1, "can't be read")


@pytest.mark.slow
def test_who_is_due_is_erased_here_once_asked_for_with_a_receipt_and_does_not_come_back(known: Shell) -> None:
    policy = known.data.parent / "policy.csv"
    policy.write_text("country,months\nDE,0\nAT,0\nCH,0\n")
    shell = known.but(JOIN_PIPELINE_RETENTION_POLICY_CSV=str(policy))
    is_good(shell("build"))
    told = shell("retention", "apply", "--json").document
    assert told["n_people"] > 0
    assert told["receipt"] is None
    live = newest(shell.settings)["candidates"]
    done = shell("retention", "apply", "--yes", "--json").document
    assert done["receipt"]["number"]
    left = newest(shell.settings)["candidates"]
    assert (
        len({row["remote_id"] for row in live.values()} - {row["remote_id"] for row in left.values()})
        == told["n_people"]
    )
    assert shell("retention", "apply", "--json").document["n_people"] == 0
    is_good(shell("sync", "--mode", "full"))
    again = {row["remote_id"] for row in newest(shell.settings)["candidates"].values()}
    assert again <= {row["remote_id"] for row in left.values()}
