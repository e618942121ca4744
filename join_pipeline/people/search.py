"""Search: whether a person is found in a file, in its bytes and in every value that it holds, unpacked.

Belongs here: reading every kind of file as texts, and looking for texts and ids in them. Not here: which files there
are (traces), who the person is (person).

A text is found wherever it stands. A number of the source is found only where it is an id of a person: in the columns
of candidates and applications, and where payloads name people.
"""

import contextlib
import gzip
import io
import re
import sqlite3
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.lake.absent import present
from join_pipeline.lake.erased import Naming, named_in
from join_pipeline.lake.sql import path_literal
from join_pipeline.people.traces import Place, files_of
from join_pipeline.people.words import unescaped
from join_pipeline.settings import Settings

CHUNK: Final = 16_000_000
OVERLAP: Final = 4_096
ROWS: Final = 5_000
ID_COLUMNS: Final = frozenset({"remote_id", "record_id", "application", "candidate", "pending", "unread"})
_UNREAD: Final = (OSError, pa.ArrowException, duckdb.Error, sqlite3.Error, ValueError, zipfile.BadZipFile, EOFError)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: texts in lower case, the source's ids by model, and where payloads name people, by feed."""

    texts: frozenset[str]
    remote_ids: Mapping[str, Collection[str]]
    namings: Mapping[str, tuple[Naming, ...]]

    def pattern(self) -> re.Pattern[str] | None:
        return re.compile("|".join(map(re.escape, sorted(self.texts, key=len, reverse=True)))) if self.texts else None


@dataclass(frozen=True, slots=True)
class Hit:
    """A file in which the person is found, where in it, and how. It never quotes what was found."""

    place: str
    path: str
    inside: str


@dataclass(frozen=True, slots=True)
class Searched:
    """The result: the hits, how many files and bytes were looked through, and which files could not be read as theirs.

    Of an unreadable file the bytes were looked through all the same.
    """

    hits: tuple[Hit, ...]
    n_files: int
    n_bytes: int
    unread: tuple[str, ...]


def search(
    settings: Settings,
    sought: Sought,
    on_file: Callable[[str], None] = lambda _path: None,
    also: Collection[Path] = (),
) -> Searched:
    """Look for a person in every file of the connection and of Dagster's storage, and below the paths in `also`."""
    hits: list[Hit] = []
    unread: list[str] = []
    n_files = n_bytes = 0
    pattern = sought.pattern()
    for place, inside, path in files_of(settings, also):
        on_file(inside)
        try:
            n_files, n_bytes = n_files + 1, n_bytes + present(path).stat().st_size
            if pattern and _in_stream(path.open("rb"), pattern):
                hits.append(Hit(place.name, inside, "bytes"))
            hits += [Hit(place.name, inside, where) for where in dict.fromkeys(_found(path, inside, sought, pattern))]
        except FileNotFoundError:
            continue  # another process removed it meanwhile
        except _UNREAD:
            unread.append(inside)
    return Searched(tuple(hits), n_files, n_bytes, tuple(unread))


def is_in_file(path: Path, inside: str, sought: Sought) -> bool:
    """Whether a person is found in one file. Of an unreadable one only the bytes count."""
    pattern = sought.pattern()
    if pattern and (_is_in([inside], pattern) or _in_stream(path.open("rb"), pattern)):
        return True
    try:
        return any(True for _ in _found(path, inside, sought, pattern))
    except _UNREAD:
        return False


def _found(path: Path, inside: str, sought: Sought, pattern: re.Pattern[str] | None) -> Iterator[str]:
    """The parts of a file in which the person is found."""
    for where, texts, ids in _values(path, inside):
        if _is_in(texts, pattern) or _is_id(ids, inside, where, sought):
            yield where


def places_of(hits: Collection[Hit], places: Collection[Place]) -> dict[str, list[Hit]]:
    """The hits by place, in the order of the places."""
    return {place.name: found for place in places if (found := [hit for hit in hits if hit.place == place.name])}


def _in_stream(stream: BinaryIO | gzip.GzipFile, pattern: re.Pattern[str]) -> bool:
    with stream:
        before = b""
        while chunk := stream.read(CHUNK):
            if _is_in([(before + chunk).decode("utf-8", "replace")], pattern):
                return True
            before = chunk[-OVERLAP:]
    return False


def _is_in(texts: Collection[str], pattern: re.Pattern[str] | None) -> bool:
    if pattern is None:
        return False
    for text in texts:
        plain = text.casefold()
        if pattern.search(plain):
            return True
        if "\\u" in plain and pattern.search(unescaped(plain)):
            return True
    return False


def _is_id(values: Collection[str], inside: str, where: str, sought: Sought) -> bool:
    """Whether a column's values are ids of the person at the source, or payloads that name them."""
    column = where.rpartition(" ")[2].rpartition(".")[2]
    for model, gone in sought.remote_ids.items():
        is_theirs = model in f"{inside} {where}" or (column == model.removesuffix("s") and ".sqlite" in inside)
        if gone and is_theirs and column in ID_COLUMNS and not set(gone).isdisjoint(values):
            return True
    if column == "remote_id" and "candidate_tags" in f"{inside} {where}":
        gone = sought.remote_ids.get("candidates", ())
        return any(value.partition("/")[0] in gone for value in values)
    if column not in {"payload"}:
        return False
    namings = next((found for feed, found in sought.namings.items() if f"/{feed}/" in inside), ())
    return any(
        value in sought.remote_ids.get(model, ()) for text in values for model, _, value in named_in(text, namings)
    )


def _values(path: Path, inside: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Every value of a file, unpacked: where it is, as texts to look into, and as values of their own."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PAR1"):
        yield from _of_parquet(path)
    elif head[8:12] == b"DUCK":
        yield from _of_duckdb(path)
    elif head.startswith(b"SQLite format 3"):
        yield from _of_sqlite(path)
    elif head.startswith(b"\x1f\x8b"):
        with gzip.open(path) as packed:
            yield from _of_text(packed)
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            yield "unpacked", [stream.read().decode("utf-8", "replace")], []
    elif head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, [name, archive.read(name).decode("utf-8", "replace")], []
    elif inside.startswith("lake/syncs/") and path.suffix == ".json":
        yield from _of_record(path)


def _of_text(stream: gzip.GzipFile | Any) -> Iterator[tuple[str, list[str], list[str]]]:
    while chunk := stream.read(CHUNK):
        yield "unpacked", [chunk.decode("utf-8", "replace")], []


def _of_parquet(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS):
            yield from _of_batch(batch, "")
            if "record" in batch.schema.names and path.parent.name == "syncs":
                for text in batch.column("record").to_pylist():
                    yield from _of_record(io.StringIO(text))


def _of_batch(batch: pa.RecordBatch, table: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_primitive(column.type):
            continue  # numbers, flags and instants name nobody
        values = [str(value) for value in column.to_pylist() if value is not None]
        yield f"{table}{name}", ["\n".join(values)], values


def _of_duckdb(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    with contextlib.closing(duckdb.connect()) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {path_literal(str(path))} AS looked (READ_ONLY)")
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'looked' ORDER BY ALL"
        ).fetchall()
        for schema, table in tables:
            for batch in con.sql(f'FROM looked."{schema}"."{table}"').to_arrow_reader(ROWS):
                yield from _of_batch(batch, f"{schema}.{table} ")


def _of_sqlite(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as con:
        con.text_factory = lambda raw: raw.decode("utf-8", "replace")
        names = [row[0] for row in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        for name in names:
            rows = con.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in rows.description]
            while some := rows.fetchmany(ROWS):
                for place, column in enumerate(columns):
                    values = [_text(row[place]) for row in some if row[place] is not None]
                    yield f"{name} {column}", ["\n".join(values)], values


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _of_record(source: Path | io.StringIO) -> Iterator[tuple[str, list[str], list[str]]]:
    """The ids that a sync record has of pending and unread records."""
    import json  # noqa: PLC0415

    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source.read()
    document = json.loads(text)
    for feed, ids in (document.get("pending") or {}).items():
        yield f"{feed}.pending", [], [str(one) for one in ids]
    for feed, figures in (document.get("feeds") or {}).items():
        yield f"{feed}.unread", [], [str(one) for one in figures.get("unread") or ()]
