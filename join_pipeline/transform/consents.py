"""The message about consents that were rejected or have expired while the application is still at the ATS.

Belongs here: counting them for the message. Not here: which those are (dbt_project, consents_allow_keeping), lists of
them (retention).
"""

import contextlib
from pathlib import Path
from typing import Final

import duckdb

CHECK: Final = "consents_allow_keeping"
"""The dbt test that warns of them."""


def kept_without_consent(database: Path) -> dict[str, str]:
    """The message by the name of the dbt test; empty if there are none."""
    with contextlib.closing(duckdb.connect(database, read_only=True)) as con, contextlib.suppress(duckdb.Error):
        found = con.execute(
            """SELECT lower(consent_status), count(*) FROM recruiting.fct_application
            WHERE upper(consent_status) IN ('REJECTED', 'EXPIRED') AND NOT is_deleted GROUP BY ALL ORDER BY 1 DESC"""
        ).fetchall()
        if found:
            told = " and ".join(
                f"{n} whose consent was {word}".replace("was expired", "has expired") for word, n in found
            )
            return {
                CHECK: f"Applications are still in the ATS: {told}. `join-pipeline retention due` lists them; whoever "
                "may delete in the ATS decides."
            }
    return {}
