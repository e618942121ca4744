"""Publish: a new file for readers, swapped in atomically; whoever reads the old one keeps it.

Belongs here: which tables readers get, and how the file appears. Not here: what is in the tables (dbt).

The tables lie in the file's schema `main`. The file is named recruiting.duckdb, so DuckDB calls its catalog
`recruiting`: a schema of the same name would make `recruiting.fct_application` ambiguous, an error for everyone.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError
from join_pipeline.lake.files import make_folder
from join_pipeline.settings import Settings
from join_pipeline.warehouse.marts import read_manifest

SCHEMA: Final = "recruiting"
# where nothing can be: see `_take_log_name`
NOWHERE: Final = "published-files-take-no-writes/none"
# the oldest format that the data's types allow: analysts' tools lag behind
STORAGE_VERSION: Final = "v1.2.0"
AUDIENCES: Final = frozenset({"analyst", "shared"})


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table for readers, with the comments it carries."""

    name: str
    description: str
    columns: dict[str, str]
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, and where."""

    path: Path
    tables: tuple[PublishedTable, ...]
    n_bytes: int


def publish(settings: Settings) -> Published:
    """Write `published/recruiting.duckdb` from the warehouse's schema `recruiting`, in the old one's place."""
    listed = tables_to_publish(read_manifest(settings))
    target = settings.published
    make_folder(target.parent)
    aside = target.with_name(f".{target.name}.part")
    _remove(aside)
    try:
        tables = _write(settings, aside, listed)
        aside.chmod(0o444)
        _take_log_name(target)
        aside.replace(target)
    except (duckdb.Error, OSError) as error:
        raise BuildError(f"Publishing failed; readers keep the file of before ({error}).") from None
    finally:
        _remove(aside)
    return Published(target, tables, target.stat().st_size)


def tables_to_publish(manifest: dict[str, Any]) -> list[PublishedTable]:
    """The models and seeds of schema `recruiting`, by name.

    Raises `BuildError` for a model without an audience or a column above tier 1: those never leave the warehouse.
    """
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "seed"} or node["schema"] != SCHEMA:
            continue
        name, meta = node["name"], node.get("config", {}).get("meta", {}) | node.get("meta", {})
        if node["resource_type"] == "model" and meta.get("audience") not in AUDIENCES:
            raise BuildError(
                f"dbt model {name} names no audience in its meta (analyst or shared): it is not published."
            )
        personal = [
            column["name"]
            for column in node["columns"].values()
            if (column.get("config", {}).get("meta", {}) | column.get("meta", {})).get("tier", 1) != 1
        ]
        if personal:
            raise BuildError(f"dbt model {name} has personal columns ({', '.join(personal)}): it is not published.")
        columns = {column["name"]: column.get("description", "") for column in node["columns"].values()}
        tables.append(PublishedTable(name, node.get("description", ""), columns))
    return sorted(tables, key=lambda table: table.name)


def _write(settings: Settings, aside: Path, listed: list[PublishedTable]) -> tuple[PublishedTable, ...]:
    written = []
    config: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": str(settings.builds / "spill")}
    with contextlib.closing(duckdb.connect(config=config)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {_text(str(settings.warehouse))} AS warehouse (READ_ONLY)")
        con.execute(f"ATTACH {_text(str(aside))} AS published (STORAGE_VERSION '{STORAGE_VERSION}')")
        con.execute("BEGIN")
        for table in listed:
            name = f'published.main."{table.name}"'
            con.execute(f'CREATE TABLE {name} AS FROM warehouse.{SCHEMA}."{table.name}"')
            con.execute(f"COMMENT ON TABLE {name} IS {_text(table.description)}")
            present = {row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()}
            for column, description in table.columns.items():
                if column in present:
                    con.execute(f'COMMENT ON COLUMN {name}."{column}" IS {_text(description)}')
            rows = con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            written.append(PublishedTable(table.name, table.description, table.columns, rows))
        con.execute("COMMIT")
        con.execute("DETACH published")
    return tuple(written)


def _take_log_name(target: Path) -> None:
    """Put a link that leads nowhere where DuckDB would keep the file's write-ahead log.

    Whoever opened an old file for writing writes its log under the name that the new file bears by then, at any time,
    and every reader of the new file would replay it. Such a link is no log to a reader and can't be written to.
    """
    log = target.with_name(f"{target.name}.wal")
    aside = log.with_name(f".{log.name}.part")
    aside.unlink(missing_ok=True)
    aside.symlink_to(NOWHERE)
    aside.replace(log)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _remove(aside: Path) -> None:
    for path in (aside, aside.with_name(f"{aside.name}.wal")):
        path.unlink(missing_ok=True)
