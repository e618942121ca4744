"""The inventory names every shared table and every column: a count of people can't be forgotten."""

from typing import Any

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.suppression.inventory import CHECKED, NOBODY, NOT_CHECKED
from join_pipeline.transform.run import ensure_manifest, read_manifest


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The nodes of dbt's manifest that are published for everybody, by name."""
    settings = load_settings(data=tmp_path_factory.mktemp("data"), connection="sandbox")
    ensure_manifest(settings)
    nodes = read_manifest(settings)["nodes"].values()
    return {
        node["name"]: node
        for node in nodes
        if node["resource_type"] in {"model", "seed"}
        and (node["config"].get("meta", {}) | node.get("meta", {})).get("audience") == "shared"
    }


def test_every_shared_table_is_checked_or_it_says_why_not(shared: dict[str, dict[str, Any]]) -> None:
    tables = {name for name, node in shared.items() if node["config"].get("materialized") != "view"}
    checked = {table.name for table in CHECKED}
    assert checked | NOT_CHECKED.keys() | NOBODY.keys() == tables
    assert len(checked) + len(NOT_CHECKED) + len(NOBODY) == len(tables)
    assert all([*NOT_CHECKED.values(), *NOBODY.values()])


def test_every_column_of_a_checked_table_is_a_name_or_is_hidden_with_a_group(
    shared: dict[str, dict[str, Any]],
) -> None:
    for table in CHECKED:
        hidden = {
            column
            for group in table.groups
            for column in (group.size, *group.hides, *(name for name, _ in group.says), group.flag)
            if column
        }
        assert set(table.names) | hidden == set(shared[table.name]["columns"]), table.name
        assert not set(table.names) & hidden, table.name
        counts = {
            name
            for name in table.names
            if shared[table.name]["columns"][name]["data_type"] == "bigint" and name.startswith("n_")
        }
        # days, and forecasts of all jobs, are no people
        assert counts <= {"n_days", "n_days_synced", "n_past_forecasts", "n_past_within_80", "n_past_within_95"}


def test_what_is_about_nobody_counts_nobody(shared: dict[str, dict[str, Any]]) -> None:
    counts = {
        (name, column)
        for name in NOBODY
        for column, one in shared[name]["columns"].items()
        if column.startswith("n_") or "share" in column
    }
    assert counts == {("dim_sync", "n_requests"), ("dim_sync", "n_set_aside"), ("dim_sync", "n_pending_looks")}


def test_a_shared_view_reads_nothing_that_is_not_shared(shared: dict[str, dict[str, Any]]) -> None:
    views = {name: node for name, node in shared.items() if node["config"].get("materialized") == "view"}
    assert views
    for name, node in views.items():
        read = {one.split(".")[-1] for one in node["depends_on"]["nodes"]}
        assert read <= shared.keys(), name
