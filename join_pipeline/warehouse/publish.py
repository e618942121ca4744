"""Publish: write a new file for readers and replace the old one atomically. Open readers keep the old file.

Belongs here: which tables and views readers get, and replacing the file. Not here: their content (dbt), the schema that
readers can rely on (contract).

There are two files: recruiting.duckdb for every reader and, if switched on, people.duckdb with the names and contacts
behind its keys. Tables lie in the schema `main`. DuckDB calls the catalog of recruiting.duckdb `recruiting`, and a
schema of that name would make `recruiting.fct_application` ambiguous, which is an error.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, foreign
from join_pipeline.lake.files import aside_of, make_folder, remove_asides
from join_pipeline.settings import Settings
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.audit import note
from join_pipeline.warehouse.coarse import coarse
from join_pipeline.warehouse.log_name import give_log_name_back, keep_until_free, log_of, take_log_name
from join_pipeline.warehouse.parquet import publish_parquet

# the oldest format that the data's types allow, because analysts' tools use older releases of DuckDB
STORAGE_VERSION: Final = "v1.2.0"


@dataclass(frozen=True, slots=True)
class Audience:
    """A schema that is published as a file: the audiences that its models may name, and the highest tier of a column.

    With `keeps_views`, views stay views, as they read tables of the same file only. Otherwise they become tables.
    """

    schema: str
    words: frozenset[str]
    highest_tier: int
    keeps_views: bool = False


READERS: Final = Audience("recruiting", frozenset({"analyst", "shared"}), 1, keeps_views=True)
PEOPLE: Final = Audience("people", frozenset({"people"}), 2)


@dataclass(frozen=True, slots=True)
class OldName:
    """A column's former name. It has the same values until the release `until`, which no longer has it."""

    name: str
    column: str
    until: str

    @property
    def comment(self) -> str:
        return f"Deprecated: read {self.column}. Release {self.until} no longer has this name."


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table or view for readers: its comments, and by column its comment and the type that dbt declares."""

    name: str
    description: str
    columns: dict[str, str]
    is_view: bool = False
    rows: int = 0
    types: dict[str, str] = field(default_factory=dict)
    old_names: tuple[OldName, ...] = ()

    @property
    def comments(self) -> dict[str, str]:
        """The comment of every column, old names last."""
        return self.columns | {old.name: old.comment for old in self.old_names}

    def selected_from(self, relation: str, instead: Mapping[str, str] | None = None) -> str:
        """A query for all its columns and old names. `instead` has the SQL of columns that are made coarser."""
        made = ", ".join(f'{sql} AS "{name}"' for name, sql in (instead or {}).items())
        relation = f"(SELECT * REPLACE ({made}) FROM {relation})" if made else relation
        old = "".join(f', "{old.column}" AS "{old.name}"' for old in self.old_names)
        return f"SELECT *{old} FROM {relation}"


@dataclass(frozen=True, slots=True)
class Published:
    """The published file and its tables. `people` has the row count by table of people.duckdb; None if that is off.

    `n_parquet` is the number of Parquet files; None if these are off.
    """

    path: Path
    tables: tuple[PublishedTable, ...]
    n_bytes: int
    people: dict[str, int] | None = None
    n_parquet: int | None = None

    @property
    def n_rows(self) -> int:
        return sum(table.rows for table in self.tables)


def publish(settings: Settings) -> Published:
    """Publish the tables in place of the old files. Names and contacts are published only if switched on."""
    manifest = read_manifest(settings)
    listed = tables_to_publish(manifest)
    tables = _publish(settings, READERS, settings.published, 0o444, listed)
    people = None
    if settings.publish_people:
        names = tables_to_publish(manifest, PEOPLE)
        people = {one.name: one.rows for one in _publish(settings, PEOPLE, settings.people, 0o400, names)}
    else:
        withdraw_people(settings)
    n_parquet = publish_parquet(settings, (table.name for table in tables))
    return Published(settings.published, tables, settings.published.stat().st_size, people, n_parquet)


def withdraw_people(settings: Settings) -> None:
    """Remove people.duckdb, if it is there."""
    if settings.people.exists():
        note(settings, "people.duckdb removed")
        settings.people.unlink()
        remove_asides(settings.people)
        log_of(settings.people).unlink(missing_ok=True)
        give_log_name_back(settings.people)


def _publish(
    settings: Settings, audience: Audience, target: Path, mode: int, listed: list[PublishedTable]
) -> tuple[PublishedTable, ...]:
    make_folder(target.parent)
    remove_asides(target)  # those of killed builds: the lock makes this process the only writer
    aside = aside_of(target)
    try:
        tables = _write(settings, audience, aside, listed)
        aside.chmod(mode)
        take_log_name(target)
        is_known = keep_until_free(target)
        if audience is PEOPLE:  # before anybody can read it, so that no publish lacks its line
            note(settings, "people.duckdb published", {table.name: table.rows for table in tables})
        aside.replace(target)
        if is_known:
            give_log_name_back(target)
    except (duckdb.Error, OSError) as error:
        raise BuildError(
            f"Publishing failed; readers keep the old file ({foreign(error)}). Correct that, then run it again."
        ) from None
    finally:
        _remove(aside)
    return tables


def tables_to_publish(manifest: dict[str, Any], audience: Audience = READERS) -> list[PublishedTable]:
    """The dbt models and seeds of the audience's schema, sorted by name. Tables come first, because views read them.

    Raises `BuildError` for a dbt model of no such audience, or for a column whose tier is higher or missing. Those
    never leave the warehouse.
    """
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "seed"} or node["schema"] != audience.schema:
            continue
        name, meta = node["name"], _meta(node)
        if meta.get("audience") not in audience.words:
            words = " or ".join(sorted(audience.words))
            raise BuildError(
                f"dbt model {name} names no audience in its meta ({words}), so nothing is published. Add it."
            )
        personal = [
            column["name"]
            for column in node["columns"].values()
            if not 1 <= _meta(column).get("tier", 99) <= audience.highest_tier
        ]
        if personal:
            raise BuildError(
                f"dbt model {name} has columns that are personal or lack a tier in their meta "
                f"({', '.join(personal)}), so nothing is published. Remove them or add the tier."
            )
        tables.append(
            PublishedTable(
                name,
                _on_one_line(node.get("description", "")),
                {column["name"]: _on_one_line(column.get("description", "")) for column in node["columns"].values()},
                is_view=audience.keeps_views and node["config"].get("materialized") == "view",
                types=_types(node),
                old_names=_old_names(node),
            )
        )
    return sorted(tables, key=lambda table: (table.is_view, table.name))


def _on_one_line(description: str) -> str:
    """A description as a comment. YAML ends a folded text with a line break, which a reader would see as \\n."""
    return " ".join(description.split())


def _types(node: dict[str, Any]) -> dict[str, str]:
    """The type of each column: of a dbt model from its contract, of a seed from its configuration."""
    read_as: dict[str, str] = node["config"].get("column_types") or {}
    return {name: column.get("data_type") or read_as.get(name, "") for name, column in node["columns"].items()}


def _old_names(node: dict[str, Any]) -> tuple[OldName, ...]:
    """The old names in the columns' meta, as `renamed_from: {name: the old name, until: the release without it}`."""
    found = []
    for column in node["columns"].values():
        renamed = _meta(column).get("renamed_from")
        if renamed is None:
            continue
        old, until = renamed.get("name"), str(renamed.get("until"))
        if not old or old in node["columns"] or not re.fullmatch(r"\d+(\.\d+){2}", until):
            raise BuildError(
                f"dbt model {node['name']}: renamed_from of {column['name']} has to be {{name: its old name, until: "
                f"1.2.0}}, where until is the release without that name. No other column may have the name. Correct it "
                f"and build again."
            )
        found.append(OldName(old, column["name"], until))
    return tuple(found)


def _meta(described: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = described.get("config", {}).get("meta", {}) | described.get("meta", {})
    return meta


def _write(
    settings: Settings, audience: Audience, aside: Path, listed: list[PublishedTable]
) -> tuple[PublishedTable, ...]:
    written = []
    config: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": str(settings.builds / "spill")}
    with contextlib.closing(duckdb.connect(config=config)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {_text(str(settings.warehouse))} AS warehouse (READ_ONLY)")
        con.execute(f"ATTACH {_text(str(aside))} AS published (STORAGE_VERSION '{STORAGE_VERSION}')")
        con.execute("USE published")
        con.execute("BEGIN")
        for table in listed:
            name = f'main."{table.name}"'
            if table.is_view:
                con.execute(_view(con, audience, table))
            else:
                relation = f'warehouse.{audience.schema}."{table.name}"'
                coarser = coarse(table.name, table.types, settings.time_zone) if settings.publishes_days else {}
                con.execute(f"CREATE TABLE {name} AS {table.selected_from(relation, coarser)}")
        if audience is READERS:
            from join_pipeline.suppression.tables import suppress  # noqa: PLC0415  a solver that only this needs

            suppress(con, settings.k, settings.time_zone)
        for table in listed:
            name = f'main."{table.name}"'
            kind = "VIEW" if table.is_view else "TABLE"
            con.execute(f"COMMENT ON {kind} {name} IS {_text(table.description)}")
            present = {row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()}
            if present != set(table.comments):
                undescribed = ", ".join(sorted(present ^ set(table.comments)))
                raise BuildError(
                    f"dbt model {table.name} and its description differ ({undescribed}), so nothing is published."
                )
            for column, description in table.comments.items():
                con.execute(f'COMMENT ON COLUMN {name}."{column}" IS {_text(description)}')
            rows = con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            written.append(replace(table, rows=rows))
        con.execute("COMMIT")
        con.execute("USE memory")
        con.execute("DETACH published")
    return tuple(written)


def _view(con: duckdb.DuckDBPyConnection, audience: Audience, table: PublishedTable) -> str:
    """The view's SQL from the warehouse with its old names, without the schema, which the published file lacks."""
    found = con.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'warehouse' AND schema_name = ? AND view_name = ?",
        [audience.schema, table.name],
    ).fetchall()
    if not found:
        raise BuildError(
            f"The warehouse has no view {table.name}; readers keep the old file. Run `join-pipeline build`."
        )
    sql = str(found[0][0]).replace(f"{audience.schema}.", "")
    if not table.old_names:
        return sql
    create, query = re.split(r"(?<=\sAS)\s", sql.rstrip().removesuffix(";"), maxsplit=1)
    return f"{create} {table.selected_from(f'({query})')}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _remove(aside: Path) -> None:
    for path in (aside, log_of(aside)):
        path.unlink(missing_ok=True)
