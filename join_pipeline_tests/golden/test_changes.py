"""A release that changes columns: every golden lake is read, synced, compacted, replayed and loaded by it.

Each change is made in the declaration of a model, as a release would make it: the format goes up, and a column comes,
is widened, is dropped or moves to another tier.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.errors import LakeError
from join_pipeline.lake import compaction, formats, record, records
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.record import FORMAT, LakeFile, SyncRecord
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.models.rows import Mapped
from join_pipeline.models.types import NUMBER, TEXT, Column, Tier
from join_pipeline.sources.join import source as join_source
from join_pipeline.sources.kombo import source as kombo_source
from join_pipeline_tests.golden.golden_lakes import Copy, Golden, cases, redeclared
from join_pipeline_tests.golden.reader import broken, newest_record, versions
from join_pipeline_tests.golden.test_golden_lakes import replayed, synced, written
from join_pipeline_tests.simulation.modelled import modelled

NEXT = FORMAT + 1
NEW = Column("notice_period", TEXT, "How long the candidate is bound elsewhere", since=NEXT)


# the oldest format needs most, and columns change alike whatever the source
@pytest.fixture(params=cases(slow=lambda golden: (golden.format, golden.company.source) != (1, "join")))
def golden(request: pytest.FixtureRequest) -> Golden:
    found: Golden = request.param
    return found


@pytest.fixture
def copy(golden: Golden, tmp_path: Path) -> Copy:
    """A copy as the present release has it: what that upgrades is no part of the next change."""
    copy = golden.unpack(tmp_path)
    upgraded(copy)
    return copy


@pytest.fixture(autouse=True)
def _next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a release does that changes columns: it raises the format."""
    for module in (record, records, formats):
        monkeypatch.setattr(module, "FORMAT", NEXT)
    monkeypatch.setattr(formats, "UPGRADES", {**formats.UPGRADES, FORMAT: lambda _: None})
    defaults = {field.name: field.default for field in msgspec.structs.fields(record.LakeFile)}
    assert defaults["format"] == FORMAT


@pytest.fixture
def _new_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """… and its mapping fills the new column of some applications: those whose id is even in its last digit."""
    for module, kind in ((join_source, join_source.JoinMapper), (kombo_source, kombo_source.KomboMapper)):
        _fill(monkeypatch, module, kind)


def _fill(monkeypatch: pytest.MonkeyPatch, module: Any, kind: Any) -> None:
    mapped_before = kind.map

    def mapped(self: Any, feed: str, text: str) -> Mapped:
        found = mapped_before(self, feed, text)
        for rows in (found.rows, found.endings):
            for row in rows.get("applications", ()):
                row[NEW.name] = "three months" if has_value(row["id"]) else None
        return found

    monkeypatch.setattr(kind, "map", mapped)
    source = module.JoinSource if hasattr(module, "JoinSource") else module.KomboSource
    monkeypatch.setattr(source, "mapping_version", source.mapping_version + 1)


def has_value(record_id: str) -> bool:
    return ord(record_id[-1]) % 2 == 0


def files_of(copy: Copy, model: str) -> list[LakeFile]:
    newest = copy.open().newest()
    assert newest is not None
    return [*newest.files.models.get(model, []), *newest.files.personal.get(model, [])]


@contextlib.contextmanager
def history(copy: Copy) -> Iterator[duckdb.DuckDBPyConnection]:
    """What load makes of the lake."""
    pipeline.load(copy.settings())
    with duckdb.connect(str(copy.settings().warehouse), read_only=True) as con:
        yield con


def upgraded(copy: Copy) -> list[str]:
    settings = copy.settings()
    return upgrade(copy.open(), settings.builds, settings.memory_limit)


def test_a_new_column_is_null_and_an_upgrade_alone_writes_nothing(golden: Golden, copy: Copy) -> None:
    before = (copy.path / "syncs").stat().st_mtime_ns
    with redeclared("applications", lambda fields: (*fields, NEW)):
        assert upgraded(copy) == []
        assert (copy.path / "syncs").stat().st_mtime_ns == before
        with history(copy) as con:
            assert con.execute(f"SELECT count({NEW.name}) FROM ats_history.applications").fetchall() == [(0,)]
        assert written(synced(copy)) == {}
    assert broken(copy.path, golden.expected) == []


@pytest.mark.usefixtures("_new_mapping")
def test_a_record_with_a_value_for_it_gets_one_version_by_the_mapping(copy: Copy) -> None:
    with redeclared("applications", lambda fields: (*fields, NEW)):
        live = {row["id"] for row in versions(copy.path)["applications"]}
        first = mapped_anew(copy)
        assert written(synced(copy)) == {}
        with history(copy) as con:
            new = con.execute(
                "SELECT id, reason, notice_period FROM ats_history.applications WHERE list_contains(?, sync_id)",
                [first],
            ).fetchall()
        assert {(reason, value) for _, reason, value in new} == {("mapping", "three months")}
        assert {record_id for record_id, *_ in new} <= {record_id for record_id in live if has_value(record_id)}
        assert len(new) == len({record_id for record_id, *_ in new})


@pytest.mark.usefixtures("_new_mapping")
def test_a_version_by_the_mapping_makes_no_event(golden: Golden, copy: Copy) -> None:
    with redeclared("applications", lambda fields: (*fields, NEW)):
        mapped_anew(copy)
        n_events = count_events(copy)
    assert n_events == count_events(golden.unpack(copy.data / "untouched"))


def mapped_anew(copy: Copy) -> list[str]:
    """The syncs, of an incremental and a full one, that write versions by the new mapping. Both may list some."""
    found = [record.sync_id for record in synced(copy) if record.models["applications"].versions]
    assert found
    return found


def count_events(copy: Copy) -> int:
    with modelled(copy.path, "fct_application_stage_event", kind="TABLE") as con:
        return int(con.execute("SELECT count(*) FROM recruiting.fct_application_stage_event").fetchall()[0][0])


@pytest.mark.usefixtures("_new_mapping")
def test_kept_raw_fills_a_new_column(copy: Copy) -> None:
    with redeclared("applications", lambda fields: (*fields, NEW)):
        replayed(copy)
        with history(copy) as con:
            rows = con.execute(
                """SELECT arg_max(notice_period, sync_id), id FROM ats_history.applications
                WHERE remote_deleted_at IS NULL GROUP BY id"""
            ).fetchall()
            reasons = con.execute(
                "SELECT DISTINCT reason FROM ats_history.applications WHERE notice_period IS NOT NULL"
            ).fetchall()
        assert {record_id for value, record_id in rows if value} <= {one for _, one in rows if has_value(one)}
        assert sum(value is not None for value, _ in rows) > 1
        assert ("mapping",) in reasons
        assert replayed(copy).n_different == 0
        assert written(synced(copy)[1:]) == written([])


def widened(fields: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(replace(column, type=NUMBER) if column.name == "index" else column for column in fields)


def test_a_wider_type_writes_the_files_anew_and_no_version(golden: Golden, copy: Copy) -> None:
    with redeclared("job_application_stages", widened):
        assert upgraded(copy) == ["job_application_stages"]
        for file in files_of(copy, "job_application_stages"):
            assert pq.read_schema(copy.path / file.path).field("index").type == pa.float64()
        assert upgraded(copy) == []
        assert written(synced(copy)) == {}
        assert replayed(copy).n_different == 0
        with history(copy) as con:
            kind = con.execute("SELECT DISTINCT typeof(index) FROM ats_history.job_application_stages").fetchall()
    assert kind == [("DOUBLE",)]
    assert [one for one in broken(copy.path, golden.expected) if "content_hash" not in one] == []


def test_a_dropped_column_leaves_the_disk_and_writes_no_version(golden: Golden, copy: Copy) -> None:
    with redeclared("jobs", lambda fields: tuple(column for column in fields if column.name != "experience_level")):
        assert upgraded(copy) == ["jobs"]
        assert all(
            "experience_level" not in pq.read_schema(copy.path / file.path).names for file in files_of(copy, "jobs")
        )
        assert written(synced(copy)) == {}
        assert replayed(copy).n_different == 0
    complaints = [
        one for one in broken(copy.path, golden.expected, but=["experience_level"]) if "content_hash" not in one
    ]
    assert complaints == []


def moved(name: str, tier: Tier) -> Any:
    def change(fields: tuple[Column, ...]) -> tuple[Column, ...]:
        return tuple(replace(one, tier=tier, moved=NEXT) if one.name == name else one for one in fields)

    return change


def test_a_column_that_becomes_personal_leaves_every_version_file_at_the_next_command(
    golden: Golden, copy: Copy
) -> None:
    values = {row["id"]: row.get("name") for row in versions(copy.path)["jobs"]}
    assert any(values.values())
    with redeclared("jobs", moved("name", Tier.PERSONAL)):
        pipeline.load(copy.settings())  # any command that works on the lake
        newest = copy.open().newest()
        assert newest is not None
        on_disk = {path for path in (copy.path / "models" / "jobs").glob("*.parquet") if "personal" not in path.name}
        assert on_disk == {copy.path / file.path for file in newest.files.models["jobs"]}
        assert all("name" not in pq.read_schema(path).names for path in on_disk)
        for name in filter(None, values.values()):
            assert all(name.encode() not in path.read_bytes() for path in on_disk)
        personal = [
            row for file in newest.files.personal["jobs"] for row in pq.read_table(copy.path / file.path).to_pylist()
        ]
        assert {row["name"] for row in personal} <= set(values.values())
        assert len(personal) == golden.expected["jobs"]["live"]
        assert written(synced(copy)) == {}


def test_a_column_that_is_personal_no_longer_lies_in_the_version_files(golden: Golden, copy: Copy) -> None:
    personal = {row["id"]: row["first_name"] for row in versions(copy.path)["candidates"] if row.get("first_name")}
    with redeclared("candidates", moved("first_name", Tier.PSEUDONYMOUS)):
        assert upgraded(copy) == ["candidates"]
        newest = copy.open().newest()
        assert newest is not None
        rows = [
            row
            for file in newest.files.models["candidates"]
            for row in pq.read_table(copy.path / file.path).to_pylist()
        ]
        kept = list(newest.files.personal["candidates"])
        assert all("first_name" not in pq.read_schema(copy.path / file.path).names for file in kept)
        assert {row["id"]: row["first_name"] for row in rows if row["first_name"]} == personal
        assert written(synced(copy)) == {}


def test_an_upgrade_that_is_cut_off_leaves_the_lake_as_it_was(
    golden: Golden, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(_self: Lake, _record: SyncRecord) -> None:
        raise KeyboardInterrupt

    with redeclared("job_application_stages", widened):
        with monkeypatch.context() as patch:
            patch.setattr(Lake, "commit", cut_off)
            with pytest.raises(KeyboardInterrupt):
                upgraded(copy)
        assert broken(copy.path, golden.expected) == []
        assert upgraded(copy) == ["job_application_stages"]


def test_changed_lakes_are_compacted_and_replayed(golden: Golden, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MOST_VERSION_FILES", 1)
    with redeclared("candidates", lambda fields: (*fields, NEW)):
        synced(copy)
        files = newest_record(copy.path)["files"]["models"]["candidates"]
        assert len(files) == 1
        assert NEW.name in pq.read_schema(copy.path / files[0]["path"]).names
        assert replayed(copy).n_different == 0
    assert broken(copy.path, golden.expected) == []


def test_a_lake_of_a_newer_release_is_refused_by_name_and_left_alone(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redeclared("job_application_stages", widened):
        upgraded(copy)
    before = {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()}
    monkeypatch.undo()
    with pytest.raises(LakeError, match=rf"has format {NEXT}.*formats up to {FORMAT}\. Upgrade join-pipeline"):
        pipeline.build(copy.settings())
    with pytest.raises(LakeError, match=f"has format {NEXT}"):
        open_lake(copy.path).records()
    assert {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()} == before


def test_a_file_that_lost_a_column_is_named(golden: Golden, tmp_path: Path) -> None:
    copy = golden.unpack(tmp_path)
    file = files_of(copy, "application_stages")[0]
    # a lake whose records have digests knows sooner that the file is another one
    fault = "lacks the column name" if file.digest is None else "has .* bytes instead of"
    table = pq.read_table(copy.path / file.path)
    (copy.path / file.path).chmod(0o600)
    pq.write_table(table.drop_columns(["name"]), copy.path / file.path)
    with pytest.raises(LakeError, match=rf"{Path(file.path).name} {fault}.*Restore the lake"):
        pipeline.load(copy.settings())
