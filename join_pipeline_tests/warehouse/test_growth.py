"""Growth: a load adds what later syncs wrote, and gives what a load from nothing gives; or it begins from nothing."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from join_pipeline.lake import compaction
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.sql import scratch
from join_pipeline.lake.upgrade import write_anew
from join_pipeline.models import MODELS
from join_pipeline.pipeline import load
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline.sync.plan import AskedMode
from join_pipeline.warehouse import growth
from join_pipeline.warehouse.file import forget_warehouse
from join_pipeline.warehouse.growth import last_loaded
from join_pipeline.warehouse.pseudonyms import pseudonym_key
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.warehouse.test_load import everything, warehouse, with_key

START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def company() -> Iterator[str]:
    """A company that goes on when its clock is moved."""
    with running(SandboxConfig(port=0, applications=80, now=START, rate_limit=None)) as url:
        yield url


@pytest.fixture
def grown(company: str, tmp_path: Path) -> Settings:
    """A lake after a first sync, and its warehouse."""
    settings = Shell(company, tmp_path / "data").settings
    run_sync(settings, "full")
    load(settings)
    return settings


def later(company: str, settings: Settings, days: int, mode: AskedMode = "incremental") -> None:
    """Another sync, so many days after the first."""
    clock = {"now": (START + timedelta(days=days)).isoformat()}
    httpx.post(f"{company}/control/clock", json=clock, trust_env=False).raise_for_status()
    assert run_sync(settings, mode).verdict == "committed"


def since(settings: Settings) -> str | None:
    return last_loaded(settings.warehouse, open_lake(settings.lake), pseudonym_key(settings))


@pytest.mark.parametrize("most_files", [1, 16], ids=["merged by each sync", "not merged"])
def test_after_each_sync_it_equals_a_load_from_nothing(
    company: str, grown: Settings, most_files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_VERSION_FILES", most_files)
    sizes = set()
    for days, mode in ((2, "incremental"), (20, "full"), (35, "incremental"), (60, "full")):
        later(company, grown, days, mode)
        assert since(grown) is not None
        load(grown)
        added = everything(grown)
        sizes.add(len(added["ats_history.applications"]))
        forget_warehouse(grown)
        load(grown)
        assert everything(grown) == added
    assert len(sizes) == 4


def test_no_table_of_an_earlier_build_stays_beside_newer_rows(company: str, grown: Settings) -> None:
    with warehouse(grown, read_only=False) as con:
        con.execute("CREATE SCHEMA recruiting")
        con.execute("CREATE TABLE recruiting.fct_application AS SELECT 1 AS one")
        con.execute("CREATE VIEW recruiting.who_waits AS FROM recruiting.fct_application")
    later(company, grown, 3)
    assert since(grown) is not None
    load(grown)
    assert "recruiting.fct_application" not in everything(grown)


def _written_anew(_company: str, settings: Settings) -> Settings:
    """As an upgrade does it."""
    lake = open_lake(settings.lake)
    newest = lake.newest()
    assert newest is not None
    with scratch(settings.builds, "1GB") as con:
        write_anew(con, lake.path, MODELS["candidates"], newest.files, newest.sync_id)
    lake.commit(newest)
    return settings


def _restored(company: str, settings: Settings) -> Settings:
    copy = settings.lake.with_name("backup")
    shutil.copytree(settings.lake, copy)
    later(company, settings, 4)
    load(settings)
    shutil.rmtree(settings.lake)
    copy.rename(settings.lake)
    later(company, settings, 5)
    return settings


def _other_key(_company: str, settings: Settings) -> Settings:
    return with_key(settings, "another key for tests")


def _killed(_company: str, settings: Settings) -> Settings:
    settings.warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"half a statement")
    return settings


def _older(_company: str, settings: Settings) -> Settings:
    with warehouse(settings, read_only=False) as con:
        con.execute("DROP SCHEMA loading CASCADE")
    return settings


def _broken(_company: str, settings: Settings) -> Settings:
    settings.warehouse.write_bytes(b"no database")
    return settings


@pytest.mark.parametrize("change", [_written_anew, _restored, _other_key, _killed, _older, _broken])
def test_it_begins_from_nothing_where_it_can_not_know_what_there_is(
    company: str, grown: Settings, change: Callable[[str, Settings], Settings]
) -> None:
    settings = change(company, grown)
    assert since(settings) is None
    load(settings)
    made = everything(settings)
    forget_warehouse(settings)
    load(settings)
    assert everything(settings) == made
    assert since(settings) is not None


def test_a_column_of_another_tier_is_loaded_from_nothing(grown: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert since(grown) is not None
    monkeypatch.setattr(growth, "MODELS", {name: model for name, model in growth.MODELS.items() if name != "tags"})
    assert since(grown) is None


def test_a_warehouse_that_lost_rows_is_made_anew(company: str, grown: Settings) -> None:
    with warehouse(grown, read_only=False) as con:
        con.execute("DELETE FROM ats_history.jobs WHERE id = (SELECT min(id) FROM ats_history.jobs)")
    later(company, grown, 3)
    assert since(grown) is not None
    load(grown)
    made = everything(grown)
    forget_warehouse(grown)
    load(grown)
    assert everything(grown) == made


def test_it_does_not_grow_beyond_its_rows(company: str, grown: Settings) -> None:
    """What each build drops is used again."""
    sizes = []
    for day in range(1, 9):
        with warehouse(grown, read_only=False) as con:
            con.execute("CREATE SCHEMA recruiting")
            con.execute("CREATE TABLE recruiting.mart AS SELECT md5(i::VARCHAR) AS text FROM range(200000) AS t(i)")
        later(company, grown, day)
        load(grown)
        sizes.append(grown.warehouse.stat().st_size)
    assert max(sizes) < 2 * sizes[0]


def test_the_warehouse_has_no_personal_column(grown: Settings) -> None:
    with duckdb.connect(str(grown.warehouse), read_only=True) as con:
        columns = set(con.execute("SELECT schema_name, table_name, column_name FROM duckdb_columns()").fetchall())
        tables = set(con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall())
    personal = [(name, column.name) for name, model in MODELS.items() for column in model.personal]
    assert personal
    for model, column in personal:
        assert ("ats_personal", model, column) in columns  # a view
        assert not {("ats", model, column), ("ats_history", model, column)} & columns
    assert not [name for schema, name in tables if schema == "ats_personal"]
