"""Rare words: a source that no map knows and by which fewer than k people came is not published by its name.

Somebody may have typed a person's name there. Belongs here: which words, and what stands in their place. Not here:
hidden counts (hiding), tags (dbt).
"""

from typing import Final

import duckdb

BY_USERS: Final = frozenset({"mart_cost_per_hire", "source_channel"})
"""Tables with sources that a file of the user names."""

RARE: Final = """
    CREATE OR REPLACE TEMP TABLE rare AS
    SELECT source AS word, '(rare ' || row_number() OVER (ORDER BY source) || ')' AS said
    FROM main.dim_source
    ANTI JOIN (
        SELECT source FROM main.fct_application GROUP BY source HAVING count(DISTINCT candidate_key) >= $k
    ) AS common USING (source)
    WHERE NOT is_mapped
"""


def rename_rare_sources(con: duckdb.DuckDBPyConnection, k: int) -> tuple[int, int]:
    """Replace the rare words in every table of `main`, each by one number. How many they are, of how many sources."""
    con.execute(RARE, {"k": k})
    ((n, n_of),) = con.execute("SELECT (SELECT count(*) FROM rare), count(*) FROM main.dim_source").fetchall()
    for table, columns in con.execute(
        """SELECT table_name, list(column_name) FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = 'main'
            AND table_oid IN (SELECT table_oid FROM duckdb_tables() WHERE database_name = current_database())
        GROUP BY table_name ORDER BY table_name"""
    ).fetchall():
        if n and table not in BY_USERS:
            _rename(con, table, columns)
    con.execute("DROP TABLE rare")
    return int(n), int(n_of)


def _rename(con: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> None:
    for column in {"source", "source_key"}.intersection(columns):
        con.execute(
            f'UPDATE main."{table}" AS named SET "{column}" = said FROM rare WHERE named."{column}" = rare.word'
        )
    if {"scope", "scope_key"} <= set(columns):
        con.execute(
            f"""UPDATE main."{table}" AS named SET scope_key = said FROM rare
            WHERE named.scope = 'source' AND named.scope_key = rare.word"""
        )
        con.execute(
            f"""UPDATE main."{table}" AS named SET scope_key = split_part(scope_key, '/', 1) || '/' || said FROM rare
            WHERE named.scope = 'job_source' AND regexp_replace(named.scope_key, '^[^/]*/', '') = rare.word"""
        )
