"""JOIN's reconcile: which records are there now, which are gone, and the columns that follow from other records.

Belongs here: rules of this source. Not here: what all sources share (sync.reconcile), payloads (mapping).
JOIN shows candidates, stages and tags only in applications, and users only in jobs.
"""

from typing import Final

from join_pipeline.models.rows import UNREAD
from join_pipeline.sources.join.known import FOCUSED
from join_pipeline.sources.join.newer import (
    keep_question_places,
    keep_questions,
    keep_stage_places,
    keep_stages,
    keep_users,
    order,
)
from join_pipeline.sync.precedence import LAST, WINNER
from join_pipeline.sync.reconcile import (
    LIVE,
    carry,
    gone_without_link,
    know_by_id,
    live_after,
    shown_whole,
    those_linked,
)
from join_pipeline.sync.workspace import Workspace

# the columns that follow from other records, as SQL of their present values
DERIVED: Final = {
    "candidates": "SELECT id, oldest.source AS source, oldest.at AS remote_created_at FROM oldest_application",
    "application_stages": "SELECT id, global_index FROM global_index",
}


def reconcile(workspace: Workspace) -> None:
    """Make `now_<model>` and `gone_<model>` of all models, from `known_*`, `seen_*` and `missing`."""
    _applications(workspace)
    _jobs(workspace)
    _candidates(workspace)
    _candidate_tags(workspace)
    # in a first sync they are most of the memory in use, and no later step needs them
    workspace.let_go("seen_applications", "seen_candidates", "seen_candidate_tags", "seen_tags")
    _job_links(workspace)
    _team(workspace)
    _stages(workspace)
    for name, now in DERIVED.items():
        carry(workspace, name, now)


def _applications(workspace: Workspace) -> None:
    workspace.make("now", "applications", f"FROM seen_applications {LAST.first_by_id}")
    workspace.make(
        "gone",
        "applications",
        """SELECT id, max(observed_at) AS observed_at FROM missing
        WHERE model = 'applications' AND id NOT IN (SELECT id FROM now_applications) GROUP BY id""",
    )
    columns = "id, remote_id, candidate_id, job_id, current_stage_id, source, remote_created_at, remote_updated_at"
    live_after(workspace, "applications", columns)


def _jobs(workspace: Workspace) -> None:
    """Observed jobs, and jobs that only an application names. Of the latter only the id is known."""
    workspace.make(
        "now",
        "jobs",
        f"""WITH latest AS (
            FROM seen_jobs {LAST.first_by_id}
        ), opened AS (
            SELECT n.* REPLACE (
                CASE
                    WHEN k.opened_at IS NOT NULL THEN k.opened_at
                    WHEN n.status = 'DRAFT' OR n.status IS NULL THEN NULL
                    WHEN k.status = 'DRAFT' THEN $started_at::TIMESTAMPTZ
                    ELSE n.remote_created_at
                END AS opened_at)
            FROM latest AS n LEFT JOIN known_jobs AS k ON k.id = n.id
        )
        FROM opened
        UNION ALL BY NAME
        SELECT m.id, m.remote_id, max(m.observed_at) AS observed_at FROM missing AS m
        WHERE m.model = 'jobs' AND m.id NOT IN (SELECT id FROM latest)
            AND m.id NOT IN (SELECT id FROM known_jobs WHERE {LIVE} OR payload_hash IS NOT NULL)
            AND m.id IN (SELECT job_id FROM live_applications)
        GROUP BY ALL""",
        {"started_at": workspace.started_at},
    )
    # before its links: they are those of live jobs
    know_by_id(workspace, "jobs", "SELECT job_id AS id, observed_at FROM now_applications")
    workspace.make(
        "gone",
        "jobs",
        f"""SELECT m.id, max(m.observed_at) AS observed_at
        FROM missing AS m JOIN known_jobs AS k ON k.id = m.id AND k.{LIVE}
        WHERE m.model = 'jobs' AND m.id NOT IN (SELECT id FROM now_jobs)
            AND NOT (k.payload_hash IS NULL AND m.id IN (SELECT job_id FROM live_applications))
        GROUP BY m.id""",
    )
    live_after(workspace, "jobs", "id")


def _candidates(workspace: Workspace) -> None:
    """A candidate's content comes from the application that holds, source and creation from the oldest live one."""
    workspace.step(
        "touched_candidates",
        """SELECT candidate_id AS id FROM now_applications WHERE candidate_id IS NOT NULL
        UNION SELECT k.candidate_id FROM known_applications AS k
            WHERE k.candidate_id IS NOT NULL
                AND (k.id IN (SELECT id FROM gone_applications) OR k.id IN (SELECT id FROM now_applications))""",
    )
    workspace.step(
        "oldest_application",
        """SELECT candidate_id AS id, min(struct_pack(at := remote_created_at, size := length(remote_id),
                key := remote_id, source := source)) AS oldest
        FROM live_applications WHERE candidate_id IN (SELECT id FROM touched_candidates) GROUP BY candidate_id""",
    )
    # if an application that was not read now is newer than all that were, the known content is at least as new
    workspace.step(
        "winning_candidates",
        f"""WITH unread AS (
            SELECT candidate_id AS id, remote_updated_at, remote_id FROM live_applications WHERE NOT is_seen
            UNION ALL
            SELECT k.candidate_id, k.remote_updated_at, k.remote_id
            FROM now_applications AS n JOIN known_applications AS k ON k.id = n.id AND k.{LIVE}
            WHERE list_contains(n.{UNREAD}, 'candidate_id')
        ), newest_unread AS (
            SELECT id, max({order("remote_updated_at", "remote_id")}) AS newest FROM unread GROUP BY id
        ), winner AS (
            FROM seen_candidates WHERE seq IN (SELECT seq FROM now_applications)
            {WINNER.first_by_id}
        )
        SELECT w.* FROM winner AS w LEFT JOIN newest_unread AS u ON u.id = w.id
        WHERE u.id IS NULL OR {order("w.parent_updated_at", "w.parent_id")} >= u.newest""",
    )
    workspace.make(
        "now",
        "candidates",
        """SELECT w.* REPLACE (o.oldest.source AS source, o.oldest.at AS remote_created_at)
        FROM winning_candidates AS w JOIN oldest_application AS o ON o.id = w.id""",
    )
    workspace.make(
        "gone",
        "candidates",
        """SELECT id, NULL::TIMESTAMPTZ AS observed_at FROM touched_candidates
        WHERE id NOT IN (SELECT id FROM oldest_application)""",
    )


def _candidate_tags(workspace: Workspace) -> None:
    """An application shows all tags of its candidate, so a tag that it does not show was removed."""
    workspace.step(
        "showing",
        f"""SELECT id AS candidate_id, seq, {UNREAD} FROM seen_candidates
        WHERE shows_tags AND seq IN (SELECT seq FROM now_applications)
            AND id IN (SELECT id FROM winning_candidates)
        {WINNER.first_by_id}""",
    )
    workspace.make(
        "now",
        "candidate_tags",
        """SELECT t.* FROM seen_candidate_tags AS t
        JOIN showing AS s ON s.seq = t.seq AND s.candidate_id = t.candidate_id""",
    )
    workspace.make(
        "gone",
        "candidate_tags",
        f"""SELECT k.id, NULL::TIMESTAMPTZ AS observed_at FROM known_candidate_tags AS k
        WHERE {LIVE} AND k.id NOT IN (SELECT id FROM now_candidate_tags)
            AND k.candidate_id IN (
                SELECT candidate_id FROM showing WHERE {shown_whole("candidate_tags")}
                UNION SELECT id FROM gone_candidates
            )""",
    )
    live_after(workspace, "candidate_tags", "id, tag_id")
    workspace.make(
        "now",
        "tags",
        f"""FROM seen_tags WHERE id IN (SELECT tag_id FROM now_candidate_tags)
        {LAST.first_by_id}""",
    )
    gone_without_link(workspace, "tags", {"candidate_tags": "tag_id"}, FOCUSED)


def _job_links(workspace: Workspace) -> None:
    """Stages and questions of a job. They are there from their first observation until their job is gone."""
    for model, other, keep in (
        ("job_application_stages", "stage_id", keep_stage_places),
        ("job_screening_questions", "question_id", keep_question_places),
    ):
        workspace.make(
            "now",
            model,
            f"""FROM seen_{model} WHERE job_id IN (SELECT id FROM live_jobs)
            {WINNER.first_by_id}""",
        )
        workspace.make(
            "gone",
            model,
            f"SELECT k.id, g.observed_at FROM known_{model} AS k JOIN gone_jobs AS g ON g.id = k.job_id WHERE {LIVE}",
        )
        keep(workspace)
        live_after(workspace, model, f'id, job_id, {other}, "index"')
    those_linked(workspace, "screening_questions", "job_screening_questions", "question_id")
    keep_questions(workspace)


def _team(workspace: Workspace) -> None:
    """Users and hiring teams. A link is gone when its job no longer shows it, a user when no live job does."""
    workspace.make("now", "job_hiring_team", "FROM seen_job_hiring_team WHERE seq IN (SELECT seq FROM now_jobs)")
    workspace.make(
        "gone",
        "job_hiring_team",
        f"""SELECT k.id, coalesce(g.observed_at, n.observed_at) AS observed_at
        FROM known_job_hiring_team AS k
        LEFT JOIN gone_jobs AS g ON g.id = k.job_id
        LEFT JOIN (FROM now_jobs WHERE {shown_whole("job_hiring_team")}) AS n ON n.id = k.job_id
        WHERE {LIVE} AND (g.id IS NOT NULL OR n.id IS NOT NULL) AND k.id NOT IN (SELECT id FROM now_job_hiring_team)""",
    )
    live_after(workspace, "job_hiring_team", "id, user_id")
    workspace.make(
        "now",
        "users",
        f"""FROM seen_users WHERE seq IN (SELECT seq FROM now_jobs)
        {WINNER.first_by_id}""",
    )
    keep_users(workspace)
    gone_without_link(workspace, "users", {"job_hiring_team": "user_id"})


def _stages(workspace: Workspace) -> None:
    """Stages. Their `global_index` is the largest index of any live job stage."""
    workspace.step(
        "global_index",
        'SELECT stage_id AS id, max("index") AS global_index FROM live_job_application_stages GROUP BY stage_id',
    )
    workspace.make(
        "now",
        "application_stages",
        f"""WITH winner AS (
            FROM seen_application_stages {WINNER.first_by_id}
        )
        SELECT w.* REPLACE (g.global_index AS global_index)
        FROM winner AS w LEFT JOIN global_index AS g ON g.id = w.id""",
    )
    keep_stages(workspace)
    links = {"job_application_stages": "stage_id", "applications": "current_stage_id"}
    gone_without_link(workspace, "application_stages", links, FOCUSED)
