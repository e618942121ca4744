"""Raw: the payloads as the source sent them, with the time and the listing that they were fetched by.

Belongs here: writing and reading raw, the spool. Not here: what a payload means (a source's mapping).

One row is one record of one response, or one record that the source reports as not found (`status` 404, no payload).
While a sync extracts, it writes small parts to a spool outside the lake, so that a killed sync can be resumed. Before
the commit it writes the rows of the spool to the lake in large parts.
"""

import shutil
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.errors import DamagedError
from join_pipeline.lake.damage import unreadable
from join_pipeline.lake.files import make_folder, write_whole
from join_pipeline.lake.integrity import check_seal, digest_of, sealed
from join_pipeline.lake.record import FeedRecord, LakeFile, LostFile, Mode
from join_pipeline.lake.sql import files_literal, ordered, write_query, write_rows
from join_pipeline.models.types import INSTANT, TEXT, WHOLE

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ROWS_PER_PART: Final = 50_000
ROWS_PER_SPOOL_PART: Final = 2_500
SECONDS_PER_SPOOL_PART: Final = 30.0
SHORT: Final = 16
"""So many digits of its digest are in the name of a spool's part. A part that was not named yet is not there."""
SCHEMA: Final = pa.schema(
    [
        ("sync_id", TEXT),
        # the listing: all, status=… or since; `look` if the record was fetched alone; `kept` from an earlier list
        ("listing", TEXT),
        ("page", WHOLE),
        ("record_id", TEXT),
        ("status", WHOLE),
        ("fetched_at", INSTANT),
        ("payload", TEXT),
    ]
)
NAMES: Final = tuple(SCHEMA.names)


class RawRow(NamedTuple):
    """One row of raw."""

    sync_id: str
    listing: str
    page: int
    record_id: str | None
    status: int
    fetched_at: datetime
    payload: str | None


class SpoolState(msgspec.Struct, kw_only=True):
    """What a sync must know to resume another one: its identity, and the listings that it read to their end.

    `changed_since`: from when on a list of changes holds all that came after the start. It is the next watermark.
    `reader` is the mark of the address and the credentials that it read with, made with `salt`.
    `source` is the name of the source that it read, `kept_out` the words for what it kept out of the lake.
    `newest` has the latest update of each feed that a listing showed. One later than its fetch does not count.
    """

    sync_id: str
    previous: str | None
    mode: Mode
    started_at: datetime
    changed_since: datetime | None = None
    done: list[str] = []
    feeds: dict[str, FeedRecord] = {}
    salt: str = ""
    reader: str = ""
    source: str = ""
    newest: dict[str, datetime] = {}
    kept_out: list[str] = []

    @property
    def watermark(self) -> datetime:
        return self.started_at if self.changed_since is None else min(self.changed_since, self.started_at)

    def watermark_of(self, feed: str, before: datetime | None) -> datetime:
        """From when on the next sync asks the feed for changes, if `before` is from when on this one did.

        A list of changes may show them late. So nobody knows what it lacks after the newest update that it showed.
        """
        shown = [at for at in (self.newest.get(feed), before) if at is not None]
        return min(self.watermark, max(shown)) if shown else self.watermark


@dataclass(slots=True)
class Spool:
    """The raw rows of a sync that is not committed yet, by feed. `con` is the scratch database of the sync."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    state: SpoolState
    _held: dict[str, list[RawRow]] = field(default_factory=dict)
    _flushed_at: float = field(default_factory=time.monotonic)

    def add(self, feed: str, row: RawRow) -> None:
        rows = self._held.setdefault(feed, [])
        rows.append(row)
        is_old = time.monotonic() - self._flushed_at > SECONDS_PER_SPOOL_PART
        if len(rows) >= ROWS_PER_SPOOL_PART or is_old:
            self.flush(feed)

    def flush(self, feed: str) -> None:
        """Write the feed's rows in memory to disk."""
        rows = self._held.pop(feed, [])
        if rows:
            path = self.folder / feed / f"{len(self.parts(feed)):05d}.parquet"
            with ordered(self.con):
                write_rows(self.con, SCHEMA, (row._asdict() for row in rows), path)
            path.rename(path.with_name(f"{path.stem}-{digest_of(path)[:SHORT]}.parquet"))
        self._flushed_at = time.monotonic()

    def mark(self, feed: str, listing: str) -> None:
        """Note that a listing was read to its end."""
        self.flush(feed)
        self.state.done.append(f"{feed}/{listing}")
        self.save()

    def is_done(self, feed: str, listing: str) -> bool:
        return f"{feed}/{listing}" in self.state.done

    def save(self) -> None:
        write_whole(self.folder / "state.json", sealed(msgspec.json.encode(self.state)))

    def parts(self, feed: str) -> list[str]:
        """The paths of the parts that are written so far, in their order."""
        return [str(path) for path in sorted((self.folder / feed).glob("[0-9]*-*.parquet"))]

    def check(self) -> None:
        """Raise `DamagedError` if a part differs from the digest in its name."""
        for path in self.folder.glob("*/[0-9]*-*.parquet"):
            try:
                digest = digest_of(path)[:SHORT]
            except OSError as error:
                raise unreadable(path, error) from None
            if not path.stem.endswith(f"-{digest}"):
                raise unreadable(path, "it differs from its digest")

    def last_page(self, feed: str, listing: str) -> int:
        """The number of the listing's last page on disk, which may be incomplete; 0 if there is none."""
        parts = self.parts(feed)
        if not parts:
            return 0
        query = f"SELECT max(page) FROM read_parquet({files_literal(parts)}) WHERE listing = ?"
        return int(self.con.execute(query, [listing]).fetchall()[0][0] or 0)

    def store(self, lake: Path, feed: str) -> list[LakeFile]:
        """Write the feed's rows to the lake and return the new files."""
        self.flush(feed)
        files: list[LakeFile] = []
        parts = self.parts(feed)
        n_rows = [int(pq.read_metadata(part).num_rows) for part in parts]
        first = 0
        for end in range(1, len(parts) + 1):
            if sum(n_rows[first:end]) >= ROWS_PER_PART or end == len(parts):
                path = f"raw/{feed}/{self.state.sync_id}/part-{len(files):05d}.parquet"
                with ordered(self.con):
                    write_query(self.con, f"FROM read_parquet({files_literal(parts[first:end])})", lake / path)
                files.append(LakeFile(path=path, sync_id=self.state.sync_id))
                first = end
        return files


def begin_spool(con: duckdb.DuckDBPyConnection, folder: Path, state: SpoolState) -> Spool:
    """Make a new spool. The spool of an earlier sync is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    spool = Spool(con, folder, state)
    spool.save()
    return spool


def left_spool(con: duckdb.DuckDBPyConnection, folder: Path, lost: list[LostFile] | None = None) -> Spool | None:
    """The spool that an interrupted sync left; None if there is none or it is damaged. Then `lost` gets the reason."""
    if not (folder / "state.json").exists():
        return None
    try:
        return _sound_spool(con, folder)
    except DamagedError:
        if lost is not None:
            lost.append(LostFile(path=f"../builds/{folder.name}", reason="is damaged, so the sync began anew"))
        return None


def _sound_spool(con: duckdb.DuckDBPyConnection, folder: Path) -> Spool:
    path = folder / "state.json"
    try:
        content = path.read_bytes()
        state = msgspec.json.decode(content, type=SpoolState)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from None
    check_seal(path, content, is_required=True)
    spool = Spool(con, folder, state)
    spool.check()
    return spool


def read_raw(paths: list[str], batch: int = 2000) -> Iterator[RawRow]:
    """The rows of raw files, in order. At most `batch` rows are in memory."""
    for path in paths:
        for records in _batches(path, batch):
            yield from _rows(records)


def read_raw_at(paths: list[str], places: Sequence[int], first: int, batch: int = 2000) -> Iterator[tuple[int, RawRow]]:
    """The rows of raw files at these ascending places, each with its place. The first row of all is at `first`."""
    done = 0
    for path in paths:
        for records in _batches(path, batch):
            end = bisect_left(places, first + len(records), done)
            if wanted := places[done:end]:
                # an array of Python's, because Arrow would import pandas to make one of a list
                inside = array("q", [place - first for place in wanted])
                taken = pa.Array.from_buffers(pa.int64(), len(inside), [None, pa.py_buffer(inside)])
                yield from zip(wanted, _rows(records.take(taken)), strict=True)
            first, done = first + len(records), end


def _rows(records: pa.RecordBatch) -> Iterator[RawRow]:
    # a file of an older format may lack a column
    columns = [_values(records[name]) if name in records.schema.names else [None] * len(records) for name in NAMES]
    return map(RawRow._make, zip(*columns, strict=True))


def _values(column: pa.Array) -> list[Any]:
    """A column's values. Instants are computed here, because Arrow takes ten times as long to make them."""
    if column.type != INSTANT:
        return list(column.to_pylist())
    return [EPOCH + timedelta(microseconds=value) for value in column.cast(WHOLE).to_pylist()]


def _batches(path: str, size: int) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(size)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise unreadable(Path(path), error) from None
