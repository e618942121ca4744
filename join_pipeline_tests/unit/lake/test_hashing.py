"""The content hash: which columns it covers, and that an added column alone changes no hash."""

import json
from dataclasses import replace
from hashlib import md5
from typing import Any

import duckdb
import pytest

from join_pipeline.lake.hashing import HEAVY, content_hash, light
from join_pipeline.lake.sql import duckdb_type
from join_pipeline.models import MODELS, Column, Model
from join_pipeline.models.types import TEXT, WHOLE

CON = duckdb.connect()
TAGS = MODELS["tags"]


def hash_of(model: Model, **row: str) -> str:
    """The hash of a row whose values are SQL; what is not named is null."""
    types = {column.name: duckdb_type(column.type) for column in model.version_columns}
    query = content_hash(model, lambda name: f"({row.get(name, 'NULL')})::{types[name]}")
    return str(CON.execute(f"SELECT {query}").fetchall()[0][0])


def some(column: Column) -> str:
    """SQL of a value of the column's type that is not null."""
    scalars = {"VARCHAR": "'x'", "BOOLEAN": "true", "DOUBLE": "1.5", "BIGINT": "1"}
    kind = duckdb_type(column.type)
    if kind.endswith("[]"):
        return f"[NULL::{kind[:-2]}]"
    if kind.startswith("STRUCT"):
        return "{" + ", ".join(f"'{field.name}': 'x'" for field in column.type) + "}"
    return scalars.get(kind, "TIMESTAMPTZ '2026-06-01 12:00:00Z'")


def with_columns(*columns: Column, model: Model = TAGS) -> Model:
    return replace(model, fields=(*model.fields, *columns))


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_field_of_a_record_counts_and_so_does_its_part_of_the_payload(model: Model) -> None:
    empty = hash_of(model)
    counted = [*light(model.fields), next(c for c in model.version_columns if c.name == "payload_hash")]
    changed = {column.name: hash_of(model, **{column.name: some(column)}) for column in counted}
    assert empty not in changed.values()
    assert len(set(changed.values())) == len(changed)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_nothing_that_is_of_the_version_and_not_of_its_content_counts(model: Model) -> None:
    counted = {column.name for column in light(model.fields)} | {"payload_hash"}
    others = [column for column in model.version_columns if column.name not in counted]
    assert {"id", "remote_id", "changed_at", "remote_deleted_at", "observed_at", "sync_id", "reason"} <= {
        column.name for column in others
    }
    assert {hash_of(model, **{column.name: some(column)}) for column in others} == {hash_of(model)}


def test_the_payload_itself_does_not_count() -> None:
    row = {"first_name": "'Ada'"}
    assert hash_of(MODELS["candidates"], **row, **{HEAVY: "'{}'"}) == hash_of(MODELS["candidates"], **row)


@pytest.mark.parametrize("digest", [None, "d"])
@pytest.mark.parametrize("name", [None, "", "gut", 'a "quoted" \\ tag', "Müller/🙂", "null"])
def test_the_hash_of_the_first_formats_columns_is_the_one_that_lakes_have(name: str | None, digest: str | None) -> None:
    """Reckoned apart: a hash that changed would write a version of everything."""
    text = json.dumps({"name": name, "payload_hash": digest}, ensure_ascii=False, separators=(",", ":"))
    values: dict[str, Any] = {"name": name, "payload_hash": digest}
    query = content_hash(TAGS, lambda column: f"${column}::VARCHAR")
    assert CON.execute(f"SELECT {query}", values).fetchall() == [
        (md5(text.encode(), usedforsecurity=False).hexdigest(),)
    ]


def test_a_column_of_a_later_format_changes_no_hash_where_it_is_null() -> None:
    longer = with_columns(Column("color", TEXT, "", since=2), Column("weight", WHOLE, "", since=3))
    assert hash_of(longer, name="'x'") == hash_of(TAGS, name="'x'")


def test_a_column_of_a_later_format_counts_where_it_has_a_value() -> None:
    longer = with_columns(Column("color", TEXT, "", since=2), Column("shade", TEXT, "", since=3))
    hashes = [
        hash_of(longer, name="'x'"),
        hash_of(longer, name="'x'", color="'red'"),
        hash_of(longer, name="'x'", color="''"),
        hash_of(longer, name="'x'", shade="'red'"),
        hash_of(longer, name="'x'", color="'red'", shade="'red'"),
        hash_of(longer, name="'x'", color="'red|shade=\"red\"'"),
    ]
    assert len(set(hashes)) == len(hashes)


def test_a_column_of_the_first_format_counts_even_as_null() -> None:
    assert hash_of(with_columns(Column("color", TEXT, ""))) != hash_of(TAGS)
