"""Publish: a new file for readers, swapped in atomically; whoever reads the old one keeps it.

Belongs here: which tables and views readers get, and how a file appears. Not here: what is in them (dbt), what readers
can rely on (contract).

There are two files: recruiting.duckdb for everybody who reads and, only where it is switched on, people.duckdb with the
names and contacts behind its keys. Tables lie in the file's schema `main`. The file is named recruiting.duckdb, so
DuckDB calls its catalog `recruiting`: a schema of the same name would make `recruiting.fct_application` ambiguous, an
error for everyone.
"""

import contextlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError
from join_pipeline.lake.files import aside_of, make_folder
from join_pipeline.settings import Settings
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.audit import note

# where nothing can be: see `_take_log_name`
NOWHERE: Final = "published-files-take-no-writes/none"
# the oldest format that the data's types allow: analysts' tools lag behind
STORAGE_VERSION: Final = "v1.2.0"


@dataclass(frozen=True, slots=True)
class Audience:
    """A schema that is published as a file: for whom its models say they are, and how personal their columns get.

    Its views stay views where they rest on tables of the same file alone, else they become tables.
    """

    schema: str
    words: frozenset[str]
    highest_tier: int
    keeps_views: bool = False


READERS: Final = Audience("recruiting", frozenset({"analyst", "shared"}), 1, keeps_views=True)
PEOPLE: Final = Audience("people", frozenset({"people"}), 2)


@dataclass(frozen=True, slots=True)
class OldName:
    """The name that a column had before. It holds the same values, until the release that no longer has it."""

    name: str
    column: str
    until: str

    @property
    def comment(self) -> str:
        return f"Deprecated: read {self.column}. Release {self.until} no longer has this name."


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table or view for readers, with the comments it carries. `types` are those that dbt declares, by column."""

    name: str
    description: str
    columns: dict[str, str]
    is_view: bool = False
    rows: int = 0
    types: dict[str, str] = field(default_factory=dict)
    old_names: tuple[OldName, ...] = ()

    @property
    def comments(self) -> dict[str, str]:
        """Of every column, old names last."""
        return self.columns | {old.name: old.comment for old in self.old_names}

    def selected_from(self, relation: str) -> str:
        """A query for everything that readers get of it."""
        old = "".join(f', "{old.column}" AS "{old.name}"' for old in self.old_names)
        return f"SELECT *{old} FROM {relation}"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, and where. `people`: rows of names and contacts by table, where that is switched on."""

    path: Path
    tables: tuple[PublishedTable, ...]
    n_bytes: int
    people: dict[str, int] | None = None


def publish(settings: Settings) -> Published:
    """Write what readers get from the warehouse, in the old files' place; names and contacts only if switched on."""
    manifest = read_manifest(settings)
    listed = tables_to_publish(manifest)
    tables = _publish(settings, READERS, settings.published, 0o444, listed)
    people = None
    if settings.publish_people:
        names = tables_to_publish(manifest, PEOPLE)
        people = {one.name: one.rows for one in _publish(settings, PEOPLE, settings.people, 0o400, names)}
    else:
        withdraw_people(settings)
    return Published(settings.published, tables, settings.published.stat().st_size, people)


def withdraw_people(settings: Settings) -> None:
    """Remove people.duckdb, if it is there."""
    if settings.people.exists():
        note(settings, "people.duckdb removed")
        settings.people.unlink()
        _log_of(settings.people).unlink(missing_ok=True)


def _publish(
    settings: Settings, audience: Audience, target: Path, mode: int, listed: list[PublishedTable]
) -> tuple[PublishedTable, ...]:
    make_folder(target.parent)
    aside = aside_of(target)
    _remove(aside)
    try:
        tables = _write(settings, audience, aside, listed)
        aside.chmod(mode)
        _take_log_name(target)
        if audience is PEOPLE:  # before it can be read: no publish without its line
            note(settings, "people.duckdb published", {table.name: table.rows for table in tables})
        aside.replace(target)
    except (duckdb.Error, OSError) as error:
        raise BuildError(f"Publishing failed; readers keep the file of before ({error}).") from None
    finally:
        _remove(aside)
    return tables


def tables_to_publish(manifest: dict[str, Any], audience: Audience = READERS) -> list[PublishedTable]:
    """The models and seeds of the audience's schema, by name; tables first, since views rest on them.

    Raises `BuildError` for a model that names no such audience, or a column whose tier is higher or not told: those
    never leave the warehouse.
    """
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "seed"} or node["schema"] != audience.schema:
            continue
        name, meta = node["name"], _meta(node)
        if meta.get("audience") not in audience.words:
            words = " or ".join(sorted(audience.words))
            raise BuildError(f"dbt model {name} names no audience in its meta ({words}): it is not published.")
        personal = [
            column["name"]
            for column in node["columns"].values()
            if not 1 <= _meta(column).get("tier", 99) <= audience.highest_tier
        ]
        if personal:
            raise BuildError(
                f"dbt model {name} has columns that are personal, or without a tier in their meta "
                f"({', '.join(personal)}): it is not published."
            )
        tables.append(
            PublishedTable(
                name,
                node.get("description", ""),
                {column["name"]: column.get("description", "") for column in node["columns"].values()},
                is_view=audience.keeps_views and node["config"].get("materialized") == "view",
                types=_types(node),
                old_names=_old_names(node),
            )
        )
    return sorted(tables, key=lambda table: (table.is_view, table.name))


def _types(node: dict[str, Any]) -> dict[str, str]:
    """Of each column: a model's by its contract, a seed's by what it is read as."""
    read_as: dict[str, str] = node["config"].get("column_types") or {}
    return {name: column.get("data_type") or read_as.get(name, "") for name, column in node["columns"].items()}


def _old_names(node: dict[str, Any]) -> tuple[OldName, ...]:
    """What `renamed_from` in a column's meta says: {name: what it was called, until: the release without it}."""
    found = []
    for column in node["columns"].values():
        renamed = _meta(column).get("renamed_from")
        if renamed is None:
            continue
        old, until = renamed.get("name"), str(renamed.get("until"))
        if not old or old in node["columns"] or not re.fullmatch(r"\d+(\.\d+){2}", until):
            raise BuildError(
                f"dbt model {node['name']}: renamed_from of {column['name']} has to be {{name: its old name, until: "
                f"1.2.0}}: the release that no longer has that name. No other column may have it. Correct it and build "
                f"again."
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
            kind = "VIEW" if table.is_view else "TABLE"
            if table.is_view:
                con.execute(_view(con, audience, table))
            else:
                relation = f'warehouse.{audience.schema}."{table.name}"'
                con.execute(f"CREATE TABLE {name} AS {table.selected_from(relation)}")
            con.execute(f"COMMENT ON {kind} {name} IS {_text(table.description)}")
            present = {row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()}
            if present != set(table.comments):
                undescribed = ", ".join(sorted(present ^ set(table.comments)))
                raise BuildError(f"dbt model {table.name} and its description differ ({undescribed}): not published.")
            for column, description in table.comments.items():
                con.execute(f'COMMENT ON COLUMN {name}."{column}" IS {_text(description)}')
            rows = con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            written.append(replace(table, rows=rows))
        con.execute("COMMIT")
        con.execute("USE memory")
        con.execute("DETACH published")
    return tuple(written)


def _view(con: duckdb.DuckDBPyConnection, audience: Audience, table: PublishedTable) -> str:
    """The view's SQL as the warehouse has it, without the schema, which readers' files lack; with its old names."""
    found = con.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'warehouse' AND schema_name = ? AND view_name = ?",
        [audience.schema, table.name],
    ).fetchall()
    if not found:
        raise BuildError(
            f"The warehouse has no view {table.name}: readers keep the file of before. Run `join-pipeline build`."
        )
    sql = str(found[0][0]).replace(f"{audience.schema}.", "")
    if not table.old_names:
        return sql
    create, query = re.split(r"(?<=\sAS)\s", sql.rstrip().removesuffix(";"), maxsplit=1)
    return f"{create} {table.selected_from(f'({query})')}"


def _take_log_name(target: Path) -> None:
    """Put a link that leads nowhere where DuckDB would keep the file's write-ahead log.

    Whoever opened an old file for writing writes its log under the name that the new file bears by then, at any time,
    and every reader of the new file would replay it. Such a link is no log to a reader and can't be written to.
    """
    log = _log_of(target)
    aside = log.with_name(f".{log.name}.part")
    aside.unlink(missing_ok=True)
    aside.symlink_to(NOWHERE)
    aside.replace(log)


def _log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _remove(aside: Path) -> None:
    for path in (aside, _log_of(aside)):
        path.unlink(missing_ok=True)
