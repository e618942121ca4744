"""Fold: verbs for what every source's fold has to do. What was seen, laid over what is known, is what is now.

Belongs here: which observation wins, what is live afterwards, what follows from other records. Not here: what absence
means and what nests in what (a source), the diff and its files (versions). A fold leaves `now_<model>` (content seen or
touched in this sync) and `gone_<model>` (ids that ceased to be, with when that was observed) for every model.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.lake.evolution import personal_relation
from join_pipeline.lake.hashing import HEAVY, light
from join_pipeline.lake.record import Files
from join_pipeline.lake.sql import quoted
from join_pipeline.models import MODELS
from join_pipeline.sync.decode import payloads
from join_pipeline.sync.known import linked_elsewhere

# the last observation of a record wins
LAST: Final = "ORDER BY observed_at DESC, seq DESC"
# a record that comes through several parents is taken from the one that is greatest by (lastUpdatedAt, id)
WINNER: Final = "ORDER BY priority DESC, parent_updated_at DESC, parent_id DESC, observed_at DESC, seq DESC"
LIVE: Final = "remote_deleted_at IS NULL"


def table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """A scratch table with the rows of a query."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def live_after(con: duckdb.DuckDBPyConnection, model: str, columns: str) -> None:
    """`live_<model>`: what is live once this sync is folded in."""
    table(
        con,
        f"live_{model}",
        f"""SELECT {columns}, true AS is_seen FROM now_{model}
        UNION ALL
        SELECT {columns}, false FROM known_{model} AS k
        WHERE {LIVE} AND NOT EXISTS (FROM now_{model} AS n WHERE n.id = k.id)
            AND NOT EXISTS (FROM gone_{model} AS g WHERE g.id = k.id)""",
    )


def gone_without_link(
    con: duckdb.DuckDBPyConnection, model: str, links: dict[str, str], focused: Collection[str] = ()
) -> None:
    """What no live record links to any more; `links` are the columns that do, by model.

    Of `focused` models `known_<model>` holds a part only: the rest is asked for.
    """
    unlinked = f"SELECT id FROM known_{model} WHERE {LIVE} AND id NOT IN (SELECT id FROM now_{model})"
    linked = " UNION ".join(f"SELECT {column} FROM live_{link}" for link, column in links.items())
    table(con, f"unlinked_{model}", f"{unlinked} AND id NOT IN (FROM ({linked}) AS linked(id) WHERE id IS NOT NULL)")
    asked = [(link, column) for link, column in links.items() if link in focused]
    if asked and con.execute(f"FROM unlinked_{model} LIMIT 1").fetchone():  # rarely: to ask all versions takes long
        for link, column in asked:
            elsewhere = linked_elsewhere(link, column, f"FROM unlinked_{model}")
            con.execute(f"DELETE FROM unlinked_{model} WHERE id IN ({elsewhere})")
    table(con, f"gone_{model}", f"SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM unlinked_{model}")


def those_linked(con: duckdb.DuckDBPyConnection, model: str, link: str, column: str) -> None:
    """Now: those that a link seen in this sync shows. Gone: those without any link that is live."""
    table(
        con,
        f"now_{model}",
        f"""FROM seen_{model} WHERE id IN (SELECT {column} FROM now_{link})
        QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1""",
    )
    gone_without_link(con, model, {link: column})


def carry(con: duckdb.DuckDBPyConnection, lake: Path, files: Files, name: str, now: str) -> None:
    """Add known records to `now_<model>` whose derived columns changed although they were not read themselves.

    `now` is SQL of what those columns are now, by id.
    """
    model = MODELS[name]
    derived = [column[0] for column in con.execute(f"SELECT * FROM ({now}) LIMIT 0").description or []][1:]
    differs = " OR ".join(f'k."{column}" IS DISTINCT FROM d."{column}"' for column in derived)
    kept = [c for c in model.plain if c.name not in {*derived, "changed_at", "remote_deleted_at", "sync_id"}]
    kept = [c for c in kept if c.name not in {"content_hash", "reason"}]
    personal = light(model.personal)
    known_personal = personal_relation(lake, model, files.personal.get(name, []))
    table(
        con,
        f"carried_{name}",
        f"""SELECT {quoted(kept, "k.")}, {"".join(f'd."{column}", ' for column in derived)}
            {"".join(f'p."{column.name}", ' for column in personal)} p."{HEAVY}", -row_number() OVER () AS seq
        FROM known_{name} AS k
        JOIN ({now}) AS d ON d.id = k.id
        LEFT JOIN {known_personal} AS p ON p.id = k.id AND p.sync_id = k.sync_id
        WHERE k.remote_deleted_at IS NULL AND ({differs})
            AND k.id NOT IN (SELECT id FROM now_{name}) AND k.id NOT IN (SELECT id FROM gone_{name})""",
    )
    con.execute(f'INSERT INTO now_{name} BY NAME SELECT * EXCLUDE ("{HEAVY}") FROM carried_{name}')
    con.execute(f'INSERT INTO {payloads(name)} BY NAME SELECT seq, "{HEAVY}" FROM carried_{name}')
