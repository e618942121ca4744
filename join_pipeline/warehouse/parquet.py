"""Parquet for readers: the published tables of all companies in one folder, so that one glob reads them all.

    <data>/published/parquet/<table>/connection=<name>/<table>.parquet
    <data>/published/parquet/_builds/connection=<name>/build.json

A company has one file a table, always of the same name. A new file takes the place of the old one at once, so a reader
of one table sees each company once, and never half of it. build.json lists the files of a build and is away while they
are replaced: who finds the same one before and after reading has read the tables of one build.
Belongs here: writing and withdrawing the files, and what build.json says. Not here: what the tables hold (publish),
reading those of all companies (portfolio).
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.connections.listed import DEMO
from join_pipeline.errors import BuildError, LakeError, foreign
from join_pipeline.lake.files import aside_of, flush, make_folder, remove_asides, write_whole
from join_pipeline.settings import Settings

BUILDS: Final = "_builds"
"""Readers such as Spark and Trino leave out what begins with an underscore."""


class File(msgspec.Struct, frozen=True):
    """What a build wrote of one table."""

    rows: int
    bytes: int


class BuildNote(msgspec.Struct, frozen=True, kw_only=True):
    """build.json: the build whose files lie there now. `build` is another one in each build."""

    connection: str
    build: str
    sync_id: str | None
    as_of: str | None
    schema_version: str
    release: str
    k: int
    tables: dict[str, File]


def publish_parquet(settings: Settings, tables: Iterable[str]) -> int | None:
    """Write each table and view of the published file as Parquet, if that is switched on. Returns how many.

    Otherwise the company's files are withdrawn. The demo has none: made-up people are not among the companies'.
    """
    if not settings.publish_parquet or settings.connection == DEMO:
        withdraw_parquet(settings.parquet, settings.connection)
        return None
    names, asides = list(tables), dict[Path, Path]()
    note = note_path(settings.parquet, settings.connection)
    try:
        make_folder(note.parent)
        with _published(settings) as con:
            noted = _noted(con, settings)
            for name in names:
                target = parquet_file(settings.parquet, name, settings.connection)
                make_folder(target.parent)
                remove_asides(target)  # those of killed builds: the lock makes this process the only writer
                asides[target] = aside_of(target)
                written = _copy(con, name, asides[target], noted.build)
                asides[target].chmod(0o444)
                flush(asides[target])  # before build.json says that it is there
                noted.tables[name] = File(written, asides[target].stat().st_size)
        note.unlink(missing_ok=True)
        for target, aside in asides.items():
            aside.replace(target)
        _remove_others(settings.parquet, settings.connection, set(names))
        write_whole(note, msgspec.json.format(msgspec.json.encode(noted)))
        note.chmod(0o444)
    except (duckdb.Error, OSError, LakeError) as error:
        said = foreign(error) if not isinstance(error, LakeError) else str(error)
        raise BuildError(
            f"{settings.published.name} is published, and its Parquet files are not all there ({said}). Correct "
            f"that, then build again."
        ) from None
    finally:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
    return len(names)


def withdraw_parquet(root: Path, connection: str) -> bool:
    """Remove a company's Parquet files. Returns whether there were any."""
    note_path(root, connection).unlink(missing_ok=True)
    is_withdrawn = _remove_others(root, connection, {BUILDS})
    return _remove_folder(note_folder(root, connection)) or is_withdrawn  # last, as it tells that there are files


def parquet_file(root: Path, table: str, connection: str) -> Path:
    """The file of a company's table."""
    return root / table / f"connection={connection}" / f"{table}.parquet"


def note_path(root: Path, connection: str) -> Path:
    """The file that says of which build a company's files are."""
    return note_folder(root, connection) / "build.json"


def note_folder(root: Path, connection: str) -> Path:
    """Its folder, which is there as long as the company has any files."""
    return root / BUILDS / f"connection={connection}"


def read_note(root: Path, connection: str) -> BuildNote | None:
    """What the last build noted; None if there was none, if one replaces the files now, or if it was killed there.

    Raises `msgspec.DecodeError` if the note can't be read.
    """
    try:
        return msgspec.json.decode(note_path(root, connection).read_bytes(), type=BuildNote)
    except FileNotFoundError:
        return None


def noted_connections(root: Path) -> list[str]:
    """The companies that have a note, by name."""
    return sorted(path.parent.name.partition("=")[2] for path in root.glob(f"{BUILDS}/connection=*/build.json"))


def files_of_company(root: Path, connection: str) -> Iterator[Path]:
    """Every file of a company, those of killed builds, too."""
    yield from sorted(path for path in root.glob(f"*/connection={connection}/*") if path.is_file())


@contextlib.contextmanager
def _published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, in which small groups are hidden already. Only reading what readers read can't leak more."""
    config: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": str(settings.builds / "spill")}
    with contextlib.closing(duckdb.connect(config=config)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {_text(str(settings.published))} AS published (READ_ONLY)")
        con.execute("USE published")
        yield con


def _noted(con: duckdb.DuckDBPyConnection, settings: Settings) -> BuildNote:
    newest = con.execute(
        "SELECT sync_id, strftime(as_of, '%Y-%m-%dT%H:%M:%SZ') FROM dim_sync ORDER BY as_of DESC, sync_id DESC LIMIT 1"
    ).fetchone() or (None, None)
    return BuildNote(
        connection=settings.connection,
        build=secrets.token_hex(8),
        sync_id=newest[0],
        as_of=newest[1],
        schema_version=str(con.execute("SELECT max(version) FROM schema_version").fetchall()[0][0]),
        release=version("join-pipeline"),
        k=settings.k,
        tables={},
    )


def _copy(con: duckdb.DuckDBPyConnection, table: str, aside: Path, build: str) -> int:
    """Write one table. Its metadata names the build, for who has the file only."""
    copied = con.execute(
        f"""COPY (FROM "{table}") TO {_text(str(aside))}
        (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{build: {_text(build)}}})"""
    ).fetchall()
    return int(copied[0][0])


def _remove_others(root: Path, connection: str, kept: set[str]) -> bool:
    """Remove the company's folders of tables that are not kept, as those that an older release published."""
    gone = [
        _remove_folder(folder)
        for folder in root.glob(f"*/connection={connection}")
        if folder.parent.name not in kept | {BUILDS}
    ]
    return any(gone)


def _remove_folder(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    shutil.rmtree(folder)
    with contextlib.suppress(OSError):  # other companies have files beside it
        folder.parent.rmdir()
    return True


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
