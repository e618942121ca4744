"""Putting a lake right whose instants lie in the future, because a sync believed a wrong clock.

Belongs here: when such syncs may really have been, correcting their records and versions. Not here: whether the future
is the fault, or this machine's clock (sync.clock).

A sync keeps its id: ids only have to sort. Its raw keeps its instants, and a replay reads them as they are put right.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import FeedRecord, LastFull, SyncRecord, sync_id_of
from join_pipeline.lake.sql import empty_table, insert_rows, scratch
from join_pipeline.lake.upgrade import write_anew
from join_pipeline.models import MODELS, Model
from join_pipeline.models.types import INSTANT, TEXT, WHOLE

TICK: Final = timedelta(milliseconds=1)
OBSERVED: Final = ("changed_at", "observed_at")
MOVED: Final = pa.schema(
    [("sync_id", TEXT), ("told_at", INSTANT), ("started_at", INSTANT), ("as_of", INSTANT), ("moved", WHOLE)]
)


def put_right(lake: Lake, now: datetime, tolerance: timedelta, builds: Path, memory_limit: str) -> list[str]:
    """Move all instants that are later than `now` by more than `tolerance` to the past. Returns the ids of the syncs.

    Watermarks in the future are forgotten, so the next sync is full. The newest record is written last. If this is cut
    off before that, it is done again.
    """
    records = lake.records()
    moved = list(_move(records, now, now + tolerance))
    newest = lake.newest()
    if not moved or newest is None:
        return []
    corrected = {record.sync_id: record for record in records if record.told_at is not None}
    lake.correct(record for record in moved if record.sync_id != newest.sync_id)
    newest = corrected[newest.sync_id]
    newest.starts |= {r.sync_id: r.started_at for r in corrected.values() if sync_id_of(r.started_at) != r.sync_id}
    rows = (
        {
            "sync_id": one.sync_id,
            "told_at": one.told_at,
            "started_at": one.started_at,
            "as_of": one.as_of,
            "moved": round(one.moved_seconds * 1_000_000),
        }
        for one in corrected.values()
    )
    with scratch(builds, memory_limit) as con:
        empty_table(con, "moved", MOVED)
        insert_rows(con, "moved", MOVED, rows)
        for name, model in MODELS.items():
            if newest.files.models.get(name) and _is_concerned(con, lake, model, newest):
                write_anew(con, lake.path, model, newest.files, newest.sync_id, _corrected(model))
    lake.commit(newest)
    lake.remove_unlisted(newest)
    return [record.sync_id for record in moved]


def _move(records: Sequence[SyncRecord], now: datetime, limit: datetime) -> Iterator[SyncRecord]:
    """Move the instants of records that lie after `limit`, each after the start of the sync before it."""
    starts: dict[datetime, datetime] = {}
    previous: datetime | None = None
    for n, record in enumerate(records):
        told, is_ahead = record.started_at, record.latest() > limit
        if is_ahead:
            latest_start = now - (len(records) - n) * TICK
            record.started_at, is_known = _true_start(record, previous, latest_start, limit)
            record.moved_seconds += (told - record.started_at).total_seconds() if is_known else 0.0
            record.told_at = told
            by = told - record.started_at if is_known else timedelta(0)
            record.as_of, record.finished_at = (
                _not_after(at - by if at > limit else at, record.started_at, now)
                for at in (record.as_of, record.finished_at)
            )
            starts[told] = record.started_at
            for figures in record.feeds.values():
                _forget(figures, limit)
            if record.last_full and record.last_full.started_at > limit:
                at = starts.get(record.last_full.started_at)
                full = None if at is None else LastFull(started_at=at, n_unannounced=record.last_full.n_unannounced)
                record.last_full = full
            yield record
        previous = record.started_at


def _true_start(
    record: SyncRecord, previous: datetime | None, latest: datetime, limit: datetime
) -> tuple[datetime, bool]:
    """When a sync began that says that it began after `limit`, and whether that is known.

    The clock that it did not believe said it. If that does not fit either, it began somewhere after the sync before it,
    and the earliest instant holds: what it proves, it proves from then on.
    """
    if record.started_at <= limit:
        return record.started_at, True
    after = None if previous is None else previous + TICK
    skew = timedelta(seconds=record.clock_skew_seconds)
    other = record.started_at + (-skew if record.clock.is_believed else skew)
    if skew and (after is None or after <= other) and other <= latest:
        return other, True
    return (latest if after is None else after), False


def _not_after(at: datetime, started_at: datetime, now: datetime) -> datetime:
    return max(min(at, now), started_at)


def _forget(figures: FeedRecord, limit: datetime) -> None:
    if figures.listed_since is not None and figures.listed_since > limit:
        figures.listed_since = None


def _is_concerned(con: duckdb.DuckDBPyConnection, lake: Lake, model: Model, record: SyncRecord) -> bool:
    """Whether the versions of a model have an instant of a sync that was moved."""
    relation = versions_relation(lake.path, model, record.files.models[model.name])
    told = " OR ".join(f'v."{name}" = m.told_at' for name in _instants(model))
    query = f"SELECT 1 FROM {relation} AS v JOIN moved AS m ON v.sync_id = m.sync_id OR {told} LIMIT 1"
    return con.execute(query).fetchone() is not None


def _corrected(model: Model) -> Callable[[str], str]:
    """The function that makes of a relation of versions the same with the instants of moved syncs put right."""
    starts = ", ".join(
        f"""coalesce((SELECT any_value(m.started_at) FROM moved AS m WHERE m.told_at = v."{name}"), v."{name}")
            AS "{name}" """
        for name in _instants(model)
    )

    def corrected(relation: str) -> str:
        return f"""SELECT v.* REPLACE (
            coalesce(o.started_at, v.changed_at) AS changed_at,
            CASE WHEN o.sync_id IS NULL THEN v.observed_at ELSE least(o.as_of, greatest(o.started_at,
                v.observed_at - to_microseconds(CASE WHEN v.observed_at >= o.told_at THEN o.moved ELSE 0 END)
            )) END AS observed_at,
            {starts}
        ) FROM ({relation}) AS v LEFT JOIN moved AS o ON o.sync_id = v.sync_id"""

    return corrected


def _instants(model: Model) -> list[str]:
    """The instants of a version that may be the start of the sync that observed it, or of one before."""
    return [column.name for column in model.plain if column.type == INSTANT and column.name not in OBSERVED]
