"""Fold: what was seen, laid over what is known, is what is now; what is gone is said by its own rule.

Belongs here: which observation wins, what depends on several records, what absence means. Not here: payloads (mapping),
the diff and its files (versions). For every model it leaves `now_<model>` (content seen or touched in this sync) and
`gone_<model>` (ids that ceased to be, with when that was observed).
"""

from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.lake.query import quoted
from join_pipeline.lake.record import Files
from join_pipeline.models import MODELS
from join_pipeline.sync.known import FOCUSED, linked_elsewhere, personal_relation
from join_pipeline.sync.seen import HEAVY, light, payloads

# the last observation of a record wins
LAST: Final = "ORDER BY observed_at DESC, seq DESC"
# a record that comes through several parents is taken from the one that is greatest by (lastUpdatedAt, id)
WINNER: Final = "ORDER BY priority DESC, parent_updated_at DESC, parent_id DESC, observed_at DESC, seq DESC"
LIVE: Final = "remote_deleted_at IS NULL"


def fold(con: duckdb.DuckDBPyConnection, lake: Path, files: Files) -> None:
    """All eleven models. Needs `known_*`, `seen_*` and `missing`."""
    _applications(con)
    _jobs(con)
    _candidates(con)
    _candidate_tags(con)
    # of a first sync they are most of what is held, and have served
    for name in ("applications", "candidates", "candidate_tags", "tags"):
        con.execute(f"DROP TABLE seen_{name}")
    _job_links(con)
    _team(con)
    _stages(con)
    _carry(con, lake, files, "candidates")
    _carry(con, lake, files, "application_stages")


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _live_after(con: duckdb.DuckDBPyConnection, model: str, columns: str) -> None:
    """`live_<model>`: what is live once this sync is folded in."""
    _table(
        con,
        f"live_{model}",
        f"""SELECT {columns}, true AS is_seen FROM now_{model}
        UNION ALL
        SELECT {columns}, false FROM known_{model} AS k
        WHERE {LIVE} AND NOT EXISTS (FROM now_{model} AS n WHERE n.id = k.id)
            AND NOT EXISTS (FROM gone_{model} AS g WHERE g.id = k.id)""",
    )


def _applications(con: duckdb.DuckDBPyConnection) -> None:
    _table(con, "now_applications", f"FROM seen_applications QUALIFY row_number() OVER (PARTITION BY id {LAST}) = 1")
    _table(
        con,
        "gone_applications",
        """SELECT id, max(observed_at) AS observed_at FROM missing
        WHERE model = 'applications' AND id NOT IN (SELECT id FROM now_applications) GROUP BY id""",
    )
    columns = "id, remote_id, candidate_id, job_id, current_stage_id, source, remote_created_at, remote_updated_at"
    _live_after(con, "applications", columns)


def _jobs(con: duckdb.DuckDBPyConnection) -> None:
    """Jobs seen, and jobs that only an application's mention proves: rows known by nothing but their id."""
    _table(
        con,
        "now_jobs",
        f"""WITH latest AS (
            FROM seen_jobs QUALIFY row_number() OVER (PARTITION BY id {LAST}) = 1
        ), opened AS (
            SELECT n.* REPLACE (
                CASE
                    WHEN k.opened_at IS NOT NULL THEN k.opened_at
                    WHEN n.status = 'DRAFT' THEN NULL
                    WHEN k.status = 'DRAFT' THEN getvariable('started_at')
                    ELSE n.remote_created_at
                END AS opened_at)
            FROM latest AS n LEFT JOIN known_jobs AS k ON k.id = n.id
        )
        FROM opened
        UNION ALL BY NAME
        SELECT m.id, m.remote_id, max(m.observed_at) AS observed_at FROM missing AS m
        WHERE m.model = 'jobs' AND m.id NOT IN (SELECT id FROM latest) AND m.id NOT IN (SELECT id FROM known_jobs)
            AND m.id IN (SELECT job_id FROM live_applications)
        GROUP BY ALL""",
    )
    _table(
        con,
        "gone_jobs",
        """SELECT m.id, max(m.observed_at) AS observed_at
        FROM missing AS m JOIN known_jobs AS k ON k.id = m.id
        WHERE m.model = 'jobs' AND m.id NOT IN (SELECT id FROM now_jobs)
            AND NOT (k.payload_hash IS NULL AND m.id IN (SELECT job_id FROM live_applications))
        GROUP BY m.id""",
    )
    _live_after(con, "jobs", "id")


def _candidates(con: duckdb.DuckDBPyConnection) -> None:
    """Content from the winning application; source and creation from the oldest live one."""
    _table(
        con,
        "touched_candidates",
        """SELECT candidate_id AS id FROM now_applications WHERE candidate_id IS NOT NULL
        UNION SELECT k.candidate_id FROM known_applications AS k
            WHERE k.candidate_id IS NOT NULL
                AND (k.id IN (SELECT id FROM gone_applications) OR k.id IN (SELECT id FROM now_applications))""",
    )
    _table(
        con,
        "oldest_application",
        """SELECT candidate_id AS id, min(struct_pack(at := remote_created_at, size := length(remote_id),
                key := remote_id, source := source)) AS oldest
        FROM live_applications WHERE candidate_id IN (SELECT id FROM touched_candidates) GROUP BY candidate_id""",
    )
    # an application that was not read again but is newer than all that were: what is known came from it, or from later
    _table(
        con,
        "winning_candidates",
        f"""WITH newest_unread AS (
            SELECT candidate_id AS id, max(struct_pack(at := remote_updated_at, key := remote_id::BIGINT)) AS newest
            FROM live_applications WHERE NOT is_seen GROUP BY candidate_id
        ), winner AS (
            FROM seen_candidates WHERE seq IN (SELECT seq FROM now_applications)
            QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1
        )
        SELECT w.* FROM winner AS w LEFT JOIN newest_unread AS u ON u.id = w.id
        WHERE u.id IS NULL OR struct_pack(at := w.parent_updated_at, key := w.parent_id) >= u.newest""",
    )
    _table(
        con,
        "now_candidates",
        """SELECT w.* REPLACE (o.oldest.source AS source, o.oldest.at AS remote_created_at)
        FROM winning_candidates AS w JOIN oldest_application AS o ON o.id = w.id""",
    )
    _table(
        con,
        "gone_candidates",
        """SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM touched_candidates
        WHERE id NOT IN (SELECT id FROM oldest_application)""",
    )


def _candidate_tags(con: duckdb.DuckDBPyConnection) -> None:
    """An application shows its candidate's whole tag list: what is missing from it is removed."""
    _table(
        con,
        "showing",
        f"""SELECT id AS candidate_id, seq FROM seen_candidates
        WHERE shows_tags AND seq IN (SELECT seq FROM now_applications)
            AND id IN (SELECT id FROM winning_candidates)
        QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1""",
    )
    _table(
        con,
        "now_candidate_tags",
        """SELECT t.* FROM seen_candidate_tags AS t
        JOIN showing AS s ON s.seq = t.seq AND s.candidate_id = t.candidate_id""",
    )
    _table(
        con,
        "gone_candidate_tags",
        f"""SELECT k.id, NULL::TIMESTAMPTZ AS observed_at FROM known_candidate_tags AS k
        WHERE {LIVE} AND k.id NOT IN (SELECT id FROM now_candidate_tags)
            AND k.candidate_id IN (SELECT candidate_id FROM showing UNION SELECT id FROM gone_candidates)""",
    )
    _live_after(con, "candidate_tags", "id, tag_id")
    _table(
        con,
        "now_tags",
        f"""FROM seen_tags WHERE id IN (SELECT tag_id FROM now_candidate_tags)
        QUALIFY row_number() OVER (PARTITION BY id {LAST}) = 1""",
    )
    _gone_without_link(con, "tags", {"candidate_tags": "tag_id"})


def _job_links(con: duckdb.DuckDBPyConnection) -> None:
    """Stages and questions of a job: they appear when first seen, and go only with their job."""
    for model, other in (("job_application_stages", "stage_id"), ("job_screening_questions", "question_id")):
        _table(
            con,
            f"now_{model}",
            f"""FROM seen_{model} WHERE job_id IN (SELECT id FROM live_jobs)
            QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1""",
        )
        _table(
            con,
            f"gone_{model}",
            f"SELECT k.id, g.observed_at FROM known_{model} AS k JOIN gone_jobs AS g ON g.id = k.job_id WHERE {LIVE}",
        )
        _live_after(con, model, f'id, job_id, {other}, "index"')
    _table(
        con,
        "now_screening_questions",
        f"""FROM seen_screening_questions WHERE id IN (SELECT question_id FROM now_job_screening_questions)
        QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1""",
    )
    _gone_without_link(con, "screening_questions", {"job_screening_questions": "question_id"})


def _team(con: duckdb.DuckDBPyConnection) -> None:
    """People behind jobs: a link goes when its job no longer names it, a user when no live job does."""
    _table(con, "now_job_hiring_team", "FROM seen_job_hiring_team WHERE seq IN (SELECT seq FROM now_jobs)")
    _table(
        con,
        "gone_job_hiring_team",
        f"""SELECT k.id, coalesce(g.observed_at, n.observed_at) AS observed_at
        FROM known_job_hiring_team AS k
        LEFT JOIN gone_jobs AS g ON g.id = k.job_id
        LEFT JOIN now_jobs AS n ON n.id = k.job_id
        WHERE {LIVE} AND (g.id IS NOT NULL OR n.id IS NOT NULL) AND k.id NOT IN (SELECT id FROM now_job_hiring_team)""",
    )
    _live_after(con, "job_hiring_team", "id, user_id")
    _table(
        con,
        "now_users",
        f"""FROM seen_users WHERE seq IN (SELECT seq FROM now_jobs)
        QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1""",
    )
    _gone_without_link(con, "users", {"job_hiring_team": "user_id"})


def _stages(con: duckdb.DuckDBPyConnection) -> None:
    """A stage's order over the account is the largest index on any live job stage."""
    _table(
        con,
        "global_index",
        'SELECT stage_id AS id, max("index") AS global_index FROM live_job_application_stages GROUP BY stage_id',
    )
    _table(
        con,
        "now_application_stages",
        f"""WITH winner AS (
            FROM seen_application_stages QUALIFY row_number() OVER (PARTITION BY id {WINNER}) = 1
        )
        SELECT w.* REPLACE (g.global_index AS global_index)
        FROM winner AS w LEFT JOIN global_index AS g ON g.id = w.id""",
    )
    links = {"job_application_stages": "stage_id", "applications": "current_stage_id"}
    _gone_without_link(con, "application_stages", links)


def _gone_without_link(con: duckdb.DuckDBPyConnection, model: str, links: dict[str, str]) -> None:
    """What no live record links to any more; `links` are the columns that do, by model."""
    unlinked = f"SELECT id FROM known_{model} WHERE {LIVE} AND id NOT IN (SELECT id FROM now_{model})"
    linked = " UNION ".join(f"SELECT {column} FROM live_{link}" for link, column in links.items())
    _table(con, f"unlinked_{model}", f"{unlinked} AND id NOT IN (FROM ({linked}) AS linked(id) WHERE id IS NOT NULL)")
    for link, column in links.items():
        if link in FOCUSED:
            con.execute(
                f"DELETE FROM unlinked_{model} WHERE id IN ({linked_elsewhere(link, column, f'FROM unlinked_{model}')})"
            )
    _table(con, f"gone_{model}", f"SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM unlinked_{model}")


# what of a record follows from other records, and must be looked at again when those change
DERIVED: Final = {
    "candidates": "SELECT id, oldest.source AS source, oldest.at AS remote_created_at FROM oldest_application",
    "application_stages": "SELECT id, global_index FROM global_index",
}


def _carry(con: duckdb.DuckDBPyConnection, lake: Path, files: Files, name: str) -> None:
    """Add known records to `now_<model>` whose derived columns changed although they were not read themselves."""
    model = MODELS[name]
    derived = [column[0] for column in con.execute(f"SELECT * FROM ({DERIVED[name]}) LIMIT 0").description or []][1:]
    differs = " OR ".join(f'k."{column}" IS DISTINCT FROM d."{column}"' for column in derived)
    kept = [c for c in model.plain if c.name not in {*derived, "changed_at", "remote_deleted_at", "sync_id"}]
    kept = [c for c in kept if c.name not in {"content_hash", "reason"}]
    personal = light(model.personal)
    _table(
        con,
        f"carried_{name}",
        f"""SELECT {quoted(kept, "k.")}, {"".join(f'd."{column}", ' for column in derived)}
            {"".join(f'p."{column.name}", ' for column in personal)} p."{HEAVY}", -row_number() OVER () AS seq
        FROM known_{name} AS k
        JOIN ({DERIVED[name]}) AS d ON d.id = k.id
        LEFT JOIN {personal_relation(lake, model, files)} AS p ON p.id = k.id AND p.sync_id = k.sync_id
        WHERE k.remote_deleted_at IS NULL AND ({differs})
            AND k.id NOT IN (SELECT id FROM now_{name}) AND k.id NOT IN (SELECT id FROM gone_{name})""",
    )
    con.execute(f'INSERT INTO now_{name} BY NAME SELECT * EXCLUDE ("{HEAVY}") FROM carried_{name}')
    con.execute(f'INSERT INTO {payloads(name)} BY NAME SELECT seq, "{HEAVY}" FROM carried_{name}')
