"""The sync's record: its atomic appearance is the commit, and the newest one lists every file in force."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

FORMAT: Final = 1
"""Of the lake: of its identity, its records, and how its files lie."""
Mode = Literal["full", "incremental"]
Verdict = Literal["committed", "guarded"]


class FeedRecord(msgspec.Struct, kw_only=True):
    """One feed in one sync. `bytes` of JSON; `listed_since` is the start of the last sync that read it whole.

    `key` is the column of the feed's model by which its records are named here. `pending_looks` were put off. `unread`
    are records that broke the contract when they last came, in this sync or in one before: what it says of them is
    older than it is.
    """

    pages: int = 0
    records: int = 0
    bytes: int = 0
    looks: int = 0
    pending_looks: int = 0
    quarantined: int = 0
    unread: list[str] = []
    seconds: float = 0.0
    is_whole: bool = False
    listed_since: datetime | None = None
    key: Literal["remote_id", "id"] = "remote_id"

    def figures(self) -> dict[str, Any]:
        """What it was, for whoever shows it; `rows` are those that came."""
        return {"rows": self.records, **msgspec.structs.asdict(self)}


class ModelRecord(msgspec.Struct, kw_only=True):
    """One model in one sync: version rows written, by kind, and what is live after it."""

    new: int = 0
    changed: int = 0
    returned: int = 0
    deleted: int = 0
    live: int = 0

    @property
    def versions(self) -> int:
        return self.new + self.changed + self.returned + self.deleted

    def figures(self) -> dict[str, Any]:
        """What it was, for whoever shows it; `rows` are those that are live."""
        return {"rows": self.live, "new_versions": self.versions, **msgspec.structs.asdict(self)}


class Files(msgspec.Struct, kw_only=True):
    """Every file in force, relative to the lake."""

    raw: dict[str, list[str]] = {}
    models: dict[str, list[str]] = {}
    personal: dict[str, list[str]] = {}
    quarantine: dict[str, list[str]] = {}

    def all(self) -> set[str]:
        groups = (self.raw, self.models, self.personal, self.quarantine)
        return {path for group in groups for paths in group.values() for path in paths}


class LastFull(msgspec.Struct, kw_only=True):
    """The last full sync: when it began, and how many changes lastUpdatedAt had not announced to it."""

    started_at: datetime
    n_unannounced: int


class SyncRecord(msgspec.Struct, kw_only=True):
    """One committed sync. `as_of` is its latest fetch; all instants are the server's time.

    What the source answered may have been `max_age_seconds` old.
    """

    format: int = FORMAT
    sync_id: str
    previous: str | None
    mode: Mode
    reason: str
    verdict: Verdict = "committed"
    objections: list[str] = []
    started_at: datetime
    finished_at: datetime
    as_of: datetime
    clock_skew_seconds: float = 0.0
    mapping_version: int
    package_version: str
    only_created: bool = False
    max_age_seconds: float = 0.0
    n_requests: int = 0
    n_retries: int = 0
    n_unannounced: int = 0
    feeds: dict[str, FeedRecord] = {}
    models: dict[str, ModelRecord] = {}
    unknown: dict[str, int] = {}
    pending: dict[str, list[str]] = {}
    last_full: LastFull | None = None
    files: Files

    def parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The figures of each feed and model, by the path of what it made."""
        yield from ((f"raw/{name}", feed.figures()) for name, feed in self.feeds.items())
        yield from ((f"models/{name}", model.figures()) for name, model in self.models.items())

    def figures(self) -> dict[str, str | int | float | datetime]:
        """What the whole sync was, for whoever shows one of its parts."""
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


def sync_id_of(started_at: datetime) -> str:
    """An id that sorts by time."""
    return started_at.strftime("%Y%m%dT%H%M%S%fZ")
