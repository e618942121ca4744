"""JOIN's feeds as typed data, and the models that are mapped from each.

Belongs here: paths and parameters. Not here: the requests (listing, client). The engine has no special cases.
Source: JOIN's help pages and public clients of its API v2. Every list is a bare JSON array.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from join_pipeline.lake.erased import Naming
from join_pipeline.sources.feed import Feed, Unchanging

JOB_STATUSES: Final = ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")


@dataclass(frozen=True, slots=True)
class JoinFeed(Feed):
    """One listing of JOIN. A record that is missing from it is not deleted yet, except from a reference list.

    Every request has `params`. The sync also reads one list for each status in `per_status`, because JOIN does not
    document which statuses the plain list leaves out.
    """

    params: dict[str, str] = field(default_factory=dict)
    per_status: tuple[str, ...] = ()

    def record_path(self, remote_id: str) -> str:
        """The path of one record."""
        return f"{self.path}/{remote_id}"


APPLICATIONS: Final = JoinFeed(
    "applications",
    "/applications",
    "Applications as JOIN lists them, each with its candidate, job and current stage.",
    since="updatedAtGte",
    created="createdAt",
    people=(
        Naming("applications", "remote_id", ("id",)),
        Naming("candidates", "remote_id", ("candidate", "id")),
    ),
)
JOBS: Final = JoinFeed(
    "jobs",
    "/jobs",
    "Jobs of every status that JOIN offers, with their forms.",
    params={"content": "true"},
    created="createdAt",
    per_status=JOB_STATUSES,
)
REFERENCES: Final = (
    JoinFeed("categories", "/categories", "JOIN's job categories: names behind ids.", is_reference=True),
    JoinFeed("employment_types", "/employmentTypes", "JOIN's employment types: names behind ids.", is_reference=True),
    JoinFeed("seniority_levels", "/seniorityLevels", "JOIN's seniority levels: names behind ids.", is_reference=True),
)
# in the order in which they are mapped; applications come before jobs, because the sync that reads an application must
# know the job that it names, or look it up
FEEDS: Final = (APPLICATIONS, JOBS, *REFERENCES)

_APPLICATIONS: Final = (APPLICATIONS.name,)
_JOBS: Final = (JOBS.name,)
MODEL_FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": _JOBS,
    "jobs": tuple(feed.name for feed in FEEDS),  # with applications, because they name jobs that the lists lack
    "candidates": _APPLICATIONS,
    "application_stages": _APPLICATIONS,
    "applications": _APPLICATIONS,
    "screening_questions": _JOBS,
    "tags": _APPLICATIONS,
    "candidate_tags": _APPLICATIONS,
    "job_application_stages": _APPLICATIONS,
    "job_screening_questions": _JOBS,
    "job_hiring_team": _JOBS,
}
"""For each model, the feeds that it is mapped from."""

UNCHANGING: Final = Unchanging(
    feed=APPLICATIONS.name,
    # the contract has no such key, and inside of a text the quotes of one have backslashes
    signed=r'("(?:url|file)"\s*:\s*"https?://[!#->@-\[\]-~]*)\?[!#-\[\]-~]*',
    owner="candidate_id",
    owned={"applications": "candidate_id", "candidates": "id", "candidate_tags": "candidate_id"},
)
"""Addresses of attachments and answered files have signatures."""
