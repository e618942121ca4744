"""Raw: what JOIN said, as it said it, with when and how it was asked.

One row is one record of one answer, or one record that JOIN said it does not have (`status` 404, no payload).
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.lake.files import appearing
from join_pipeline.models.types import INSTANT, TEXT, WHOLE

ROWS_PER_PART: Final = 20_000
BYTES_PER_PART: Final = 64 * 2**20
SCHEMA: Final = pa.schema(
    [
        ("listing", TEXT),  # which listing of the feed: all, status=…, since, or look for a record's own GET
        ("page", WHOLE),
        ("record_id", TEXT),
        ("status", WHOLE),
        ("fetched_at", INSTANT),
        ("payload", TEXT),
    ]
)


class RawRow(NamedTuple):
    """One row of raw."""

    listing: str
    page: int
    record_id: str | None
    status: int
    fetched_at: datetime
    payload: str | None


class RawWriter:
    """Writes one feed's rows of one sync as parts; each part appears whole, and is then listed in `files`."""

    def __init__(self, lake: Path, feed: str, sync_id: str, files: list[str]) -> None:
        self._lake = lake
        self._folder = lake / "raw" / feed / sync_id
        self._rows: list[RawRow] = []
        self._n_bytes = 0
        self._n_parts = 0
        self.files = files

    def add(self, row: RawRow) -> None:
        self._rows.append(row)
        self._n_bytes += len(row.payload or "")
        if len(self._rows) >= ROWS_PER_PART or self._n_bytes >= BYTES_PER_PART:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self._rows:
            return
        path = self._folder / f"part-{self._n_parts:05d}.parquet"
        columns = [
            pa.array(values, field.type) for values, field in zip(zip(*self._rows, strict=True), SCHEMA, strict=True)
        ]
        with appearing(path) as aside:
            pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), aside, compression="zstd")
        self.files.append(path.relative_to(self._lake).as_posix())
        self._n_parts += 1
        self._rows = []
        self._n_bytes = 0


def read_raw(paths: list[str], batch: int = 2000) -> Iterator[RawRow]:
    """The rows of raw parts, in order, in bounded memory."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for records in file.iter_batches(batch):
                yield from (
                    RawRow(*row) for row in zip(*(column.to_pylist() for column in records.columns), strict=True)
                )
