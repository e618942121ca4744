"""Known: SQL that asks the lake's versions.

Belongs here: the questions. Not here: which part of the versions a sync can concern (a source), what comes of it
(reconcile). All of it needs the views `versions_<model>` of the workspace.
"""


def newest(name: str, ids: str | None = None) -> str:
    """SQL of the newest version of every record, or of those whose id a query lists."""
    where = "" if ids is None else f"WHERE id IN ({ids})"
    return f"(FROM versions_{name} {where} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"


def live_keys(name: str, key: str) -> str:
    """SQL of the keys of what is known to be live; `key` is the column that holds them."""
    return f"SELECT {key} FROM {newest(name)} WHERE remote_deleted_at IS NULL AND {key} IS NOT NULL"


def linked_elsewhere(name: str, column: str, among: str) -> str:
    """SQL of those of `among` that a live record outside of `known_<name>` links to."""
    linking = f'SELECT id FROM versions_{name} WHERE "{column}" IN ({among})'
    return f"""SELECT "{column}" FROM {newest(name, linking)}
        WHERE remote_deleted_at IS NULL AND id NOT IN (SELECT id FROM known_{name})"""
