"""Completeness: whether it is proved that the lake has every application that the source lists.

Belongs here: what proves it. Not here: which sync comes next (plan), records that a later listing lacks (extract).

A list that shifts while it is read can hide a record, and a first sync knows none that it could miss. So it reads the
list once, and commits. The next full sync reads it again: if it shows no record that should have come before, the two
prove each other. Until then `last_full` of the record is None, and the mode auto takes a full sync.
"""

from typing import Final

from join_pipeline.lake.raw import Spool
from join_pipeline.lake.record import SyncRecord
from join_pipeline.lake.sql import files_literal
from join_pipeline.sources.base import Source
from join_pipeline.sync.workspace import Workspace

FEED: Final = "applications"
NOT_PROVED: Final = "it is not proved yet that the list of applications is complete: the next full sync reads it again"


def n_late(source: Source, workspace: Workspace, record: SyncRecord, previous: SyncRecord | None) -> int:
    """The number of new applications that a sync before this one should have shown; 0 where that is proved.

    Those that were updated since the watermark do not count: an incremental sync would have read them.
    """
    if record.mode != "full" or previous is None or _is_settled(source, record, previous):
        return 0
    before = previous.feeds[FEED].listed_since or previous.started_at
    row = workspace.con.execute(
        f"""SELECT count(*) FROM now_{FEED} AS n
        WHERE n.remote_updated_at < ? AND n.id NOT IN (SELECT id FROM versions_{FEED})""",
        [before],
    ).fetchall()[0]
    return int(row[0])


def is_proved(source: Source, spool: Spool, record: SyncRecord, previous: SyncRecord | None, late: int) -> bool:
    """Whether this full sync, with those before it, proves that the lake has all applications.

    A list of one page is one answer, and nothing shifts in it.
    """
    if _is_settled(source, record, previous):
        return True
    is_first = previous is None or previous.only_created != record.only_created
    return _last_page(spool) <= 1 or (not is_first and not late)


def _is_settled(source: Source, record: SyncRecord, previous: SyncRecord | None) -> bool:
    """Whether nothing is left to prove."""
    is_same = previous is not None and previous.only_created == record.only_created
    return not source.hides_what_moves or (previous is not None and is_same and previous.last_full is not None)


def _last_page(spool: Spool) -> int:
    """The number of the last page of the whole list that has records."""
    parts = spool.parts(FEED)
    query = f"SELECT max(page) FROM read_parquet({files_literal(parts)}) WHERE starts_with(listing, 'all')"
    return int(spool.con.execute(query).fetchall()[0][0] or 0) if parts else 0
