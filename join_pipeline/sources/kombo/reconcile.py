"""Kombo's reconcile: each record has its own payload, which also reports its deletion and shows all of its links.

Belongs here: rules of this source. Not here: what all sources share (sync.reconcile), payloads (mapping).
"""

from typing import Final

from join_pipeline.sources.kombo.feeds import FEEDS
from join_pipeline.sync.known import newest
from join_pipeline.sync.precedence import LAST, WINNER
from join_pipeline.sync.reconcile import LIVE, live_after, shown_whole, those_linked
from join_pipeline.sync.workspace import Workspace

LINKS: Final = {
    "candidate_tags": ("candidates", "candidate_id"),
    "job_application_stages": ("jobs", "job_id"),
    "job_screening_questions": ("jobs", "job_id"),
    "job_hiring_team": ("jobs", "job_id"),
}
"""For each link model, the model whose records show the links, and the link's column with that record's id."""


def recall(workspace: Workspace) -> None:
    """Make `known_<model>`: observed, missing and deleted records, the links of these records, and all questions."""
    for name in (feed.name for feed in FEEDS):
        came = f"""SELECT id FROM seen_{name} UNION SELECT id FROM missing WHERE model = '{name}'
            UNION SELECT id FROM said_gone WHERE model = '{name}'"""
        workspace.make("known", name, f"FROM {newest(name, came)}")
    for name, (parent, column) in LINKS.items():
        links = f'SELECT id FROM versions_{name} WHERE "{column}" IN (SELECT id FROM known_{parent})'
        workspace.make("known", name, f"FROM {newest(name, links)}")
    for name in ("screening_questions", "job_screening_questions"):  # a question is gone with its last link
        workspace.make("known", name, f"FROM {newest(name)}")
    # only the ATS itself tells its word for the state. It holds until a record shows that it is another one
    if workspace.holds_any("FROM known_applications WHERE state IS NOT NULL"):
        workspace.con.execute(
            """UPDATE seen_applications AS s SET state = k.state FROM known_applications AS k
            WHERE k.id = s.id AND s.state IS NULL AND k.outcome = s.outcome
                AND k.current_stage_id IS NOT DISTINCT FROM s.current_stage_id"""
        )


def reconcile(workspace: Workspace) -> None:
    """Make `now_<model>` and `gone_<model>` of all models, from `known_*`, `seen_*`, `missing` and `said_gone`."""
    for name in (feed.name for feed in FEEDS):
        _records(workspace, name, believes_loss=name not in workspace.guarded)
    for name, (parent, column) in LINKS.items():
        _links(workspace, name, parent, column)
    live_after(workspace, "job_screening_questions", "id, question_id")
    those_linked(workspace, "screening_questions", "job_screening_questions", "question_id")


def _records(workspace: Workspace, name: str, *, believes_loss: bool) -> None:
    """Records that have their own list. The last observation of a record says whether it is there or gone.

    A record that only others show is there with their content. It stays, because no list will report its deletion.
    If the guard objected to the feed (`believes_loss` is False), reported deletions are ignored.
    """
    workspace.step(
        f"last_gone_{name}",
        f"""WITH listed AS (SELECT id, max(seq) AS seq FROM seen_{name} WHERE priority = 1 GROUP BY id), told AS (
            SELECT id, seq, observed_at, remote_deleted_at FROM said_gone WHERE model = '{name}' AND {believes_loss}
            UNION ALL SELECT id, 0, observed_at, NULL FROM missing WHERE model = '{name}'
        )
        SELECT t.* FROM told AS t LEFT JOIN listed AS l ON l.id = t.id WHERE l.id IS NULL OR t.seq > l.seq
        QUALIFY row_number() OVER (PARTITION BY t.id ORDER BY t.seq DESC) = 1""",
    )
    workspace.make(
        "now",
        name,
        f"""WITH own AS (
            FROM seen_{name} WHERE priority = 1 AND id NOT IN (SELECT id FROM last_gone_{name})
            {LAST.first_by_id}
        )
        FROM own UNION ALL BY NAME
        FROM seen_{name} WHERE priority = 0
            AND id NOT IN (SELECT id FROM own) AND id NOT IN (SELECT id FROM known_{name})
        {WINNER.first_by_id}""",
    )
    workspace.make(
        "gone",
        name,
        f"""SELECT g.id, g.observed_at, g.remote_deleted_at
        FROM last_gone_{name} AS g JOIN known_{name} AS k ON k.id = g.id WHERE k.payload_hash IS NOT NULL""",
    )


def _links(workspace: Workspace, name: str, parent: str, column: str) -> None:
    """Links. A record shows all of its links: one that it does not show is gone, as are the links of a gone record.

    If one of them could not be read, nobody knows which, so all that are known stay.
    """
    workspace.make("now", name, f"FROM seen_{name} WHERE seq IN (SELECT seq FROM now_{parent} WHERE priority = 1)")
    workspace.make(
        "gone",
        name,
        f"""SELECT k.id, coalesce(g.observed_at, n.observed_at) AS observed_at, g.remote_deleted_at
        FROM known_{name} AS k
        LEFT JOIN gone_{parent} AS g ON g.id = k."{column}"
        LEFT JOIN (FROM now_{parent} WHERE priority = 1 AND {shown_whole(name)}) AS n ON n.id = k."{column}"
        WHERE k.{LIVE} AND (g.id IS NOT NULL OR n.id IS NOT NULL) AND k.id NOT IN (SELECT id FROM now_{name})""",
    )
