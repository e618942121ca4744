"""Known: SQL that queries the lake's versions, through the workspace's views `versions_<model>`.

Belongs here: the queries. Not here: which versions a sync can concern (a source), what follows from them (reconcile).
"""

from typing import Final

from join_pipeline.lake.erasing import PREFIX

NOT_ERASED: Final = f"NOT starts_with(id, '{PREFIX}')"
"""Nobody asks the source for a record that was erased here: it has a key of ours."""


def newest(name: str, ids: str | None = None) -> str:
    """SQL of the newest version of every record. With `ids`, a query of ids, of these records only."""
    where = "" if ids is None else f"WHERE id IN ({ids})"
    return f"(FROM versions_{name} {where} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"


def live_keys(name: str, key: str) -> str:
    """SQL of the keys of the known live records; `key` is the column of the keys."""
    return f"SELECT {key} FROM {newest(name)} WHERE remote_deleted_at IS NULL AND {key} IS NOT NULL AND {NOT_ERASED}"


def live_undecided_keys(name: str, key: str) -> str:
    """SQL of the keys of the known live records whose outcome is neither a hire nor a rejection."""
    return f"{live_keys(name, key)} AND outcome IS DISTINCT FROM 'HIRED' AND outcome IS DISTINCT FROM 'DECLINED'"


def linked_elsewhere(name: str, column: str, among: str) -> str:
    """SQL of the ids in the query `among` that a live record links to which is not in `known_<name>`."""
    linking = f'SELECT id FROM versions_{name} WHERE "{column}" IN ({among})'
    return f"""SELECT "{column}" FROM {newest(name, linking)}
        WHERE remote_deleted_at IS NULL AND id NOT IN (SELECT id FROM known_{name})"""
