"""Dagster's runs over lakes in a bucket: what one machine's run leaves, another machine's run goes on from."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from join_pipeline.defs import build_definitions
from join_pipeline.settings import load_settings
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.cli.companies import company
from join_pipeline_tests.privacy.people import KEY

TWO = """
[{name}]
lake = "{url}"
join_api_url = "{api}/v2"
integration_id = "join:{name}"

[{name}.secrets]
join_api_token = {{environment = "TOKEN_OF_BUCKETS"}}
pseudonym_key = {{environment = "KEY_OF_BUCKETS"}}
"""
COMPANIES = ("acme", "globex")


@pytest.fixture
def served_twice(served: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, Path]:
    """A bucket, and a file of two companies whose lakes lie in it."""
    monkeypatch.setenv("TOKEN_OF_BUCKETS", "sandbox-token")
    monkeypatch.setenv("KEY_OF_BUCKETS", KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "connections.toml"
    file.write_text("".join(TWO.format(name=name, url=served.url, api=company()) for name in COMPANIES))
    return served, file


def run(file: Path, data: Path, partition: str, *groups: str) -> set[str]:
    """The job sync on a machine with this data folder, of all groups or of some. Returns the groups it made."""
    definitions = build_definitions(load_settings(data=data), connections=file)
    job = definitions.resolve_job_def("sync")
    graph = definitions.resolve_asset_graph()
    keys = [key for key in job.asset_layer.selected_asset_keys if graph.get(key).group_name in groups]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("connection", COMPANIES)
        ended = job.execute_in_process(partition_key=partition, instance=instance, asset_selection=keys or None)
    assert ended.success
    made = {str(event.asset_key.path[0]) for event in ended.get_asset_materialization_events() if event.asset_key}
    assert {event.partition for event in ended.get_asset_materialization_events()} == {partition}
    return made


def test_a_run_goes_on_where_the_run_of_another_machine_ended(served_twice: tuple[Place, Path], tmp_path: Path) -> None:
    place, file = served_twice
    assert run(file, tmp_path / "a", "acme", "extract", "models") == {"raw", "models"}
    slot = place.newest("acme")
    assert any(name.startswith("lake/syncs/") for name in slot.files)
    assert place.bucket.names("globex/") == []
    assert run(file, tmp_path / "b", "acme", "extract", "models") == {"raw", "models"}
    assert place.newest("acme").slot > slot.slot
    syncs = [name for name in place.newest("acme").files if name.startswith("lake/syncs/")]
    assert len(syncs) == 2


@pytest.mark.slow  # it builds; the test before has the lake, and test_published what a build publishes
def test_a_whole_run_publishes_to_the_bucket_and_needs_nothing_of_the_machine_before(
    served_twice: tuple[Place, Path], tmp_path: Path
) -> None:
    place, file = served_twice
    run(file, tmp_path / "a", "acme")
    run(file, tmp_path / "b", "acme")
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(place.objects()["published/acme/recruiting.duckdb"])
    with duckdb.connect(copy, read_only=True) as con:
        (n,) = con.execute("SELECT count(*) FROM fct_application").fetchone() or (0,)
    assert n > 0
    assert (tmp_path / "b" / "acme" / "published" / "recruiting.duckdb").exists()
    assert run(file, tmp_path / "b", "acme") == {"raw", "models"}, "nothing has changed, so nothing is made again"
