"""The published schema that readers can rely on: every table, view, column and type, with a version.

`make generated` writes it to docs/reference/published-schema.json. The seed schema_version publishes its version.
Belongs here: the schema of a manifest, and how a change raises the version. Not here: publishing (publish).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from join_pipeline.errors import BuildError
from join_pipeline.warehouse.publish import PEOPLE, READERS, PublishedTable, tables_to_publish

FIRST: Final = "1.0"
FILES: Final = {"recruiting.duckdb": READERS, "people.duckdb": PEOPLE}

Tables = dict[str, dict[str, Any]]


def contract(manifest: dict[str, Any], before: Mapping[str, Any], release: str) -> dict[str, Any]:
    """The published schema of this manifest. `before` is the last committed one, or empty if there is none.

    Raises `BuildError` for an old name that this release should no longer have.
    """
    files = {file: _tables(tables_to_publish(manifest, audience), release) for file, audience in FILES.items()}
    return {"version": _version(before, files), "files": files}


def _tables(listed: list[PublishedTable], release: str) -> Tables:
    for table in listed:
        for old in table.old_names:
            if _number(old.until) <= _number(release):
                raise BuildError(
                    f"{table.name}.{old.name} ends with release {old.until}, and this is {release}. Remove "
                    f"renamed_from of {old.column}, and note it in CHANGELOG.md."
                )
    return {table.name: _table(table) for table in sorted(listed, key=lambda table: table.name)}


def _table(table: PublishedTable) -> dict[str, Any]:
    columns = table.types | {old.name: table.types[old.column] for old in table.old_names}
    told: dict[str, Any] = {"kind": "view" if table.is_view else "table", "columns": columns}
    if table.old_names:
        told["deprecated"] = {old.name: {"read": old.column, "until": old.until} for old in table.old_names}
    return told


def _version(before: Mapping[str, Any], files: Mapping[str, Tables]) -> str:
    """The version of `files`: that of `before` if nothing changed.

    The second number rises for an addition. The first rises if a column is gone or has another type.
    """
    if not before:
        return FIRST
    if before["files"] == files:
        return str(before["version"])
    major, minor = _number(before["version"])
    if set(_readable(before["files"])) <= set(_readable(files)):
        return f"{major}.{minor + 1}"
    return f"{major + 1}.0"


def _readable(files: Mapping[str, Tables]) -> Iterator[tuple[str, str, str, str]]:
    for file, tables in files.items():
        for table, told in tables.items():
            for column, kind in told["columns"].items():
                yield file, table, column, kind


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
