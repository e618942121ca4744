"""The published tables of all companies, brought from buckets, so that one machine can look at all of them.

Belongs here: which companies' tables differ here, and bringing them. Not here: putting them (published), what is made
of them (portfolio).
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from join_pipeline.bucket.mirror import known_of, read_state, save_state
from join_pipeline.bucket.published import tables_in
from join_pipeline.bucket.store import Bucket, open_bucket
from join_pipeline.errors import DamagedError, LockedError
from join_pipeline.lake.files import appearing, locked
from join_pipeline.places import PARQUET
from join_pipeline.warehouse.parquet import BUILDS, note_path, parquet_file

_NOTE: Final = re.compile(rf"{PARQUET.as_posix()}/{BUILDS}/connection=([a-z0-9][a-z0-9_-]{{0,62}})/build\.json")


def bring_tables(data: Path, urls: Iterable[str]) -> int:
    """Bring the tables of each company of these buckets that another machine has built since. Returns of how many."""
    n = 0
    for url in urls:
        root = open_bucket(url)
        for name in root.names(f"{PARQUET.as_posix()}/{BUILDS}/"):
            if found := _NOTE.fullmatch(name):
                n += _bring(root, url, data, found[1])
    return n


def _bring(root: Bucket, url: str, data: Path, connection: str) -> bool:
    """Bring one company's tables, unless they are here, this machine's own wait to be put, or a command works on it."""
    home, tables = data / connection, data / PARQUET
    note = note_path(tables, connection)
    name = note_path(PARQUET, connection).as_posix()
    found = root.get(name)
    if found is None or (note.exists() and note.read_bytes() == found.content):
        return False
    try:
        with locked(home):
            state = read_state(home)
            if not state.url and (home / "lake").exists():
                return False  # the company of this name has its lake here, and in no bucket
            if note.exists() and state.published.get(name) != known_of(note):
                return False  # its own build is not in the bucket yet
            note.unlink(missing_ok=True)
            brought = {}
            for table in sorted(tables_in(found.content)):
                path, object_name = parquet_file(tables, table, connection), parquet_file(PARQUET, table, connection)
                _write(root, object_name.as_posix(), path)
                brought[object_name.as_posix()] = path
            with appearing(note, 0o444) as aside:
                aside.write_bytes(found.content)
            state.published |= {one: known_of(path) for one, path in (brought | {name: note}).items()}
            state.url = state.url or url
            save_state(home, state)
    except LockedError:
        return False
    return True


def _write(root: Bucket, name: str, path: Path) -> None:
    chunks = root.stream(name)
    if chunks is None:
        raise DamagedError(f"{name} is missing in the bucket: a build replaces it now, or was cut off. Run it again.")
    with appearing(path, 0o444) as aside, aside.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
