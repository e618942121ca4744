"""Recall for JOIN: the known records that a sync can concern.

An incremental sync concerns few applications, candidates and tags. If it loaded all of them, its memory would grow with
the account, and not with the number of changes.
"""

from typing import Final

from join_pipeline.models import MODELS
from join_pipeline.sync.known import newest
from join_pipeline.sync.workspace import Workspace

FOCUSED: Final = ("applications", "candidates", "candidate_tags")
"""Models whose `known_<model>` has only the records that the sync can concern; `versions_<model>` has the others."""


def recall(workspace: Workspace) -> None:
    """Make `known_<model>`: the newest versions of all records that `seen_*` and `missing` can concern.

    These are the observed and missing applications, the other applications of their candidates, and the applications of
    missing jobs. An application may have had another candidate or job before, so all of its versions count.
    """
    workspace.step("came", "SELECT id FROM seen_applications UNION SELECT id FROM missing WHERE model = 'applications'")
    workspace.step(
        "concerned_candidates",
        """SELECT candidate_id AS id FROM seen_applications UNION
        SELECT candidate_id FROM versions_applications WHERE id IN (FROM came)""",
    )
    applications = """FROM came UNION SELECT id FROM versions_applications
        WHERE candidate_id IN (FROM concerned_candidates)
            OR job_id IN (SELECT id FROM missing WHERE model = 'jobs')"""
    workspace.make("known", "applications", f"FROM {newest('applications', applications)}")
    workspace.make("known", "candidates", f"FROM {newest('candidates', 'FROM concerned_candidates')}")
    # a link never changes its candidate, because its id has the candidate's id in it
    tags = "SELECT id FROM versions_candidate_tags WHERE candidate_id IN (FROM concerned_candidates)"
    workspace.make("known", "candidate_tags", f"FROM {newest('candidate_tags', tags)}")
    for name in MODELS:
        if name not in FOCUSED:
            workspace.make("known", name, f"FROM {newest(name)}")
