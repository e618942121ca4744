"""Seen: raw rows, decoded and mapped, as one table per model in the scratch database.

Belongs here: running the mapping over raw in bounded memory, setting broken records aside, counting what is unknown.
Not here: what a payload means (mapping), which of several observations wins (fold).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any, Final

import duckdb
import pyarrow as pa

from join_pipeline.errors import ContractError
from join_pipeline.lake.raw import RawRow
from join_pipeline.lake.sql import empty_table
from join_pipeline.models import MODELS, Column
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped, Row
from join_pipeline.models.types import FLAG, INSTANT, TEXT, WHOLE
from join_pipeline.sources.base import Mapper
from join_pipeline.sources.feed import Key

BATCH: Final = 5_000
MOST_REMEMBERED: Final = 100_000
# filled in by the fold: they depend on what was known before
FOLDED: Final = frozenset({"changed_at", "remote_deleted_at", "sync_id", "content_hash", "reason"})
ORDER: Final = (
    ("parent_updated_at", INSTANT),
    ("parent_id", WHOLE),
    ("priority", WHOLE),
    ("shows_tags", FLAG),
    ("seq", WHOLE),
)
# held apart, by the row of raw that it came with: it is most of the bytes, and nothing but writing it needs it
HEAVY: Final = "remote_data"
QUARANTINE: Final = pa.schema([("record_id", TEXT), ("fetched_at", INSTANT), ("reason", TEXT), ("payload", TEXT)])


PAYLOADS: Final = pa.schema([("seq", WHOLE), (HEAVY, TEXT)])
SAID_GONE: Final = pa.schema(
    [("model", TEXT), ("id", TEXT), ("remote_deleted_at", INSTANT), ("observed_at", INSTANT), ("seq", WHOLE)]
)


def light(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Columns without the heavy one."""
    return tuple(column for column in columns if column.name != HEAVY)


def payloads(model: str) -> str:
    """The table with the heavy column of a model's observations, by their `seq`."""
    return f"payloads_{model}"


def seen_schema(model: str) -> pa.Schema:
    """Columns of `seen_<model>`: the model's, without what the fold adds, and what decides between observations."""
    fields = [(c.name, c.type) for c in light(MODELS[model].version_columns) if c.name not in FOLDED]
    return pa.schema(fields + list(ORDER))


@dataclass(slots=True)
class Seen:
    """The tables `seen_<model>` and `payloads_<model>`, `missing`, `said_gone` and `ended_<model>`, being filled.

    `missing` is what the source says it does not have, `said_gone` what it says was deleted, and `ended_<model>` how
    that was in the end, as far as it still tells.
    """

    con: duckdb.DuckDBPyConnection
    mapper: Mapper
    shared: frozenset[str]  # come through many parents: within a batch only the one that can win is kept
    ids: Ids
    keys: Mapping[str, Key]  # by feed, what its records are called by
    unknown: Counter[str] = field(default_factory=Counter)
    quarantined: dict[str, list[Row]] = field(default_factory=dict)
    unread: dict[str, set[str | None]] = field(default_factory=dict)
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _best: dict[str, dict[str, Row]] = field(default_factory=dict)
    _last: dict[tuple[str, str | None], bytes] = field(default_factory=dict)
    _gone: list[Row] = field(default_factory=list)
    _endings: dict[str, list[Row]] = field(default_factory=dict)
    _n: int = 0
    _seq: int = 0

    def __post_init__(self) -> None:
        for model in MODELS:
            empty_table(self.con, f"seen_{model}", seen_schema(model))
            empty_table(self.con, f"ended_{model}", seen_schema(model))
            empty_table(self.con, payloads(model), PAYLOADS)
        empty_table(self.con, "said_gone", SAID_GONE)
        missing = pa.schema([("model", TEXT), ("id", TEXT), ("remote_id", TEXT), ("observed_at", INSTANT)])
        empty_table(self.con, "missing", missing)

    def take(self, feed: str, rows: Iterable[RawRow]) -> None:
        """Map one feed's raw rows, in their order. Adds to `unread` whose last row broke the contract."""
        unread = self.unread.setdefault(feed, set())
        for raw in rows:
            self._seq += 1
            if raw.payload is None:
                self._miss(feed, raw)
                unread.discard(raw.record_id)
                continue
            if self._is_repeated(feed, raw):
                continue
            try:
                mapped = self.mapper.map(feed, raw.payload)
            except ContractError as error:
                self._set_aside(feed, raw, str(error))
                unread.add(raw.record_id)
                continue
            unread.discard(raw.record_id)
            self.unknown.update(mapped.unknown)
            for model, found in mapped.rows.items():
                for row in found:
                    row |= {"observed_at": raw.fetched_at, "seq": self._seq}
                self._hold(model, found)
            self._take_endings(mapped, raw)
            self._n += 1
            if self._n >= BATCH:
                self._flush()
        self._flush()

    def _take_endings(self, mapped: Mapped, raw: RawRow) -> None:
        seen = {"observed_at": raw.fetched_at, "seq": self._seq}
        for model, record_id, at in mapped.gone:
            self._gone.append({"model": model, "id": record_id, "remote_deleted_at": at, **seen})
        for model, found in mapped.endings.items():
            self._endings.setdefault(model, []).extend(row | seen for row in found)

    def quarantine_table(self, feed: str) -> pa.Table:
        """What of a feed was set aside."""
        return pa.Table.from_pylist(self.quarantined[feed], QUARANTINE)

    def _is_repeated(self, feed: str, raw: RawRow) -> bool:
        """Whether this is what the record's last observation said, to the byte.

        Every job is listed twice, and the first time every application: what it says is not worked out twice.
        """
        key, content = (feed, raw.record_id), md5((raw.payload or "").encode(), usedforsecurity=False).digest()
        if self._last.get(key) == content:
            return True
        if len(self._last) >= MOST_REMEMBERED:
            self._last.clear()
        self._last[key] = content
        return False

    def _hold(self, model: str, rows: list[Row]) -> None:
        if model not in self.shared:
            self._rows.setdefault(model, []).extend(rows)
            return
        best = self._best.setdefault(model, {})
        for row in rows:
            known = best.get(row["id"])
            if known is None or _order(row) > _order(known):
                best[row["id"]] = row

    def _flush(self) -> None:
        for model, rows in [*self._rows.items(), *((m, list(best.values())) for m, best in self._best.items())]:
            if rows:
                self._insert(f"seen_{model}", pa.Table.from_pylist(rows, seen_schema(model)))
                if HEAVY in rows[0]:
                    self._insert(payloads(model), pa.Table.from_pylist(rows, PAYLOADS))
        for model, rows in self._endings.items():
            self._insert(f"ended_{model}", pa.Table.from_pylist(rows, seen_schema(model)))
        if self._gone:
            self._insert("said_gone", pa.Table.from_pylist(self._gone, SAID_GONE))
        self._rows, self._best, self._gone, self._endings, self._n = {}, {}, [], {}, 0

    def _insert(self, table: str, rows: pa.Table) -> None:
        self.con.register("_batch", rows)
        self.con.execute(f"INSERT INTO {table} SELECT * FROM _batch")
        self.con.unregister("_batch")

    def _miss(self, feed: str, raw: RawRow) -> None:
        # the feeds that are looked at one by one bear their model's name
        row = [feed, self._id_of(feed, raw.record_id), raw.record_id, raw.fetched_at]
        self.con.execute("INSERT INTO missing VALUES (?, ?, ?, ?)", row)

    def _id_of(self, feed: str, record_id: str | None) -> str:
        return self.ids.of(feed, record_id) if self.keys[feed] == "remote_id" else record_id or ""

    def _set_aside(self, feed: str, raw: RawRow, reason: str) -> None:
        row = {"record_id": raw.record_id, "fetched_at": raw.fetched_at, "reason": reason, "payload": raw.payload}
        self.quarantined.setdefault(feed, []).append(row)


def _order(row: Row) -> tuple[Any, ...]:
    """Which observation of a shared record wins: as in `fold.WINNER`."""
    return (row.get("priority", 0), row["parent_updated_at"], row["parent_id"], row["observed_at"], row["seq"])
