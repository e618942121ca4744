"""Load: tables with types and keys in a file of its own, stable pseudonyms, and what is known of the syncs."""

import contextlib
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import aside_of
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS
from join_pipeline.pipeline import load
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.kombo.source import KomboSource
from join_pipeline.warehouse.file import forget_warehouse
from join_pipeline.warehouse.load import load_versions
from join_pipeline_tests.cli.commands import KEY, Shell
from join_pipeline_tests.cli.companies import company, without_applications
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.warehouse.readers import holder

INSTANTS = {"changed_at", "remote_deleted_at", "observed_at", "remote_created_at", "remote_updated_at", "opened_at"}
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@contextlib.contextmanager
def warehouse(settings: Settings, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    with contextlib.closing(duckdb.connect(settings.warehouse, read_only=read_only)) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with warehouse(settings) as con:
        return con.execute(query).fetchall()


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that load writes."""
    with warehouse(settings) as con:
        names = con.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
        return {name: con.execute(f"FROM {name} ORDER BY ALL").fetchall() for (name,) in names}


def with_key(settings: Settings, key: str) -> Settings:
    return load_settings(**settings.model_dump(exclude={"pseudonym_key"}), pseudonym_key=key)


def smaller(settings: Settings) -> Settings:
    """The same lake before a company that lost half of its records."""
    return Shell(company(60), settings.data).settings


def pseudonym(key: str, model: str, record_id: str) -> str:
    """A pseudonym by its description: 19 bytes of HMAC-SHA256 as 26 digits of base58."""
    number = int.from_bytes(hmac.digest(key.encode(), f"{model}\n{record_id}".encode(), hashlib.sha256)[:19], "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = BASE58[digit] + digits
    return digits.rjust(26, BASE58[0])


@pytest.mark.parametrize(("schema", "key"), [("ats", ["id"]), ("ats_history", ["id", "sync_id"])])
def test_every_model_is_a_table_with_its_types_and_key(settings: Settings, schema: str, key: list[str]) -> None:
    load(settings)
    keys = rows(
        settings,
        f"""SELECT table_name, constraint_column_names FROM duckdb_constraints()
        WHERE constraint_type = 'PRIMARY KEY' AND schema_name = '{schema}'""",
    )
    assert {name: columns for name, columns in keys if name != "pseudonyms"} == dict.fromkeys(MODELS, key)
    found = rows(
        settings, f"SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = '{schema}'"
    )
    types = {(table, column): kind for table, column, kind in found}
    for model in MODELS.values():
        declared = model.loaded_columns if schema == "ats" else model.plain
        assert {name for table, name in types if table == model.name} == {column.name for column in declared}
        assert not {column.name for column in declared} & {column.name for column in model.personal}
    assert {kind for (_, column), kind in types.items() if column in INSTANTS} == {"TIMESTAMP WITH TIME ZONE"}
    assert {kind for (_, column), kind in types.items() if column.endswith("_id")} == {"VARCHAR"}
    assert "NULL" not in {kind.strip('"') for kind in types.values()}


def test_the_newest_version_of_every_record_is_in_ats_and_all_are_in_history(settings: Settings) -> None:
    other = smaller(settings)
    run_sync(other, "full", accept_loss=["applications", "jobs"])
    loaded = {table.model: table for table in load(other).tables}
    assert loaded["applications"].live < loaded["applications"].rows < loaded["applications"].versions
    for model in MODELS:
        assert rows(other, f"SELECT count(*) FROM ats.{model}") == [(loaded[model].rows,)]
        stale = f"""SELECT count(*) FROM ats.{model} AS a JOIN ats_history.{model} AS h ON h.id = a.id
            WHERE h.sync_id > a.sync_id OR (h.sync_id = a.sync_id AND h.changed_at <> a.changed_at)"""
        assert rows(other, stale) == [(0,)]
        lost = f"SELECT count(*) FROM ats_history.{model} WHERE id NOT IN (SELECT id FROM ats.{model})"
        assert rows(other, lost) == [(0,)]
    ((n_deleted, n_left),) = rows(
        other,
        """SELECT count(*), count(p.id) FROM ats.candidates AS c LEFT JOIN ats_personal.candidates AS p USING (id)
        WHERE c.remote_deleted_at IS NOT NULL""",
    )
    assert n_left == 0 < n_deleted


def test_loading_twice_gives_the_same(settings: Settings) -> None:
    load(settings)
    before = everything(settings)
    load(settings)
    assert everything(settings) == before


@pytest.mark.parametrize("content", [b"no parquet", b""])
def test_a_load_that_fails_leaves_every_old_table(settings: Settings, content: bytes) -> None:
    load(settings)
    before = everything(settings)
    record = run_sync(smaller(settings), "full", accept_loss=["applications", "jobs"])
    last = next(reversed(MODELS))
    broken = settings.lake / record.files.models[last][-1].path
    whole = broken.read_bytes()
    broken.write_bytes(content)
    with pytest.raises(LakeError, match=broken.name):
        load(settings)
    assert everything(settings) == before

    broken.unlink()
    with pytest.raises(LakeError, match=last):
        load(settings)
    assert everything(settings) == before

    broken.write_bytes(whole)
    load(settings)
    assert everything(settings).keys() == before.keys()
    assert everything(settings)["ats.as_of"] == [(record.as_of, record.sync_id)]


def test_pseudonyms_are_kept_and_come_again_from_the_same_key(settings: Settings) -> None:
    load(settings)
    made = rows(settings, "FROM ats.pseudonyms ORDER BY ALL")
    assert {model for model, _, _ in made} == {"applications", "candidates", "users", "tags"}
    for model in ("applications", "candidates", "users", "tags"):
        ids = [record_id for (record_id,) in rows(settings, f"SELECT id FROM ats.{model}")]
        assert sorted(ids) == [record_id for name, record_id, _ in made if name == model]
    assert [text for _, _, text in made] == [pseudonym(KEY, model, record_id) for model, record_id, _ in made]
    assert len({text for _, _, text in made}) == len(made)

    run_sync(smaller(settings), "full", accept_loss=["applications", "jobs"])
    load(settings)
    assert set(made) <= set(rows(settings, "FROM ats.pseudonyms"))
    forget_warehouse(settings)
    load(settings)
    assert set(made) <= set(rows(settings, "FROM ats.pseudonyms"))


def test_who_holds_the_warehouse_open_keeps_it_and_blocks_nobody(settings: Settings) -> None:
    load(settings)
    made = rows(settings, "FROM ats.pseudonyms ORDER BY ALL")
    for read_only in (True, False):
        with holder(settings.warehouse, read_only=read_only) as reader:
            load(settings)
            assert reader.ask("SELECT count(*) FROM ats.pseudonyms") == [[len(made)]]
            assert rows(settings, "FROM ats.pseudonyms ORDER BY ALL") == made


def test_what_a_killed_load_left_is_gone_with_the_next(settings: Settings) -> None:
    load(settings)
    spill = settings.builds / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    aside = aside_of(settings.warehouse)
    left = [aside, aside.with_name(f"{aside.name}.wal"), spill / "x.tmp"]
    for path in left:
        path.write_bytes(b"half a warehouse")
    load(settings)
    assert [path for path in left if path.exists()] == []
    assert sorted(path.name for path in settings.home.iterdir()) == ["builds", "lake", "lock", "warehouse.duckdb"]


def test_another_key_gives_other_pseudonyms_to_everyone(settings: Settings) -> None:
    load(settings)
    made = {(model, record_id): text for model, record_id, text in rows(settings, "FROM ats.pseudonyms")}
    other = with_key(settings, "another key for tests")
    load(other)
    remade = {(model, record_id): text for model, record_id, text in rows(settings, "FROM ats.pseudonyms")}
    assert remade.keys() == made.keys()
    assert not set(remade.values()) & set(made.values())
    load(settings)
    assert {(model, record_id): text for model, record_id, text in rows(settings, "FROM ats.pseudonyms")} == made


def test_the_key_is_not_in_the_warehouse(settings: Settings) -> None:
    load(settings)
    assert KEY.encode() not in settings.warehouse.read_bytes()


def test_as_of_and_the_log_are_those_of_the_committed_syncs(settings: Settings) -> None:
    run_sync(settings, "incremental")
    with without_applications():
        assert run_sync(settings, "full").verdict == "guarded"
    load(settings)
    records = open_lake(settings.lake).records()
    assert rows(settings, "SELECT as_of, sync_id FROM ats.as_of") == [(records[-1].as_of, records[-1].sync_id)]
    logged = rows(
        settings,
        """SELECT sync_id, mode, verdict, started_at, finished_at, as_of, is_applications_whole, previous_sync_id,
            n_requests, n_unannounced, mapping_version
        FROM ats_history.syncs ORDER BY sync_id""",
    )
    assert [(row[0], row[1], row[2], row[6], row[7]) for row in logged] == [
        (records[0].sync_id, "full", "committed", True, None),
        (records[1].sync_id, "incremental", "committed", True, records[0].sync_id),
        (records[2].sync_id, "full", "guarded", False, records[1].sync_id),
    ]
    for row, record in zip(logged, records, strict=True):
        assert row[3:6] == (record.started_at, record.finished_at, record.as_of)
        assert row[3] <= row[5]
        assert row[8:] == (record.n_requests, record.n_unannounced, record.mapping_version)


def test_what_each_sync_counted_is_there(settings: Settings) -> None:
    record = run_sync(settings, "full")
    load(settings)
    found = rows(settings, "SELECT sync_id, scope, name, n FROM ats_history.sync_counts")
    counts = {(sync_id, scope, name): n for sync_id, scope, name, n in found}
    assert len(counts) == len(found)
    for feed, figures in record.feeds.items():
        assert counts[record.sync_id, feed, "records"] == figures.records
        assert counts[record.sync_id, feed, "quarantined"] == 0
    assert counts[record.sync_id, "applications", "not_proved"] == int(record.last_full is None)
    (live,) = rows(settings, "SELECT count(*) FROM ats.applications WHERE remote_deleted_at IS NULL")[0]
    assert counts[record.sync_id, "applications", "live"] == live
    assert counts[record.previous or "", "applications", "new"] == live
    assert counts[record.sync_id, "applications", "new"] == 0


def test_what_the_words_of_the_source_for_states_mean_is_a_table(settings: Settings) -> None:
    load(settings)
    assert rows(settings, "SELECT state, milestone, is_initial FROM ats.application_states ORDER BY ALL") == [
        ("ACTIVE", None, False),
        ("APPLIED", None, True),
        ("HIRED", None, False),
        ("OFFER", "OFFER", False),
        ("REJECTED", None, False),
    ]


def test_a_source_without_such_words_has_none_in_the_table(settings: Settings) -> None:
    with contextlib.closing(duckdb.connect()) as con:
        load_versions(open_lake(settings.lake), con, KEY.encode(), settings.warehouse, KomboSource.application_states)
        assert con.execute("FROM ats.application_states").fetchall() == []
