"""The workspace: what one fold works in and on.

Belongs here: the scratch database, the lake whose files it reads, the record that it fills. Not here: what is done with
them (decode, reconcile, diff).
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from join_pipeline.lake.record import SyncRecord


@dataclass(frozen=True, slots=True)
class Workspace:
    """One sync's, or one of a replay."""

    con: duckdb.DuckDBPyConnection
    lake: Path
    record: SyncRecord
