"""Outcome: the figures by which people see what a build changed, and what in the published file is worth a look.

Belongs here: reading both from a published file. Not here: comparing and printing them (cli).
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb

from join_pipeline.settings import Settings

FIGURES: Final = {
    "applications": "SELECT count(*) FROM fct_application",
    "open": "SELECT count(*) FROM fct_application WHERE status = 'OPEN'",
    "hired": "SELECT count(*) FROM fct_application WHERE status = 'HIRED'",
    "declined": "SELECT count(*) FROM fct_application WHERE status = 'DECLINED'",
    "other_ends": "SELECT count(*) FROM fct_application WHERE status NOT IN ('OPEN', 'HIRED', 'DECLINED')",
    "jobs": "SELECT count(*) FROM dim_job WHERE NOT is_deleted",
    "syncs": "SELECT count(*) FROM dim_sync",
}
"""What people ask first of a company. Each is one number."""
COUNTED: Final = ("guard", "unknown values", "set aside")
"""The checks of `mart_trust` that count what somebody should look at: none is best. Others have a test that warns."""
UNANNOUNCED: Final = "did not announce the change"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a published file says: the end of its data, a few figures by name, and what is worth a look, in words."""

    as_of: datetime | None
    figures: dict[str, int]
    remarks: tuple[str, ...] = ()


def outcome(settings: Settings) -> Outcome | None:
    """The outcome that is published. None if nothing is, or if another release's file can't be read so."""
    if not settings.published.exists():
        return None
    with contextlib.suppress(duckdb.Error):
        config: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": ""}
        with contextlib.closing(duckdb.connect(settings.published, read_only=True, config=config)) as con:
            con.execute("SET TimeZone = 'UTC'")
            as_of = con.execute("SELECT max(as_of) FROM dim_sync").fetchall()[0][0]
            figures = {name: int(con.execute(query).fetchall()[0][0]) for name, query in FIGURES.items()}
            return Outcome(as_of, figures, tuple(_remarks(con)))
    return None


def _remarks(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        """SELECT check_name, subject, n, n_of FROM mart_trust
        WHERE n > 0 AND (list_contains($counted, check_name) OR subject = $unannounced) ORDER BY ALL""",
        {"counted": list(COUNTED), "unannounced": UNANNOUNCED},
    ).fetchall()
    return [f"{check}, {subject}: {n:,}" + (f" of {n_of:,}" if n_of else "") for check, subject, n, n_of in found]
