"""The published schema as a contract: how a change raises its version, and old names that are due for removal."""

from typing import Any

import pytest

from join_pipeline.errors import BuildError
from join_pipeline.warehouse.contract import contract
from join_pipeline.warehouse.publish import tables_to_publish

RELEASE = "0.2.0"


def column(name: str, kind: str = "varchar", **meta: Any) -> dict[str, Any]:
    return {"name": name, "data_type": kind, "config": {"meta": {"tier": 1, **meta}}}


def manifest(**tables: list[dict[str, Any]]) -> dict[str, Any]:
    """dbt's manifest of marts with these columns."""
    return {
        "nodes": {
            f"model.x.{name}": {
                "resource_type": "model",
                "schema": "recruiting",
                "name": name,
                "config": {"materialized": "table", "meta": {"audience": "shared"}},
                "columns": {column["name"]: column for column in columns},
            }
            for name, columns in tables.items()
        }
    }


def jobs(*columns: dict[str, Any]) -> dict[str, Any]:
    return manifest(dim_job=[column("job_id"), column("title"), *columns])


def renamed(**renamed_from: Any) -> dict[str, Any]:
    return manifest(dim_job=[column("job_id"), column("job_name", renamed_from=renamed_from)])


@pytest.mark.parametrize(
    ("now", "version"),
    [
        (jobs(), "1.0"),
        (jobs(column("city")), "1.1"),
        (manifest(dim_job=[column("job_id"), column("title")], dim_tag=[column("tag_id")]), "1.1"),
        (renamed(name="title", until="0.3.0"), "1.1"),
        (manifest(dim_job=[column("job_id")]), "2.0"),
        (manifest(dim_job=[column("job_id"), column("title", "bigint")]), "2.0"),
        (manifest(dim_job=[column("job_id"), column("job_name")]), "2.0"),
        (manifest(dim_tag=[column("tag_id")]), "2.0"),
    ],
    ids=[
        "nothing",
        "a column",
        "a table",
        "a new name beside the old",
        "no column",
        "a type",
        "a new name for the old",
        "no table",
    ],
)
def test_more_to_read_raises_the_second_number_and_what_is_gone_the_first(now: dict[str, Any], version: str) -> None:
    before = contract(jobs(), {}, RELEASE)
    assert before["version"] == "1.0"
    assert contract(now, before, RELEASE)["version"] == version


def test_an_old_name_has_the_type_of_the_new_one_and_says_what_to_read_and_how_long() -> None:
    told = contract(renamed(name="title", until="0.3.0"), {}, RELEASE)["files"]["recruiting.duckdb"]["dim_job"]
    assert told["columns"] == {"job_id": "varchar", "job_name": "varchar", "title": "varchar"}
    assert told["deprecated"] == {"title": {"read": "job_name", "until": "0.3.0"}}


@pytest.mark.parametrize("until", ["0.2.0", "0.1.9"])
def test_an_old_name_that_should_be_gone_is_refused_by_name(until: str) -> None:
    with pytest.raises(BuildError, match=r"dim_job\.title ends with release .*CHANGELOG"):
        contract(renamed(name="title", until=until), {}, RELEASE)


@pytest.mark.parametrize(
    "renamed_from",
    [
        {"name": "title"},
        {"name": "job_id", "until": "0.3.0"},
        {"name": "title", "until": 0.3},
        {"name": "title", "until": "next"},
    ],
    ids=["no release", "the name of another", "a number that YAML made", "no release's number"],
)
def test_a_renaming_that_is_not_whole_is_refused(renamed_from: dict[str, Any]) -> None:
    with pytest.raises(BuildError, match="renamed_from of job_name"):
        tables_to_publish(renamed(**renamed_from))
