"""What a build publishes, in the bucket: so that readers need not reach the worker.

    published/<connection>/recruiting.duckdb, report.html
    published/parquet/<table>/connection=<connection>/<table>.parquet, and _builds/…/build.json as on disk

Each object takes the place of the old one at once. build.json is away while the tables are replaced. Names and contacts
stay on the worker: people.duckdb is never put here.
Belongs here: which files, and their order. Not here: writing them (warehouse).
"""

import contextlib
import re
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline.bucket.mirror import Mirror
from join_pipeline.bucket.store import Bucket, UnsureError, open_bucket
from join_pipeline.errors import LakeError
from join_pipeline.places import PARQUET
from join_pipeline.settings import Settings
from join_pipeline.warehouse.parquet import note_path, parquet_file

FOLDER = "published"
NOTE = "build.json"
_TABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")


def publish(settings: Settings, root: Bucket, mirror: Mirror) -> None:
    """Put what a build on this machine has published since, and delete what it has withdrawn."""
    found = files_of(settings)
    changed = mirror.unpublished(found)
    gone = mirror.state.published.keys() - found.keys()
    if not changed and not gone:
        return
    gone |= _noted(root, settings.connection) - found.keys()
    try:
        _put(root, found, changed, sorted(gone))
    except UnsureError as error:
        raise LakeError(
            f"{error} The lake is committed, but not all that the build published here is in the bucket. The "
            "next command puts it there."
        ) from None
    mirror.note_published(found)


def withdraw(settings: Settings) -> None:
    """Delete a company's tables, whichever machine has put them."""
    root = open_bucket(str(settings.lake_url))
    root.delete(sorted(_noted(root, settings.connection)))


def _noted(root: Bucket, connection: str) -> set[str]:
    """The objects that the last build of a company has put as tables, on any machine, with its note."""
    name = note_path(PARQUET, connection).as_posix()
    found = root.get(name)
    if found is None:
        return set()
    return {name, *(parquet_file(PARQUET, table, connection).as_posix() for table in tables_in(found.content))}


def tables_in(note: bytes) -> list[str]:
    """The tables that a build.json names, as far as they can be names of tables."""
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        return [table for table in msgspec.json.decode(note, type=_Note).tables if _TABLE.fullmatch(table)]
    return []


class _Note(msgspec.Struct):
    """What is asked of build.json: which tables there are."""

    tables: dict[str, msgspec.Raw] = {}


def _put(root: Bucket, found: dict[str, Path], changed: list[str], gone: list[str]) -> None:
    notes = [name for name in (*changed, *gone) if name.endswith(f"/{NOTE}")]
    root.delete([*notes, *gone])
    for name in sorted(changed, key=lambda name: (name in notes, name)):
        root.send(name, found[name])


def files_of(settings: Settings) -> dict[str, Path]:
    """The published files of this machine, by their names in the bucket."""
    own = [path for path in (settings.published, settings.report) if path.exists()]
    found = {f"{FOLDER}/{settings.connection}/{path.name}": path for path in own}
    tables = settings.parquet.glob(f"*/connection={settings.connection}/[!.]*")
    return found | {f"{PARQUET.as_posix()}/{path.relative_to(settings.parquet).as_posix()}": path for path in tables}
