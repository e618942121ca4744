"""Decode: turning raw rows into observations, in one table of the workspace for each model.

Belongs here: running the mapping over raw in bounded memory, setting records aside, counting unknown words and odd
parts. Not here: what a payload means (a source's mapping), which of several observations holds (precedence).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from join_pipeline.errors import ContractError
from join_pipeline.lake.hashing import HEAVY
from join_pipeline.lake.raw import RawRow
from join_pipeline.models.ids import Ids
from join_pipeline.models.kept_out import empty
from join_pipeline.models.rows import Mapped, Row
from join_pipeline.models.types import INSTANT, TEXT
from join_pipeline.sources.base import Mapper
from join_pipeline.sources.feed import Key
from join_pipeline.sync.precedence import WINNER
from join_pipeline.sync.workspace import Workspace

Note = Callable[[int, Mapped], None]
"""A function that is called with the place of each mapped row and what it was mapped to."""
BATCH: Final = 5_000
MOST_REMEMBERED: Final = 100_000
QUARANTINE: Final = pa.schema([("record_id", TEXT), ("fetched_at", INSTANT), ("reason", TEXT), ("payload", TEXT)])


@dataclass(slots=True)
class Decoder:
    """Fills the workspace's tables of the decode phase.

    `unread` lists, by feed, the records whose last payload broke the contract. `quarantined` has the rows to set aside.
    """

    workspace: Workspace
    mapper: Mapper
    shared: frozenset[str]  # models whose records many parents show: a batch keeps the observation that can hold
    ids: Ids
    keys: Mapping[str, Key]  # by feed, the column that identifies its records
    emptied: Mapping[str, Collection[str]] = field(default_factory=dict)  # by model, the columns that are kept out
    keeps_payloads: bool = True
    unknown: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    quarantined: dict[str, list[Row]] = field(default_factory=dict)
    unread: dict[str, set[str | None]] = field(default_factory=dict)
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _best: dict[str, dict[str, Row]] = field(default_factory=dict)
    _last: dict[tuple[str, str | None], int] = field(default_factory=dict)
    _gone: list[Row] = field(default_factory=list)
    _missing: list[Row] = field(default_factory=list)
    _unread: list[Row] = field(default_factory=list)
    _endings: dict[str, list[Row]] = field(default_factory=dict)
    n_rows: int = 0  # of raw so far: the place of the next one is one more
    _n: int = 0
    _seq: int = 0

    def __post_init__(self) -> None:
        self.workspace.begin_decode()

    def take(self, feed: str, rows: Iterable[RawRow], note: Note | None = None) -> None:
        """Map one feed's raw rows, in their order."""
        self.take_at(feed, enumerate(rows, self.n_rows + 1), note)

    def take_at(self, feed: str, rows: Iterable[tuple[int, RawRow]], note: Note | None = None) -> None:
        """Map raw rows, each with its place among the rows of all feeds."""
        unread = self.unread.setdefault(feed, set())
        for self._seq, raw in rows:
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
            self.odd.update(mapped.odd)
            self._empty(mapped)
            if note is not None:
                note(self._seq, mapped)
            for model, found in mapped.rows.items():
                # a payload may show a nested record twice, and (seq, id) identifies an observation
                once = found if len(found) == 1 else list({row["id"]: row for row in reversed(found)}.values())
                for row in once:
                    row["observed_at"], row["seq"] = raw.fetched_at, self._seq
                self._hold(model, once)
            self._take_endings(mapped, raw)
            self._n += 1
            if self._n >= BATCH:
                self._flush()
        self._flush()
        self.n_rows = max(self.n_rows, self._seq)

    def _empty(self, mapped: Mapped) -> None:
        """Empty the columns that are kept out. Payloads lack most of them already; some are made of what is left."""
        for model, columns in self.emptied.items():
            for row in (*mapped.rows.get(model, ()), *mapped.endings.get(model, ())):
                empty(row, columns)

    def _take_endings(self, mapped: Mapped, raw: RawRow) -> None:
        seen = {"observed_at": raw.fetched_at, "seq": self._seq}
        for model, record_id, at in mapped.gone:
            self._gone.append({"model": model, "id": record_id, "remote_deleted_at": at, **seen})
        for model, found in mapped.endings.items():
            self._endings.setdefault(model, []).extend(row | seen for row in found)

    def _is_repeated(self, feed: str, raw: RawRow) -> bool:
        """Whether the payload equals the last payload of the record, byte for byte.

        A sync lists some records twice. It maps an unchanged payload once only. Python keys the hash of a text anew in
        each process, and only payloads of one record are compared.
        """
        key, content = (feed, raw.record_id), hash(raw.payload)
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
            if known is None or WINNER.prefers(row, known):
                best[row["id"]] = row

    def _flush(self) -> None:
        held = {model: list(best.values()) for model, best in self._best.items()}
        for model, rows in (self._rows | held).items():
            # apart from the others, because the whole payload is most of a row, and no step compares it
            payloads = [(row["id"], row["seq"], row.pop(HEAVY, None)) for row in rows]
            self.workspace.add("seen", model, rows)
            if heavy := [{"id": key, "seq": seq, HEAVY: text} for key, seq, text in payloads if text is not None]:
                self.workspace.add("payloads", model, heavy)
        for model, rows in self._endings.items():
            self.workspace.add("ended", model, rows)
        if self._missing:
            self.workspace.add("missing", None, self._missing)
        if self._unread:
            self.workspace.add("unread", None, self._unread)
        if self._gone:
            self.workspace.add("said_gone", None, self._gone)
        self._rows, self._best, self._endings, self._n = {}, {}, {}, 0
        self._gone, self._missing, self._unread = [], [], []

    def _miss(self, feed: str, raw: RawRow) -> None:
        self._missing.append(self._named(feed, raw))

    def _named(self, feed: str, raw: RawRow) -> Row:
        """A record of which only the id is known. A feed with second looks has the name of its model."""
        record_id = self._id_of(feed, raw.record_id)
        return {"model": feed, "id": record_id, "remote_id": raw.record_id, "observed_at": raw.fetched_at}

    def _id_of(self, feed: str, record_id: str | None) -> str:
        return self.ids.of(feed, record_id) if self.keys[feed] == "remote_id" else record_id or ""

    def _set_aside(self, feed: str, raw: RawRow, reason: str) -> None:
        if raw.record_id is not None:
            self._unread.append(self._named(feed, raw))
        row = {"record_id": raw.record_id, "fetched_at": raw.fetched_at, "reason": reason}
        row["payload"] = raw.payload if self.keeps_payloads else None
        self.quarantined.setdefault(feed, []).append(row)
