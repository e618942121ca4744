"""The inventory: what JOIN lists, as typed data, and what is mapped from which. The engine has no special cases.

Source: JOIN's API v2 as gathered in its help pages and in public clients; every list is a bare JSON array.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from join_pipeline.sources.feed import Feed

JOB_STATUSES: Final = ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")


@dataclass(frozen=True, slots=True)
class JoinFeed(Feed):
    """One listing of JOIN. Absence alone is no deletion, except from a reference list.

    `params` go with every request for it; `per_status` lists are read beside the plain one, since JOIN does not say
    which statuses the plain one leaves out.
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
)
JOBS: Final = JoinFeed(
    "jobs",
    "/jobs",
    "Jobs of every status that JOIN offers, with their forms.",
    params={"content": "true"},
    per_status=JOB_STATUSES,
)
REFERENCES: Final = (
    JoinFeed("categories", "/categories", "JOIN's job categories: names behind ids.", is_reference=True),
    JoinFeed("employment_types", "/employmentTypes", "JOIN's employment types: names behind ids.", is_reference=True),
    JoinFeed("seniority_levels", "/seniorityLevels", "JOIN's seniority levels: names behind ids.", is_reference=True),
)
# in the order in which they are mapped; applications before jobs: a job that an application names must be known, or
# looked up, in the same sync
FEEDS: Final = (APPLICATIONS, JOBS, *REFERENCES)

_APPLICATIONS: Final = (APPLICATIONS.name,)
_JOBS: Final = (JOBS.name,)
MODEL_FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": _JOBS,
    "jobs": tuple(feed.name for feed in FEEDS),  # applications: they name jobs that the lists lack
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
"""By model, the feeds that it is mapped from."""
