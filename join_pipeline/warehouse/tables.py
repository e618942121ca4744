"""The tables that load writes beside those of the models: their columns, types and meaning.

Belongs here: the declarations. Not here: filling the tables (load), the tables of the models (models).
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from join_pipeline.models.types import FLAG, INSTANT, TEXT, WHOLE, Column


@dataclass(frozen=True, slots=True)
class BesideTable:
    """One table of `ats` or `ats_history`. `key` has the columns that identify a row."""

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
    "The instant until which the warehouse knows everything. One row.",
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
    "Meaning of the source's words for an application's state. One row per word; empty if the source has none.",
    (
        Column("state", TEXT, "The source's own word"),
        Column("milestone", TEXT, "Milestone at which the word places an application, whatever its stage"),
        Column("is_initial", FLAG, "Whether nothing has been done about such an application yet"),
    ),
    ("state",),
)
SYNCS: Final = BesideTable(
    "ats_history",
    "syncs",
    "Committed syncs. One row per sync.",
    (
        Column("sync_id", TEXT, "The sync; ids sort by time"),
        Column("mode", TEXT, "full or incremental"),
        Column("verdict", TEXT, "committed, or guarded: the guard kept the records that the listing lacked"),
        Column("started_at", INSTANT, "Start, server time"),
        Column(
            "proves_at",
            INSTANT,
            "Instant for which the sync is a proof: its start, less the staleness of its source",
        ),
        Column("finished_at", INSTANT, "End, server time"),
        Column("as_of", INSTANT, "Latest fetch time of the sync"),
        Column("is_applications_whole", FLAG, "Whether its listing of applications, full or filtered, is whole"),
        Column("previous_sync_id", TEXT, "The committed sync before it"),
        Column("n_requests", WHOLE, "HTTP requests that the sync sent"),
        Column("n_unannounced", WHOLE, "Changes that the source's update time had not announced"),
        Column("mapping_version", WHOLE, "Version of the mapping that wrote its rows"),
    ),
)
SYNC_COUNTS: Final = BesideTable(
    "ats_history",
    "sync_counts",
    "Counts of each sync. One row per sync, scope and name.",
    (
        Column("sync_id", TEXT, "The sync"),
        Column("scope", TEXT, "The feed or model of the count"),
        Column(
            "name",
            TEXT,
            "Name of the count: records, quarantined, new, deleted, pending_looks, unknown:<model>.<column>, …",
        ),
        Column("n", WHOLE, "The count"),
    ),
)
UNREAD: Final = BesideTable(
    "ats_history",
    "unread_applications",
    "Applications that were unread at a sync: they broke the contract when last fetched. One row per sync and "
    "application.",
    (Column("sync_id", TEXT, "The sync"), Column("id", TEXT, "The application")),
)
BESIDE: Final = (AS_OF, PSEUDONYMS, STATES, SYNCS, SYNC_COUNTS, UNREAD)
