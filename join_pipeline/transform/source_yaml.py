"""dbt's YAML of its sources, made from the declarations of models and load, so that each column is described once.

`make generated` writes it.
Belongs here: turning declarations into YAML. Not here: the declarations (models, warehouse/tables), staging models.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from join_pipeline.lake.sql import duckdb_type
from join_pipeline.models import MODELS, Column, Model
from join_pipeline.models.types import TEXT
from join_pipeline.warehouse.tables import BESIDE

HEAD: Final = "# Made by `make generated` from join_pipeline/models and join_pipeline/warehouse/tables.py.\n"
FILES: Final = {
    "ats": "_ats__sources.yml",
    "ats_history": "_ats_history__sources.yml",
    "ats_personal": "_ats_personal__sources.yml",
}
DOCS: Final = {
    "ats": "The newest version of every record, deleted ones too, as load writes it",
    "ats_history": "All versions of every record, and the syncs that wrote them, as load writes them",
    "ats_personal": "Views of the newest personal columns. They read the lake, so that the warehouse holds none",
}
ID: Final = Column("id", TEXT, "The record")


def source_files() -> dict[str, str]:
    """The text of each file in dbt_project/models/staging/ats, by name."""
    return {file: "\n".join([HEAD + "sources:", *_source(schema), ""]) for schema, file in FILES.items()}


def _source(schema: str) -> Iterator[str]:
    yield f"  - name: {schema}"
    yield f"    schema: {schema}"
    yield f"    description: {DOCS[schema]}"
    yield "    tables:"
    for model in MODELS.values():
        if schema != "ats_personal" or model.personal:
            yield from _model(schema, model)
    for table in BESIDE:
        if table.schema == schema:
            yield from _table(table.name, table.doc, table.columns, table.key)


def _model(schema: str, model: Model) -> Iterator[str]:
    if schema == "ats":
        doc = f"{model.doc} One row per record, its newest version."
        return _table(model.name, doc, model.loaded_columns, ("id",))
    if schema == "ats_personal":
        return _table(model.name, f"{model.doc} One row per record with personal columns.", (ID, *model.personal))
    # no key test here: tests/every_version_is_one_row.sql checks that a version is one row
    return _table(model.name, f"{model.doc} One row per version.", model.plain)


def _table(name: str, doc: str, columns: Sequence[Column], key: Sequence[str] = ()) -> Iterator[str]:
    yield f"      - name: {name}"
    yield f"        description: {_quoted(doc)}"
    yield "        columns:"
    for column, kind in zip(columns, _types(columns), strict=True):
        meta = f"config: {{meta: {{tier: {column.tier}}}}}"
        yield f"          - {{name: {column.name}, data_type: {kind}, {meta}, description: {_quoted(column.doc)}}}"
    if key:
        yield "        data_tests:"
        yield f"          - unique_key: {{arguments: {{columns: [{', '.join(key)}]}}}}"


def _types(columns: Sequence[Column]) -> list[str]:
    """The columns' DuckDB types, as load creates them."""
    kinds = [duckdb_type(column.type).lower().replace('"', "") for column in columns]
    return [_quoted(kind) if any(mark in kind for mark in "(,[") else kind for kind in kinds]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
