"""Reconcile: the steps that all sources share to lay what was observed over what is known.

Belongs here: what is live afterwards, links, derived columns. Not here: what absence means and which record nests in
which (a source), which observation holds (precedence), the diff and its files (diff).
"""

from collections.abc import Collection
from typing import Final

from join_pipeline.lake.erasing import PEOPLE
from join_pipeline.lake.hashing import HEAVY, light
from join_pipeline.lake.sql import quoted
from join_pipeline.models import MODELS
from join_pipeline.models.rows import UNREAD
from join_pipeline.sync.known import NOT_ERASED, linked_elsewhere, newest
from join_pipeline.sync.precedence import WINNER
from join_pipeline.sync.workspace import LATER, Workspace

LIVE: Final = "remote_deleted_at IS NULL"


def live_after(workspace: Workspace, model: str, columns: str) -> None:
    """Make `live_<model>`: the records that are live after this sync. `columns` is SQL."""
    workspace.step(
        f"live_{model}",
        f"""SELECT {columns}, true AS is_seen FROM now_{model}
        UNION ALL
        SELECT {columns}, false FROM known_{model} AS k
        WHERE {LIVE} AND NOT EXISTS (FROM now_{model} AS n WHERE n.id = k.id)
            AND NOT EXISTS (FROM gone_{model} AS g WHERE g.id = k.id)""",
    )


def gone_without_link(workspace: Workspace, model: str, links: dict[str, str], focused: Collection[str] = ()) -> None:
    """Make `gone_<model>`: the known records that no live record links to. `links` are the linking columns by model.

    For `focused` models `known_<model>` has only a part of the records, so all versions are queried.
    """
    unlinked = f"SELECT id FROM known_{model} WHERE {LIVE} AND id NOT IN (SELECT id FROM now_{model})"
    linked = " UNION ".join(f"SELECT {column} FROM live_{link}" for link, column in links.items())
    lost = f"unlinked_{model}"
    workspace.step(lost, f"{unlinked} AND id NOT IN (FROM ({linked}) AS linked(id) WHERE id IS NOT NULL)")
    asked = [(link, column) for link, column in links.items() if link in focused]
    if asked and workspace.holds_any(f"FROM {lost}"):  # rarely true, and to query all versions takes long
        for link, column in asked:
            elsewhere = linked_elsewhere(link, column, f"FROM {lost}")
            workspace.con.execute(f"DELETE FROM {lost} WHERE id IN ({elsewhere})")
    workspace.make("gone", model, f"SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM {lost}")


def those_linked(workspace: Workspace, model: str, link: str, column: str) -> None:
    """Make `now_<model>`, the records that an observed link shows, and `gone_<model>`, those without a live link."""
    workspace.make(
        "now", model, f"FROM seen_{model} WHERE id IN (SELECT {column} FROM now_{link}) {WINNER.first_by_id}"
    )
    gone_without_link(workspace, model, {link: column})


def carry(workspace: Workspace, name: str, now: str) -> None:
    """Add known records to `now_<model>` that were not observed, but whose derived columns changed.

    `now` is SQL of the ids with the present values of the derived columns.
    """
    model = MODELS[name]
    derived = [column[0] for column in workspace.con.execute(f"SELECT * FROM ({now}) LIMIT 0").description or []][1:]
    differs = " OR ".join(f'k."{column}" IS DISTINCT FROM d."{column}"' for column in derived)
    kept = [column for column in model.plain if column.name not in LATER.union(derived)]
    personal = light(model.personal)
    workspace.step(
        f"carried_{name}",
        f"""SELECT {quoted(kept, "k.")}, {"".join(f'd."{column}", ' for column in derived)}
            {"".join(f'p."{column.name}", ' for column in personal)} p."{HEAVY}", -row_number() OVER () AS seq
        FROM known_{name} AS k
        JOIN ({now}) AS d ON d.id = k.id
        LEFT JOIN {workspace.personal(name)} AS p ON p.id = k.id AND p.sync_id = k.sync_id
        WHERE k.remote_deleted_at IS NULL AND ({differs})
            AND k.id NOT IN (SELECT id FROM now_{name}) AND k.id NOT IN (SELECT id FROM gone_{name})""",
    )
    workspace.con.execute(f'INSERT INTO now_{name} BY NAME SELECT * EXCLUDE ("{HEAVY}") FROM carried_{name}')
    workspace.con.execute(f'INSERT INTO payloads_{name} BY NAME SELECT id, seq, "{HEAVY}" FROM carried_{name}')


def keep_unread(workspace: Workspace) -> None:
    """Give each observation the known values of the columns that its mapping names as unread.

    Else an odd answer would look as if an application had lost its job, and as if its candidate were gone.
    """
    for name, model in MODELS.items():
        # of those that identify people, only the ones that were of tier 1 once: their values are kept as before
        columns = [column.name for column in model.fields if not column.tier.is_personal or column.moved]
        if columns and workspace.holds_any(f"FROM seen_{name} WHERE {UNREAD} IS NOT NULL"):
            kept = ", ".join(
                f'"{column}" = CASE WHEN list_contains(s.{UNREAD}, \'{column}\') THEN k."{column}"'
                f' ELSE s."{column}" END'
                for column in columns
            )
            odd = f"k.id = s.id AND s.{UNREAD} IS NOT NULL"
            moved = [column for column in model.personal if column.moved and column.name in columns]
            known = f"known_{name}"
            if moved:
                known = f"""(SELECT k.*, {quoted(moved, "p.")} FROM known_{name} AS k
                    LEFT JOIN {workspace.personal(name)} AS p ON p.id = k.id AND p.sync_id = k.sync_id)"""
            workspace.con.execute(f"UPDATE seen_{name} AS s SET {kept} FROM {known} AS k WHERE {odd}")


def shown_whole(link: str) -> str:
    """SQL: whether an observation of a parent shows its links of the model `link` so that one it lacks is gone."""
    return f"NOT coalesce(list_contains({UNREAD}, '{link}'), false)"


def end_erased(workspace: Workspace) -> None:
    """Add to `gone_<model>` the records that were erased here and are live: no source reports that they are gone."""
    for name in PEOPLE:
        theirs = f"SELECT id FROM versions_{name} WHERE NOT {NOT_ERASED}"
        if not workspace.holds_any(theirs):
            continue
        erased = f"(FROM {newest(name, theirs)} WHERE {LIVE})"
        workspace.con.execute(
            f"INSERT INTO known_{name} BY NAME FROM {erased} WHERE id NOT IN (SELECT id FROM known_{name})"
        )
        workspace.con.execute(
            f"INSERT INTO gone_{name} BY NAME SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM {erased}"
        )


def know_what_is_named(workspace: Workspace) -> None:
    """Add to `now_<model>` what records of any model name and nobody could read: rows known by their id alone.

    A record may break the contract, or no list may have it. What names it is read all the same and leads somewhere.
    """
    for name, model in MODELS.items():
        naming = [(column.name, column.references) for column in model.fields if column.references is not None]
        if naming and workspace.holds_any(f"FROM now_{name}"):  # most syncs have no rows of most models
            for column, named in naming:
                know_by_id(workspace, named, f'SELECT "{column}" AS id, observed_at FROM now_{name}')


def know_by_id(workspace: Workspace, model: str, named: str) -> None:
    """Add to `now_<model>` those of `named` (SQL of `id` and `observed_at`) that are neither there nor known."""
    workspace.con.execute(
        f"""INSERT INTO now_{model} BY NAME
        SELECT n.id, any_value(u.remote_id) AS remote_id, max(n.observed_at) AS observed_at
        FROM ({named}) AS n LEFT JOIN unread AS u ON u.id = n.id AND u.model = '{model}'
        WHERE n.id IS NOT NULL AND n.id NOT IN (SELECT id FROM now_{model})
            AND n.id NOT IN (SELECT id FROM known_{model}) AND n.id NOT IN (SELECT id FROM versions_{model})
        GROUP BY n.id"""
    )
