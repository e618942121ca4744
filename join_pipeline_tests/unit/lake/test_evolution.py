"""Evolution: files of any release are read as today's columns, and files that can't be read are reported by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.errors import LakeError
from join_pipeline.lake.evolution import (
    KEYS,
    Fault,
    faults,
    misplaced,
    moved_relation,
    personal_relation,
    versions_relation,
)
from join_pipeline.lake.record import LakeFile
from join_pipeline.models import Column, Model
from join_pipeline.models.types import FLAG, INSTANT, NUMBER, PHONES, TEXT, TEXTS, WHOLE, Tier

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROW = {"id": "r", "sync_id": "s"}
SHORT = pa.struct([("city", TEXT)])
LONG = pa.struct([("city", TEXT), ("zip_code", TEXT)])
CON = duckdb.connect()
CON.execute("SET TimeZone = 'UTC'")


def model(*fields: Column) -> Model:
    return Model("things", "", fields, "")


def rows(relation: str) -> list[dict[str, Any]]:
    found = CON.execute(f"FROM {relation}")
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@dataclass
class Folder:
    """A lake's folder, into which files of any columns are written."""

    path: Path
    n: int = 0

    def versions(self, of: Model, found: Mapping[str, tuple[pa.DataType, Any] | None], written_in: int = 1) -> LakeFile:
        """A version file of one row: the model's columns, and those of `found` as they are told, or without."""
        return self._write({column.name: (column.type, ROW.get(column.name)) for column in of.plain}, found, written_in)

    def personal(self, of: Model, found: Mapping[str, tuple[pa.DataType, Any] | None], written_in: int = 1) -> LakeFile:
        declared = (*KEYS, *of.personal)
        return self._write({column.name: (column.type, ROW.get(column.name)) for column in declared}, found, written_in)

    def damaged(self, content: bytes) -> LakeFile:
        file = self._next(1)
        (self.path / file.path).write_bytes(content)
        return file

    def _write(self, columns: dict[str, Any], found: Mapping[str, Any], written_in: int) -> LakeFile:
        there = {name: told for name, told in (columns | dict(found)).items() if told is not None}
        schema = pa.schema([(name, kind) for name, (kind, _) in there.items()])
        file = self._next(written_in)
        pq.write_table(
            pa.Table.from_pylist([{name: v for name, (_, v) in there.items()}], schema), self.path / file.path
        )
        return file

    def _next(self, written_in: int) -> LakeFile:
        self.n += 1
        return LakeFile(path=f"{self.n}.parquet", sync_id="s", format=written_in)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# Versions and personal files


def test_a_file_with_the_declared_columns_is_read_as_it_is(folder: Folder) -> None:
    of = model(Column("count", WHOLE, ""))
    file = folder.versions(of, {"count": (WHOLE, 7)})
    (row,) = rows(versions_relation(folder.path, of, [file]))
    assert (row["id"], row["count"]) == ("r", 7)
    assert list(row) == [column.name for column in of.plain]
    assert faults(folder.path, of, [file], []) == set()


@pytest.mark.parametrize(
    ("declared", "written", "value"),
    [
        (TEXT, pa.large_string(), "x"),
        (TEXT, pa.string_view(), "x"),
        (INSTANT, pa.timestamp("us", tz="Europe/Berlin"), NOON),
        (TEXTS, pa.large_list(pa.large_string()), ["x"]),
        (pa.list_(SHORT), pa.list_(pa.struct([("city", pa.large_string())])), [{"city": "Bern"}]),
    ],
    ids=lambda value: str(value) if isinstance(value, pa.DataType) else "",
)  # fmt: skip
def test_another_name_of_the_same_type_is_no_difference(
    folder: Folder, declared: pa.DataType, written: pa.DataType, value: Any
) -> None:
    of = model(Column("value", declared, ""))
    file = folder.versions(of, {"value": (written, value)})
    assert [row["value"] for row in rows(versions_relation(folder.path, of, [file]))] == [value]
    assert faults(folder.path, of, [file], []) == set()


def test_a_column_that_is_newer_than_the_file_is_null_and_nothing_need_be_written_anew(folder: Folder) -> None:
    of = model(
        Column("name", TEXT, ""), Column("color", TEXT, "", since=3), Column("phone", TEXT, "", Tier.PERSONAL, since=3)
    )
    old = folder.versions(of, {"color": None, "name": (TEXT, "old")}, written_in=2)
    new = folder.versions(of, {"color": (TEXT, "red"), "name": (TEXT, "new")}, written_in=3)
    found = {row["name"]: row["color"] for row in rows(versions_relation(folder.path, of, [old, new]))}
    assert found == {"old": None, "new": "red"}
    personal = folder.personal(of, {"phone": None}, written_in=2)
    assert rows(personal_relation(folder.path, of, [personal])) == [{"id": "r", "sync_id": "s", "phone": None}]
    assert faults(folder.path, of, [old, new], [personal]) == set()


def test_a_column_that_its_file_should_have_is_told_by_name(folder: Folder) -> None:
    of = model(Column("color", TEXT, "", since=2), Column("phone", TEXT, "", Tier.PERSONAL))
    file = folder.versions(of, {"color": None}, written_in=2)
    told = r"2\.parquet lacks the column phone, which things has had since format 1.*written in format 1\. Restore"
    with pytest.raises(
        LakeError, match=r"1\.parquet lacks the column color.*since format 2.*Restore the lake from its backup"
    ):
        versions_relation(folder.path, of, [file])
    with pytest.raises(LakeError, match=told):
        personal_relation(folder.path, of, [folder.personal(of, {"phone": None})])


@pytest.mark.parametrize(
    ("narrow", "value", "wide", "read"),
    [
        (pa.int8(), 7, pa.int16(), 7),
        (pa.int16(), 7, pa.int32(), 7),
        (pa.int32(), -7, WHOLE, -7),
        (pa.int32(), 7, NUMBER, 7.0),
        (WHOLE, 2**53, NUMBER, float(2**53)),
        (WHOLE, 7, TEXT, "7"),
        (pa.float32(), 0.5, NUMBER, 0.5),
        (NUMBER, 0.5, TEXT, "0.5"),
        (FLAG, True, TEXT, "true"),
        (SHORT, {"city": "Bern"}, LONG, {"city": "Bern", "zip_code": None}),
        (pa.list_(pa.int32()), [7, None], pa.list_(WHOLE), [7, None]),
        (pa.list_(SHORT), [{"city": "Bern"}], pa.list_(LONG), [{"city": "Bern", "zip_code": None}]),
        (WHOLE, None, TEXT, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_column_of_a_narrower_type_is_cast_and_its_file_written_anew(
    folder: Folder, narrow: pa.DataType, value: Any, wide: pa.DataType, read: Any
) -> None:
    of = model(Column("value", wide, ""))
    file = folder.versions(of, {"value": (narrow, value)})
    assert [row["value"] for row in rows(versions_relation(folder.path, of, [file]))] == [read]
    assert faults(folder.path, of, [file], []) == {Fault.TYPE}


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        (TEXT, WHOLE),
        (TEXT, FLAG),
        (WHOLE, pa.int32()),
        (NUMBER, WHOLE),
        (NUMBER, pa.float32()),
        (FLAG, WHOLE),
        (INSTANT, TEXT),
        (pa.timestamp("us"), INSTANT),
        (LONG, SHORT),
        (pa.struct([("city", TEXT)]), pa.struct([("city", WHOLE)])),
        (TEXTS, TEXT),
        (TEXT, TEXTS),
        (pa.list_(TEXT), pa.list_(WHOLE)),
    ],
    ids=str,
)
def test_a_type_whose_values_would_not_all_fit_is_refused_by_name(
    folder: Folder, written: pa.DataType, declared: pa.DataType
) -> None:
    of = model(Column("value", declared, ""))
    file = folder.versions(of, {"value": (written, None)})
    for read in (lambda: versions_relation(folder.path, of, [file]), lambda: faults(folder.path, of, [file], [])):
        with pytest.raises(LakeError, match=r"1\.parquet has the column value as .*Upgrade join-pipeline") as refused:
            read()
        assert f"as {written}; things has it as {declared}" in str(refused.value)


def test_a_column_that_is_not_declared_any_more_is_left_out_and_its_file_written_anew(folder: Folder) -> None:
    of = model(Column("name", TEXT, ""), Column("phone", TEXT, "", Tier.PERSONAL))
    file = folder.versions(of, {"dropped": (TEXT, "x")})
    personal = folder.personal(of, {"dropped": (TEXT, "x")})
    assert "dropped" not in rows(versions_relation(folder.path, of, [file]))[0]
    assert rows(personal_relation(folder.path, of, [personal])) == [{"id": "r", "sync_id": "s", "phone": None}]
    assert faults(folder.path, of, [file], []) == faults(folder.path, of, [], [personal]) == {Fault.DROPPED}


@pytest.mark.parametrize("becomes", [Tier.PERSONAL, Tier.PSEUDONYMOUS], ids=lambda tier: tier.name)
def test_a_column_whose_tier_changed_is_null_until_its_values_are_moved_from_the_other_file(
    folder: Folder, becomes: Tier
) -> None:
    other = Column("phone", TEXT, "", Tier.PERSONAL)
    of = model(other, Column("city", TEXT, "", becomes, moved=2))
    is_personal = becomes is Tier.PERSONAL
    versions = folder.versions(of, {"city": (TEXT, "Bern") if is_personal else None})
    personal = folder.personal(of, {"city": None if is_personal else (TEXT, "Bern")})
    read, wrong = (personal_relation, versions) if is_personal else (versions_relation, personal)
    assert [row["city"] for row in rows(read(folder.path, of, [personal if is_personal else versions]))] == [None]
    assert faults(folder.path, of, [versions], [personal]) == {Fault.TIER}
    city = of.fields[1]
    assert misplaced(folder.path, [other, city], [wrong]) == ((city,) if is_personal else (other, city))
    assert rows(moved_relation(folder.path, [city], [wrong])) == [{"id": "r", "sync_id": "s", "city": "Bern"}]


def test_once_its_file_is_of_the_format_that_moved_it_a_column_must_be_in_it(folder: Folder) -> None:
    of = model(Column("city", TEXT, "", Tier.PERSONAL, moved=2))
    with pytest.raises(LakeError, match="lacks the column city"):
        personal_relation(folder.path, of, [folder.personal(of, {"city": None}, written_in=2)])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table" * 9])
def test_a_damaged_file_is_told_by_its_path_in_one_line(folder: Folder, content: bytes) -> None:
    of = model(Column("name", TEXT, ""))
    file = folder.damaged(content)
    with pytest.raises(LakeError, match=r"1\.parquet can't be read \(.+\)\. Restore it from the backup\.$") as told:
        versions_relation(folder.path, of, [file])
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_told_by_its_path(folder: Folder) -> None:
    gone = LakeFile(path="gone.parquet", sync_id="s")
    with pytest.raises(LakeError, match=r"gone\.parquet can't be read"):
        versions_relation(folder.path, model(), [gone])


def test_without_files_there_are_no_rows_and_all_columns(folder: Folder) -> None:
    of = model(Column("count", WHOLE, ""), Column("phone", PHONES, "", Tier.PERSONAL))
    for relation, names in (
        (versions_relation(folder.path, of, []), [column.name for column in of.plain]),
        (personal_relation(folder.path, of, []), ["id", "sync_id", "phone"]),
    ):
        assert rows(relation) == []
        assert [name for (name, *_) in CON.execute(f"DESCRIBE FROM {relation}").fetchall()] == names
