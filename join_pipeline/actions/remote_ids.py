"""JOIN's ids of applications and candidates, by our ids.

Belongs here: looking them up in the journal and in the lake. Not here: JOIN's ids of jobs (jobs).
"""

import contextlib

import duckdb

from join_pipeline.actions.session import Session, parse_remote_id
from join_pipeline.bucket.writing import reading
from join_pipeline.errors import InputError, LakeError
from join_pipeline.lake.damage import foreign_errors
from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS


def remote_application_id(session: Session, application_id: str) -> str:
    """JOIN's id of an application: the given one, or that of an application that was created here or synced."""
    remote = parse_remote_id("application_id", application_id)
    if remote is not None:
        return remote
    for entry in session.journal.entries():
        if entry.application and session.ids.of("applications", entry.application) == application_id:
            return entry.application
    found = _query_lake(session, "SELECT remote_id FROM versions WHERE id = ? LIMIT 1", application_id)
    if not found:
        raise InputError(
            "application_id",
            "is known neither from a sync nor from here. Sync first, or give remote: and JOIN's own id",
        )
    return found[0]


def remote_application_ids(session: Session, candidate_id: str) -> list[str]:
    """JOIN's ids of a candidate's known applications, oldest first. JOIN can't list applications by candidate."""
    remote = parse_remote_id("candidate_id", candidate_id)
    ours = candidate_id if remote is None else session.ids.of("candidates", remote)
    found = _query_lake(
        session,
        """SELECT arg_max(remote_id, sync_id) FROM versions WHERE candidate_id = ?
        GROUP BY id HAVING arg_max(remote_deleted_at IS NULL, sync_id) ORDER BY 1""",
        ours,
    )
    for entry in session.journal.entries():
        is_theirs = entry.candidate and session.ids.of("candidates", entry.candidate) == ours
        if is_theirs and entry.application and entry.application not in found:
            found.append(entry.application)
    if not found:
        raise InputError(
            "candidate_id", "has no application that is known here. JOIN lists none by candidate: sync first"
        )
    return sorted(found, key=lambda text: (len(text), text))


def _query_lake(session: Session, query: str, value: str) -> list[str]:
    """The ids that a query over the lake's versions of applications returns."""
    with reading(session.settings):
        try:
            lake = open_lake(session.settings.lake, session.settings.integration_id)
            newest = lake.newest()
            files = newest.files.models.get("applications", []) if newest else []
            lake.listed(files)
            versions = versions_relation(lake.path, MODELS["applications"], files)
        except LakeError:
            return []
    with foreign_errors(), contextlib.closing(duckdb.connect()) as con:
        con.execute(f"CREATE VIEW versions AS FROM {versions}")
        return [row[0] for row in con.execute(query, [value]).fetchall()]
