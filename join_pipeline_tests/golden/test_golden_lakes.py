"""Today's code reads, loads, publishes, syncs, compacts and replays the lakes that earlier releases wrote.

It loses no version and writes none anew. What the lakes hold is read a second way, with pyarrow alone (reader), and was
noted when they were written.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.lake import compaction
from join_pipeline.lake.files import locked
from join_pipeline.lake.record import FORMAT, SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.models.types import Column
from join_pipeline.sources.registry import open_source
from join_pipeline.sync.replay import Replayed
from join_pipeline_tests.golden.company import as_it_was, read
from join_pipeline_tests.golden.golden_lakes import Copy, Golden, cases, golden_lakes, redeclared
from join_pipeline_tests.golden.reader import (
    BECAME_PERSONAL,
    Row,
    broken,
    live,
    newest,
    newest_record,
    told,
    versions,
)
from join_pipeline_tests.syncing import replay
from join_pipeline_tests.whole_rows import whole

MODES = ("incremental", "full")
SHARED_BY_PARENTS = {
    "application_stages",
    "job_application_stages",
    "screening_questions",
    "job_screening_questions",
    "users",
}


@pytest.fixture(params=golden_lakes(), ids=lambda golden: golden.folder.name, scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    found: Golden = request.param
    return found


@pytest.fixture
def copy(golden: Golden, tmp_path: Path) -> Copy:
    return golden.unpack(tmp_path)


@pytest.fixture(params=cases(slow=lambda golden: golden.format < FORMAT or golden.mapping == 1), scope="module")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy from which everything was built; tests only look at it. Older formats are changed and loaded elsewhere."""
    copy: Copy = request.param.unpack(tmp_path_factory.mktemp("built"))
    pipeline.build(copy.settings())
    return copy


def synced(copy: Copy, **changes: Any) -> list[SyncRecord]:
    """An incremental and a full sync of the company as it was when the lake was written."""
    with as_it_was(copy.company) as account:
        return [read(account, copy.settings(account.url, **changes), mode) for mode in MODES]


def replayed(copy: Copy) -> Replayed:
    settings = copy.settings()
    with locked(settings.home):
        return replay(settings, copy.open())


def written(records: list[SyncRecord]) -> dict[str, int]:
    return {name: model.versions for record in records for name, model in record.models.items() if model.versions}


def rows_of(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    return [told(dict(zip(names, row, strict=True))) for row in found.fetchall()]


@contextlib.contextmanager
def warehouse(copy: Copy) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(copy.settings().warehouse), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def test_there_is_a_golden_lake_of_every_source() -> None:
    assert {golden.company.source for golden in golden_lakes()} == {"join", "kombo"}


@pytest.mark.parametrize("source", ["join", "kombo"])
def test_there_is_one_by_the_present_mapping_which_set_records_aside(source: str, tmp_path: Path) -> None:
    golden = max((one for one in golden_lakes() if one.company.source == source), key=lambda one: one.mapping)
    copy = golden.unpack(tmp_path)
    newest = copy.open().newest()
    assert newest is not None
    assert newest.mapping_version == golden.mapping == open_source(copy.settings()).mapping_version
    assert newest.files.quarantine["applications"]


def test_it_opens_with_all_its_syncs_and_holds_what_was_noted_of_it(golden: Golden, copy: Copy) -> None:
    records = copy.open().records()
    assert len(records) > len(list((copy.path / "syncs").glob("[0-9]*.json")))  # the rest is folded
    assert records[-1].sync_id == newest_record(copy.path)["sync_id"]
    assert {record.verdict for record in records} == {"committed", "guarded"}
    assert any(feed.quarantined for record in records for feed in record.feeds.values())
    assert records[-1].pending
    assert broken(copy.path, golden.expected) == []


def test_all_its_versions_are_loaded_value_for_value(built: Copy) -> None:
    expected = versions(built.path)
    with warehouse(built) as con:
        for name in MODELS:
            loaded = rows_of(con, f"FROM ats_history.{name} ORDER BY id, sync_id")
            plain = {column.name for column in MODELS[name].plain}
            assert loaded == [{k: v for k, v in row.items() if k in plain} for row in expected.get(name, [])], name


def test_the_newest_version_of_each_record_is_its_present(built: Copy) -> None:
    expected = versions(built.path)
    with warehouse(built) as con:
        for name, model in MODELS.items():
            shown = {column.name for column in model.columns} | {"observed_at", "sync_id"}
            present = [{k: v for k, v in row.items() if k in shown} for row in newest(expected.get(name, []))]
            assert rows_of(con, f"FROM {whole(name)} ORDER BY id") == present, name


def test_it_is_published_with_every_application(built: Copy) -> None:
    applications = versions(built.path)["applications"]
    with duckdb.connect(str(built.settings().published), read_only=True) as con:
        n_all, n_live = con.execute("SELECT count(*), count(*) FILTER (NOT is_deleted) FROM fct_application").fetchone()
    assert (n_all, n_live) == (len(newest(applications)), len(live(applications)))


def test_a_sync_of_a_company_that_stood_still_writes_no_version(golden: Golden, copy: Copy) -> None:
    records = synced(copy)
    assert written(records) == {}
    assert [record.verdict for record in records] == ["committed", "committed"]
    assert broken(copy.path, golden.expected) == []


def test_kept_raw_gives_the_same_versions_again(golden: Golden, copy: Copy) -> None:
    before, mapping = present(copy), newest_record(copy.path)["mapping_version"]
    written_before = written_in(copy)
    again = replayed(copy)
    assert again.n_syncs > 2
    assert again.n_versions == sum(len(rows) for rows in versions(copy.path).values())
    assert present(copy) == before
    if mapping == open_source(copy.settings()).mapping_version:
        assert again.n_different == 0
        assert broken(copy.path, golden.expected) == []
    else:
        # mapping 2 reads what the first set aside: the history has it some syncs earlier. By mapping 3 of JOIN an older
        # parent takes nothing from a newer one: what it took for some syncs is gone, or was never taken
        assert 0 < again.n_different < 0.1 * again.n_versions
        if mapping == 2:
            assert {model for model, _, _ in written_before ^ written_in(copy)} <= SHARED_BY_PARENTS


def written_in(copy: Copy) -> set[tuple[str, str, str]]:
    """Which sync wrote a version of which record, by model."""
    return {(model, row["id"], row["sync_id"]) for model, rows in versions(copy.path).items() for row in rows}


def present(copy: Copy) -> dict[tuple[str, str], str]:
    """The content of each record's newest version, by model and id."""
    found = versions(copy.path)
    return {(model, row["id"]): row["content_hash"] for model in found for row in newest(found[model])}


def test_compaction_keeps_every_version(golden: Golden, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    before = newest_record(copy.path)["files"]["models"]
    assert any(len(paths) > 1 for paths in before.values())
    monkeypatch.setattr(compaction, "MOST_VERSION_FILES", 1)
    synced(copy)
    assert {len(paths) for paths in newest_record(copy.path)["files"]["models"].values()} == {1}
    assert broken(copy.path, golden.expected) == []


def test_what_was_synced_and_compacted_is_replayed_the_same(
    golden: Golden, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_VERSION_FILES", 1)
    synced(copy)
    assert replayed(copy).n_different == 0
    assert broken(copy.path, golden.expected) == []


@pytest.mark.parametrize("golden", cases(slow=lambda one: (one.format, one.company.source) != (1, "join")))
def test_words_about_people_leave_the_version_files_with_the_first_command(golden: Golden, copy: Copy) -> None:
    """… and no live record loses its words, nor any version anything else of tier 1."""
    before = versions(copy.path)
    pipeline.load(copy.settings())
    after = versions(copy.path)
    for model, words in BECAME_PERSONAL.items():
        assert live(after[model]) == live(before[model])
        personal = {column.name for column in MODELS[model].personal}
        assert words <= personal
        plain = [[without(row, personal) for row in found[model]] for found in (before, after)]
        assert plain[0] == plain[1]
        on_disk = {path for path in (copy.path / "models" / model).glob("*.parquet") if "personal" not in path.name}
        assert on_disk
        assert not any(words & set(pq.read_schema(path).names) for path in on_disk)


def without(row: Row, words: set[str]) -> Row:
    return {name: value for name, value in row.items() if name not in words}


def test_another_description_of_a_column_writes_nothing(golden: Golden, copy: Copy) -> None:
    def described(fields: tuple[Column, ...]) -> tuple[Column, ...]:
        return tuple(replace(column, doc=f"{column.doc}, in other words") for column in fields)

    with redeclared("jobs", described):
        assert written(synced(copy)) == {}
        assert replayed(copy).n_different == 0
    assert broken(copy.path, golden.expected) == []
