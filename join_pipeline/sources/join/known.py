"""Which known records a sync of JOIN can concern.

Of applications, candidates and their tags an incremental sync meets few: to hold all of them would make its memory grow
with the account and not with what changed.
"""

from typing import Final

from join_pipeline.models import MODELS
from join_pipeline.sync.known import newest
from join_pipeline.sync.workspace import Workspace

FOCUSED: Final = ("applications", "candidates", "candidate_tags")
"""Models of which `known_<model>` holds only what a sync can concern; `versions_<model>` tells of the rest."""


def recall(workspace: Workspace) -> None:
    """Tables `known_<model>`: the newest versions of all records that `seen_*` and `missing` can concern.

    Those are the applications that came or are gone, every other one of their candidates, and those of a job that is
    gone. An application can have had another candidate or job before, so any of its versions counts.
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
    # a link never changes its candidate: its id is made of it
    tags = "SELECT id FROM versions_candidate_tags WHERE candidate_id IN (FROM concerned_candidates)"
    workspace.make("known", "candidate_tags", f"FROM {newest('candidate_tags', tags)}")
    for name in MODELS:
        if name not in FOCUSED:
            workspace.make("known", name, f"FROM {newest(name)}")
