"""JOIN's ids behind ours, of applications and candidates: from what was created here and from what was synced."""

import contextlib

import duckdb

from join_pipeline.actions.session import Desk, remote_id
from join_pipeline.errors import InputError, LakeError
from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS


def application_of(desk: Desk, application_id: str) -> str:
    """JOIN's id of an application: told, or of one that was created here or synced."""
    remote = remote_id("application_id", application_id)
    if remote is not None:
        return remote
    for entry in desk.journal.entries():
        if entry.application and desk.ids.of("applications", entry.application) == application_id:
            return entry.application
    found = _synced(desk, "SELECT remote_id FROM versions WHERE id = ? LIMIT 1", application_id)
    if not found:
        raise InputError(
            "application_id",
            "is known neither from a sync nor from here. Sync first, or give remote: and JOIN's own id",
        )
    return found[0]


def applications_of(desk: Desk, candidate_id: str) -> list[str]:
    """JOIN's ids of a candidate's applications, oldest first: JOIN itself lists none by candidate."""
    remote = remote_id("candidate_id", candidate_id)
    ours = candidate_id if remote is None else desk.ids.of("candidates", remote)
    found = _synced(
        desk,
        """SELECT arg_max(remote_id, sync_id) FROM versions WHERE candidate_id = ?
        GROUP BY id HAVING arg_max(remote_deleted_at IS NULL, sync_id) ORDER BY 1""",
        ours,
    )
    for entry in desk.journal.entries():
        is_theirs = entry.candidate and desk.ids.of("candidates", entry.candidate) == ours
        if is_theirs and entry.application and entry.application not in found:
            found.append(entry.application)
    if not found:
        raise InputError(
            "candidate_id", "has no application that is known here. JOIN lists none by candidate: sync first"
        )
    return sorted(found, key=lambda text: (len(text), text))


def _synced(desk: Desk, query: str, value: str) -> list[str]:
    """An answer out of the lake's versions of applications."""
    try:
        lake = open_lake(desk.settings.lake, desk.settings.integration_id)
        newest = lake.newest()
        files = newest.files.models.get("applications", []) if newest else []
        lake.listed(files)
        versions = versions_relation(lake.path, MODELS["applications"], files)
    except LakeError:
        return []
    with contextlib.closing(duckdb.connect()) as con:
        con.execute(f"CREATE VIEW versions AS FROM {versions}")
        return [row[0] for row in con.execute(query, [value]).fetchall()]
