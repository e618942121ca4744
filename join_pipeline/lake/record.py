"""The record of a sync. Writing it is the commit, and the newest record lists every file in force.

Belongs here: a record as typed data. Not here: reading and writing it (lake), records of older releases (formats).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

FORMAT: Final = 4
"""The number of the lake's format: its identity, its records, the layout of its files and their columns.

A release that changes one of these raises the number. `docs/developers/changing-the-lake.md` says how.
"""
ID_FORMAT: Final = "%Y%m%dT%H%M%S%fZ"
Mode = Literal["full", "incremental"]
Verdict = Literal["committed", "guarded"]
Suspect = Literal["", "server", "machine", "unknown"]
"""Whose clock seems wrong; `server` may also be a proxy on the way."""


class FeedRecord(msgspec.Struct, kw_only=True):
    """One feed in one sync.

    `bytes` counts the bytes of JSON. `looks` counts second looks, `pending_looks` those that were put off, and
    `pending_undecided` those of them about records without a decision; None where an older version did not count them.
    `unread` lists the records whose last payload broke the contract, in this sync or an earlier one. What the lake has
    of them may be out of date.
    `listed_since` is the start of the last sync that read the feed whole, or the newest update that was listed by then.
    `key` is the column that identifies the feed's records here: in `unread`, and in `pending` of the sync record.
    """

    pages: int = 0
    records: int = 0
    bytes: int = 0
    looks: int = 0
    pending_looks: int = 0
    pending_undecided: int | None = None
    quarantined: int = 0
    unread: list[str] = []
    seconds: float = 0.0
    is_whole: bool = False
    listed_since: datetime | None = None
    key: Literal["remote_id", "id"] = "remote_id"

    def figures(self) -> dict[str, Any]:
        """The figures for display; `rows` counts the fetched records."""
        return {"rows": self.records, **msgspec.structs.asdict(self)}


class ModelRecord(msgspec.Struct, kw_only=True):
    """One model in one sync: the number of written versions by kind, and of live records after the sync."""

    new: int = 0
    changed: int = 0
    returned: int = 0
    deleted: int = 0
    live: int = 0

    @property
    def versions(self) -> int:
        return self.new + self.changed + self.returned + self.deleted

    def figures(self) -> dict[str, Any]:
        """The figures for display; `rows` counts live records."""
        return {"rows": self.live, "new_versions": self.versions, **msgspec.structs.asdict(self)}


class FileKind(StrEnum):
    """What wrote a file."""

    WRITTEN = "written"
    """A sync wrote it."""
    MERGED = "merged"
    """Compaction merged several files into it."""
    REPLAYED = "replayed"
    """A replay of kept raw, or an upgrade of the lake, wrote it anew."""


class LakeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file in force.

    `path` is relative to the lake. `sync_id` is the sync that wrote the file, or the last sync whose rows it has.
    `format` is the lake's format when the file was written.
    `size` in bytes and `digest`, a SHA-256, are those of the file at the commit; None in a record before format 3.
    """

    path: str
    sync_id: str
    kind: FileKind = FileKind.WRITTEN
    format: int = FORMAT
    size: int | None = None
    digest: str | None = None

    def is_twin_of(self, other: "LakeFile") -> bool:
        """Whether the two are the version file and the personal file of the same rows."""
        return (self.sync_id, self.kind) == (other.sync_id, other.kind)

    def adds_to(self, known: Collection[tuple[str, str]], since: str) -> bool:
        """Whether its versions are known, by its path and digest, or are of syncs after `since`.

        A merged file keeps every version. One that was written anew (a replay, an upgrade, an erasure) may not.
        """
        is_known = self.digest is not None and (self.path, self.digest) in known
        return is_known or (self.sync_id > since and self.kind is not FileKind.REPLAYED)


FilesByName = dict[str, list[LakeFile]]


class Files(msgspec.Struct, kw_only=True):
    """Every file in force: by feed for `raw` and `quarantine`, by model for `models` and `personal`; oldest first."""

    raw: FilesByName = {}
    models: FilesByName = {}
    personal: FilesByName = {}
    quarantine: FilesByName = {}

    def groups(self) -> Mapping[str, FilesByName]:
        """The four groups by name."""
        return {"raw": self.raw, "models": self.models, "personal": self.personal, "quarantine": self.quarantine}

    def all(self) -> set[str]:
        """The paths of all files."""
        return {file.path for group in self.groups().values() for files in group.values() for file in files}

    def copy(self) -> "Files":
        """A copy whose lists can be changed without changing these lists."""
        return Files(
            **{name: {key: list(files) for key, files in group.items()} for name, group in self.groups().items()}
        )


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why the guard objected to a feed's listing."""

    feed: str
    reason: str

    def __str__(self) -> str:
        return f"{self.feed}: {self.reason}"


class LostFile(msgspec.Struct, frozen=True, kw_only=True):
    """A dispensable file that this sync dropped, because it was missing or damaged. `path` is relative to the lake."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


class LastFull(msgspec.Struct, kw_only=True):
    """The last full sync: its start, and the number of unannounced changes that it found."""

    started_at: datetime
    n_unannounced: int


class ClockRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers of a sync said about the time.

    `n_dated` counts answers with a date, `n_astray` those whose date differs from the median. `is_believed`: whether
    the median was, or there was none; else this machine's clock counted. `is_simulated`: the server is a sandbox.
    """

    n_dated: int = 0
    n_astray: int = 0
    is_believed: bool = True
    is_simulated: bool = False
    suspect: Suspect = ""


class SyncRecord(msgspec.Struct, kw_only=True):
    """One committed sync. All instants are server time; `as_of` is the latest fetch.

    `max_age_seconds`: how old a response of the source may have been.
    `pending_since`: when the oldest pending look of each feed was put off.
    `starts`: the starts of syncs with listed files whose ids do not tell it, because ids must sort after those before.
    `told_at` is the start that a sync had noted wrongly, in the future, and `moved_seconds` by how much its instants
    were moved to the past. Its raw rows keep theirs.
    `unknown` counts words and fields that the mapping does not know, `odd` parts of an unexpected shape: by name.
    `mapped_since`: the first sync with the current `mapping_version`. An older mapping made the versions before it.
    `lost`: the dispensable files that this sync found missing or damaged, and dropped.
    `source`: the source that it read; empty if an older release wrote the record, and then it is the lake's own.
    `kept_out`: the words for what it kept out of the lake; `kept_out_since`: the first sync with the same ones.
    `integration_id`: the id at that source, if a lake that another source began goes on with it.
    """

    format: int = FORMAT
    sync_id: str
    previous: str | None
    mode: Mode
    reason: str
    verdict: Verdict = "committed"
    objections: list[Objection] = []
    started_at: datetime
    finished_at: datetime
    as_of: datetime
    clock_skew_seconds: float = 0.0
    clock: ClockRecord = ClockRecord()
    starts: dict[str, datetime] = {}
    told_at: datetime | None = None
    moved_seconds: float = 0.0
    mapping_version: int
    mapped_since: str = ""
    package_version: str
    source: str = ""
    integration_id: str | None = None
    only_created: bool = False
    kept_out: list[str] = []
    kept_out_since: str = ""
    max_age_seconds: float = 0.0
    n_requests: int = 0
    n_retries: int = 0
    n_unannounced: int = 0
    feeds: dict[str, FeedRecord] = {}
    models: dict[str, ModelRecord] = {}
    unknown: dict[str, int] = {}
    odd: dict[str, int] = {}
    pending: dict[str, list[str]] = {}
    pending_since: dict[str, datetime] = {}
    last_full: LastFull | None = None
    lost: list[LostFile] = []
    files: Files

    @property
    def guarded(self) -> set[str]:
        """The feeds that the guard objected to."""
        return {objection.feed for objection in self.objections}

    def dated(self, sync_id: str) -> str:
        """The id that tells when that sync started. It is not always its own."""
        return sync_id_of(self.starts[sync_id]) if sync_id in self.starts else sync_id

    def latest(self) -> datetime:
        """The latest instant of the record."""
        listed = (feed.listed_since for feed in self.feeds.values() if feed.listed_since is not None)
        full = (self.last_full.started_at,) if self.last_full else ()
        return max(self.started_at, self.finished_at, self.as_of, *listed, *full)

    def put_right(self, at: datetime) -> datetime:
        """An instant at which this sync observed something. If the sync was moved to the past, its rows were not."""
        if self.told_at is None:
            return at
        if at >= self.told_at:
            at -= timedelta(seconds=self.moved_seconds)
        return min(max(at, self.started_at), self.as_of)

    def parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The figures of each feed and model, with its path in the lake, such as `raw/jobs`."""
        for name, feed in self.feeds.items():
            odd = {part: n for part, n in self.odd.items() if part.startswith(f"{name}.")}
            yield f"raw/{name}", feed.figures() | {"odd_parts": odd}
        yield from ((f"models/{name}", model.figures()) for name, model in self.models.items())

    def figures(self) -> dict[str, str | int | float | datetime]:
        """The figures of the whole sync."""
        return {
            "sync_id": self.sync_id,
            "mode": self.mode,
            "reason": self.reason,
            "verdict": self.verdict,
            "as_of": self.as_of,
            "sync_requests": self.n_requests,
            "sync_retries": self.n_retries,
            "sync_seconds": (self.finished_at - self.started_at).total_seconds(),
        }


def paths_of(files: Iterable[LakeFile]) -> list[str]:
    """The paths of these files."""
    return [file.path for file in files]


def sync_id_after(started_at: datetime, previous: str | None) -> str:
    """The id of the sync that started then: after the id of the sync before it, whatever the clock says."""
    own = sync_id_of(started_at)
    if previous is None or own > previous:
        return own
    try:
        return sync_id_of(datetime.strptime(previous, ID_FORMAT).replace(tzinfo=UTC) + timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return f"{previous}0"


def sync_id_of(started_at: datetime) -> str:
    """The id of the sync that started then. Ids sort by time."""
    return started_at.strftime(ID_FORMAT)
