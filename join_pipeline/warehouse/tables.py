"""Tables that load writes beside those of the models: each declared once, with its columns, types and meaning.

Belongs here: the declarations. Not here: filling the tables (load), the models' own tables (models).
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from join_pipeline.models.types import FLAG, INSTANT, TEXT, WHOLE, Column


@dataclass(frozen=True, slots=True)
class BesideTable:
    """One table of `ats` or `ats_history`. `key` are the columns that tell its rows apart."""

    schema: str
    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def arrow(self) -> pa.Schema:
        return pa.schema([(column.name, column.type) for column in self.columns])


AS_OF: Final = BesideTable(
    "ats",
    "as_of",
    "What the warehouse knows reaches to here. One row.",
    (
        Column("as_of", INSTANT, "Latest fetch time of the last committed sync"),
        Column("sync_id", TEXT, "The last committed sync"),
    ),
    ("sync_id",),
)
PSEUDONYMS: Final = BesideTable(
    "ats",
    "pseudonyms",
    "Pseudonyms of applications, candidates and users, made at load with a key that dbt never sees. One row per "
    "record.",
    (
        Column("model", TEXT, "applications, candidates or users"),
        Column("id", TEXT, "The record's id"),
        Column("pseudonym", TEXT, "The pseudonym, 26 characters"),
    ),
    ("model", "id"),
)
STATES: Final = BesideTable(
    "ats",
    "application_states",
    "What the source's words for the state of an application mean. One row per word; none of a source without them.",
    (
        Column("state", TEXT, "The source's own word"),
        Column("milestone", TEXT, "Milestone at which the word places an application, whatever its stage"),
        Column("is_initial", FLAG, "Whether it means that nothing was done about the application yet"),
    ),
    ("state",),
)
SYNCS: Final = BesideTable(
    "ats_history",
    "syncs",
    "Committed syncs. One row each.",
    (
        Column("sync_id", TEXT, "The sync; ids sort by time"),
        Column("mode", TEXT, "full or incremental"),
        Column("verdict", TEXT, "committed, or guarded: the guard kept what the listing lacked"),
        Column("started_at", INSTANT, "Start, server time"),
        Column(
            "proves_at",
            INSTANT,
            "What it shows was so then: its start, less the age that the answers of its source may have",
        ),
        Column("finished_at", INSTANT, "End, server time"),
        Column("as_of", INSTANT, "Latest fetch time of the sync"),
        Column("is_applications_whole", FLAG, "Whether its listing of applications, full or filtered, was read whole"),
        Column("previous_sync_id", TEXT, "The committed sync before it"),
        Column("n_requests", WHOLE, "Requests made"),
        Column("n_unannounced", WHOLE, "Changes found that the source's time of update had not announced"),
        Column("mapping_version", WHOLE, "Version of the mapping that wrote its rows"),
    ),
)
SYNC_COUNTS: Final = BesideTable(
    "ats_history",
    "sync_counts",
    "What each sync counted. One row per sync, scope and name.",
    (
        Column("sync_id", TEXT, "The sync"),
        Column("scope", TEXT, "The feed or model that was counted in"),
        Column(
            "name",
            TEXT,
            "What was counted: records, quarantined, new, deleted, pending_looks, unknown:<model>.<column>, …",
        ),
        Column("n", WHOLE, "The count"),
    ),
)
UNREAD: Final = BesideTable(
    "ats_history",
    "unread_applications",
    "Applications that a sync could not read: they broke the contract when they last came. One row per sync and "
    "application.",
    (Column("sync_id", TEXT, "The sync"), Column("id", TEXT, "The application")),
)
BESIDE: Final = (AS_OF, PSEUDONYMS, STATES, SYNCS, SYNC_COUNTS, UNREAD)
