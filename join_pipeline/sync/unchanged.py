"""Unchanged: which payloads of a full sync were mapped before, so that they are not mapped again.

Belongs here: what is kept of a mapped payload, which payloads have to be mapped all the same, the file. Not here:
mapping them (decode), what a sync makes of a record that it did not observe (reconcile).

    builds/unchanged.parquet   of each payload a keyed digest, ids of the lake, and what else mapping it told
    builds/unchanged.json      the key, the sync after which this held, and the file's digest

A record that is unchanged counts as read. What follows from it is known, as it is in an incremental sync that does not
read it. So the lake is the same with and without the file, and who deletes it loses nothing. Mapped are:

* payloads that are new here or changed, that a list showed twice, or that had an odd part or could not be read
* for each set of shared records (such as a stage with its questions) the unchanged payload that tells it latest
* payloads of an owner (a candidate) of whom anything changed, or of whom another payload is mapped
"""

import contextlib
import hashlib
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.errors import DamagedError, LakeError
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.integrity import check_seal, digest_of, sealed
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.raw import RawRow, read_raw, read_raw_at
from join_pipeline.lake.record import FORMAT, SyncRecord
from join_pipeline.lake.sql import empty_table, files_literal, insert_rows, write_query
from join_pipeline.models.rows import Mapped, Row
from join_pipeline.models.types import INSTANT, TEXT, TEXTS, WHOLE
from join_pipeline.sources.base import Source, UnchangingSource
from join_pipeline.sources.feed import Unchanging
from join_pipeline.sync.decode import BATCH, Decoder
from join_pipeline.sync.workspace import Workspace

FILE: Final = "unchanged.parquet"
STATE: Final = "unchanged.json"
NOTES: Final = pa.schema([("seq", WHOLE), ("shown", TEXT), ("parent_updated_at", INSTANT), ("unknown", TEXTS)])
SAME: Final = pa.schema(
    [
        ("digest", TEXT),
        ("id", TEXT),
        ("owner", TEXT),
        ("shown", TEXT),
        ("parent_updated_at", INSTANT),
        ("unknown", TEXTS),
    ]
)
CAME: Final = pa.schema([("seq", WHOLE), ("record_id", TEXT), ("digest", TEXT)])


class _State(msgspec.Struct, kw_only=True):
    made_of: str
    since: str
    key: str
    content: str
    versions: list[tuple[str, str]]


@dataclass(slots=True)
class Unchanged:
    """What is known of the payloads of one feed. `since` is None if nothing is.

    `n_same` counts the payloads that were not mapped again.
    """

    workspace: Workspace
    of: Unchanging
    shared: Collection[str]
    folder: Path
    paths: list[str]
    made_of: str
    key: str
    since: str | None
    n_same: int = 0
    _notes: list[Row] = field(default_factory=list)

    @classmethod
    def of_sync(
        cls, source: Source, lake: Lake, folder: Path, workspace: Workspace, record: SyncRecord
    ) -> "Unchanged | None":
        """What this sync can know of its payloads; None if it has to map all of them, and keeps nothing of them."""
        is_usual = record.mode == "full" and record.verdict == "committed" and not record.only_created
        if not (is_usual and isinstance(source, UnchangingSource)):
            return None
        of = source.unchanging
        mine = [file for file in record.files.raw.get(of.feed, []) if file.sync_id == record.sync_id]
        made_of = _made_of(source, lake, of, record)
        state = _known(folder, lake, made_of, record)
        return cls(
            workspace,
            of,
            sorted(source.shared),
            folder,
            lake.listed(mine),
            made_of,
            state.key if state else secrets.token_hex(16),
            state.since if state else None,
        )

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.workspace.con

    def decode(self, decoder: Decoder, unread: Collection[str]) -> None:
        """Map the payloads of the feed that have to be. `unread` are records whose last payload could not be read."""
        first = decoder.n_rows
        self._come(first)
        empty_table(self.con, "unchanged_notes", NOTES)
        if self.since is None:
            empty_table(self.con, "unchanged_same", SAME)
            decoder.take(self.of.feed, read_raw(self.paths), self._note)
        else:
            self._find_same(unread)
            mapped = "SELECT seq FROM unchanged_came WHERE seq NOT IN (SELECT seq FROM unchanged_same)"
            decoder.take_at(self.of.feed, self._rows(mapped, first), self._note)
            # a payload that was mapped may name an owner whom it did not name before
            also = self._take_from_same(f'owner IN (SELECT "{self.of.owner}" FROM seen_{self.of.feed})')
            decoder.take_at(self.of.feed, self._rows(also, first), self._note)
            decoder.n_rows = first + self._count("unchanged_came")
            self.n_same = self._count("unchanged_same")
            found = self.con.execute(
                "SELECT word, count(*) FROM (SELECT unnest(unknown) AS word FROM unchanged_same) GROUP BY word"
            )
            decoder.unknown.update(dict(found.fetchall()))
        self._flush()
        self.con.execute("INSERT INTO unchanged SELECT id FROM unchanged_same")
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE unchanged_now AS
            SELECT {", ".join(SAME.names)} FROM unchanged_same
            UNION ALL
            SELECT c.digest, s.id, s."{self.of.owner}", n.shown, n.parent_updated_at, n.unknown
            FROM unchanged_notes AS n JOIN unchanged_came AS c USING (seq) JOIN seen_{self.of.feed} AS s USING (seq)
            WHERE c.record_id NOT IN ({_TWICE})"""
        )
        for table in ("unchanged_same", "unchanged_came", "unchanged_notes"):
            self.con.execute(f"DROP TABLE {table}")

    def write(self) -> None:
        """Write what the next full sync can know, beside the file that is in force."""
        query = "FROM unchanged_now ORDER BY digest"
        write_query(self.con, query, self._next)
        self.con.execute("DROP TABLE unchanged_now")

    def settle(self, record: SyncRecord) -> None:
        """Put the written file in force: this sync is committed, so nothing may fail here any more."""
        with contextlib.suppress(OSError, LakeError):
            self._settle(record)

    def _settle(self, record: SyncRecord) -> None:
        files = (file for listed in record.files.models.values() for file in listed)
        state = _State(
            made_of=self.made_of,
            since=record.sync_id,
            key=self.key,
            content=digest_of(self._next),
            versions=[(file.path, file.digest or "") for file in files],
        )
        self._next.replace(self.folder / FILE)
        write_whole(self.folder / STATE, sealed(msgspec.json.encode(state)))

    @property
    def _next(self) -> Path:
        return self.folder / f"next-{FILE}"

    def _come(self, first: int) -> None:
        """Make the table of the rows that came: each with its place, and the keyed digest of its payload."""
        empty_table(self.con, "unchanged_came", CAME)
        for path in self.paths:
            self.con.execute(
                f"""INSERT INTO unchanged_came
                SELECT $first + 1 + file_row_number, record_id,
                    CASE WHEN payload IS NOT NULL
                        THEN left(sha256($key || regexp_replace(payload, $signed, '\\1', 'g')), 32) END
                FROM read_parquet({files_literal([path])}, file_row_number = true)""",
                {"first": first, "key": self.key, "signed": self.of.signed},
            )
            first += int(pq.read_metadata(path).num_rows)

    def _find_same(self, unread: Collection[str]) -> None:
        """Make the table of the unchanged rows, without those that have to be mapped all the same."""
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE unchanged_same AS
            SELECT c.seq, try_cast(c.record_id AS BIGINT) AS parent_id, m.*
            FROM unchanged_came AS c JOIN read_parquet({files_literal([str(self.folder / FILE)])}) AS m USING (digest)
            WHERE c.record_id NOT IN ({_TWICE}) AND c.record_id NOT IN (SELECT unnest($unread::VARCHAR[]))
                AND m.id IN (SELECT id FROM versions_{self.of.feed} GROUP BY id HAVING max(sync_id) <= $since)""",
            {"unread": sorted(unread), "since": self.since},
        )
        latest = (
            "struct_pack(at := coalesce(parent_updated_at, '-infinity'::TIMESTAMPTZ), id := coalesce(parent_id, 0))"
        )
        last_told = f"SELECT arg_max(seq, {latest}) FROM unchanged_same WHERE shown <> '' GROUP BY shown"
        self._take_from_same(f"seq IN ({last_told}) OR owner IN ({self._concerned(last_told)})")

    def _take_from_same(self, condition: str) -> str:
        """Take rows from the unchanged ones. Returns SQL of their places."""
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE unchanged_taken AS SELECT seq FROM unchanged_same WHERE {condition}"
        )
        self.con.execute("DELETE FROM unchanged_same WHERE seq IN (FROM unchanged_taken)")
        return "FROM unchanged_taken"

    def _concerned(self, mapped: str) -> str:
        """SQL of the owners of whom anything changed, and of those of the unchanged payloads that are `mapped`."""
        feed, owner = self.of.feed, self.of.owner
        later = [
            f"SELECT \"{column}\" FROM versions_{model} WHERE sync_id > '{self.since}'"
            for model, column in self.of.owned.items()
        ]
        changed = f'SELECT "{owner}" FROM versions_{feed} WHERE id NOT IN (SELECT id FROM unchanged_same)'
        known = f"SELECT owner FROM unchanged_same WHERE seq IN ({mapped})"
        return f"SELECT owner FROM ({' UNION '.join([known, changed, *later])}) AS one(owner) WHERE owner IS NOT NULL"

    def _rows(self, places: str, first: int) -> Iterator[tuple[int, RawRow]]:
        """The rows at these places. `places` is SQL."""
        wanted = [row[0] for row in self.con.execute(f"FROM ({places}) ORDER BY seq").fetchall()]
        return read_raw_at(self.paths, wanted, first + 1) if wanted else iter(())

    def _count(self, table: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

    def _note(self, seq: int, mapped: Mapped) -> None:
        """Note a mapped payload; one with an odd part not, because what it lacks depends on what was known."""
        if mapped.odd or mapped.gone or mapped.endings:
            return
        rows = [row for model in self.shared for row in mapped.rows.get(model, ())]
        shown = (
            hashlib.blake2b("".join([row["id"] for row in rows]).encode(), digest_size=8).hexdigest() if rows else ""
        )
        at = rows[0].get("parent_updated_at") if rows else None
        self._notes.append({"seq": seq, "shown": shown, "parent_updated_at": at, "unknown": mapped.unknown})
        if len(self._notes) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        insert_rows(self.con, "unchanged_notes", NOTES, self._notes)
        self._notes = []


_TWICE: Final = (
    "SELECT record_id FROM unchanged_came WHERE record_id IS NOT NULL GROUP BY record_id HAVING count(*) > 1"
)


def _known(folder: Path, lake: Lake, made_of: str, record: SyncRecord) -> _State | None:
    """What a sync before this one kept; None if it does not hold any more, or can't be read.

    It holds if the lake has that sync, and if every version since is one of a later sync: a replay, an upgrade and an
    erasure write versions anew.
    """
    path = folder / STATE
    try:
        content = path.read_bytes()
        check_seal(path, content, is_required=True)
        state = msgspec.json.decode(content, type=_State)
        if state.made_of != made_of or state.content != digest_of(folder / FILE):
            return None
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError, DamagedError):
        return None
    known = set(state.versions)
    files = (file for listed in record.files.models.values() for file in listed)
    is_there = lake.record(state.since) is not None
    return state if is_there and all(file.adds_to(known, state.since) for file in files) else None


def _made_of(source: Source, lake: Lake, of: Unchanging, record: SyncRecord) -> str:
    """A digest of all that decides which rows a payload becomes."""
    parts = (version("join-pipeline"), duckdb.__version__, FORMAT, source.name, source.mapping_version)
    ids = (lake.integration_id, lake.source, record.integration_id)
    return hashlib.sha256(repr((parts, ids, sorted(record.kept_out), of)).encode()).hexdigest()
