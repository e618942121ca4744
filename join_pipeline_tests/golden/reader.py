"""Reads a lake with pyarrow and JSON only, so that it shows what a release wrote, independent of today's code.

Belongs here: the files that the newest record lists, their rows, and what is expected of them. Not here: any code of
the pipeline. A column that is null is as good as one that is not there: a lake may be older than its columns.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Row = dict[str, Any]
Expected = dict[str, Any]
"""By model: `versions`, `live`, a hash `of_every_version` by column, and one `of_the_live` of each personal column."""
BECAME_PERSONAL = {
    "applications": {"integration_external_id"},
    "tags": {"remote_id", "name"},
    "candidate_tags": {"remote_id"},
}
"""Columns of tier 1 up to format 3, by model. Since then they are kept of the newest live versions only."""


def newest_record(lake: Path) -> Row:
    """The record in force."""
    record: Row = json.loads(max((lake / "syncs").glob("[0-9]*.json")).read_text())
    return record


def versions(lake: Path) -> dict[str, list[Row]]:
    """Every version by model, ordered by id and sync, its personal columns with it where they are kept."""
    files = newest_record(lake)["files"]
    return {name: _joined(lake, paths, files["personal"].get(name, [])) for name, paths in files["models"].items()}


def newest(rows: list[Row]) -> list[Row]:
    """The newest version of each record."""
    return list({row["id"]: row for row in rows}.values())


def live(rows: list[Row]) -> list[Row]:
    """The newest version of each record that is not deleted."""
    return [row for row in newest(rows) if "remote_deleted_at" not in row]


def told(row: Row) -> Row:
    """The row's columns that say something, values in a form that does not depend on their type."""
    return {name: _canonical(value) for name, value in row.items() if value is not None}


def expectation(lake: Path) -> Expected:
    """What any later release has to keep of this lake. Personal columns are kept of the newest versions only."""
    expected = {}
    for name, rows in sorted(versions(lake).items()):
        personal = {column for path in _files(lake, "personal", name) for column in pq.read_schema(path).names}
        personal -= {"id", "sync_id"}
        expected[name] = {
            "versions": len(rows),
            "live": len(live(rows)),
            "of_every_version": _hashes(rows, but=personal),
            "of_the_live": _hashes(
                [{k: v for k, v in row.items() if k in {"id", "sync_id", *personal}} for row in live(rows)]
            ),
        }
    return expected


def broken(lake: Path, expected: Expected, but: Collection[str] = ()) -> list[str]:
    """What of the expectation does not hold, by model and column; `but` are columns that were dropped since.

    A column that became personal is no more among those of every version: that its live values are kept is a test of
    its own (test_golden_lakes).
    """
    now = expectation(lake)
    complaints = []
    for name, wanted in expected.items():
        found = now.get(name, {})
        for group, value in wanted.items():
            parts = value.items() if isinstance(value, dict) else [("", value)]
            theirs = found.get(group)
            for column, part in parts:
                if group == "of_every_version" and column in BECAME_PERSONAL.get(name, ()) and column not in theirs:
                    continue
                is_one = theirs.get(column) if isinstance(theirs, dict) else theirs
                if column not in but and is_one != part:
                    complaints.append(f"{name}.{column or group}: {group} was {part} and is {is_one}")
    return complaints


def _files(lake: Path, group: str, model: str) -> list[Path]:
    return [lake / path for path in _paths(newest_record(lake)["files"][group].get(model, []))]


def _paths(files: list[Any]) -> list[str]:
    """A file was its path in format 1, and is an object with its path since."""
    return [file if isinstance(file, str) else file["path"] for file in files]


def _joined(lake: Path, plain: list[str], personal: list[str]) -> list[Row]:
    more = {(row["id"], row["sync_id"]): row for row in _rows(lake, personal)}
    rows = [told(row | more.get((row["id"], row["sync_id"]), {})) for row in _rows(lake, plain)]
    return sorted(rows, key=lambda row: (row["id"], row["sync_id"]))


def _rows(lake: Path, files: list[Any]) -> Iterator[Row]:
    for path in _paths(files):  # one by one: they need not have the same columns
        yield from pq.read_table(lake / path).to_pylist()


def _hashes(rows: list[Row], but: Collection[str] = ()) -> dict[str, str]:
    """A hash by column over (id, sync, value), of the rows that have a value."""
    columns = defaultdict(hashlib.sha256)
    for row in rows:
        for name in row.keys() - but:
            line = [row["id"], row["sync_id"], row[name]]
            columns[name].update(json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return {name: digest.hexdigest()[:16] for name, digest in sorted(columns.items())}


def _canonical(value: Any) -> Any:
    """Text of an instant; a whole number whatever its type; no nulls within."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    return value
