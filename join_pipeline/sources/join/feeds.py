"""The inventory: what JOIN lists, as typed data. The engine has no special cases.

Source: JOIN's API v2 as gathered in its help pages and in public clients; every list is a bare JSON array.
"""

from dataclasses import dataclass, field
from typing import Final

JOB_STATUSES: Final = ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")


@dataclass(frozen=True, slots=True)
class Feed:
    """One listing of JOIN.

    `since` is the parameter that filters by last update; `per_status` lists are read beside the plain one, since JOIN
    does not say which statuses the plain one leaves out; `verify_absent` means that absence alone is no deletion.
    """

    name: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    paged: bool = True
    since: str | None = None
    per_status: tuple[str, ...] = ()
    verify_absent: bool = False

    def record_path(self, remote_id: str) -> str:
        """The path of one record."""
        return f"{self.path}/{remote_id}"


APPLICATIONS: Final = Feed("applications", "/applications", since="updatedAtGte", verify_absent=True)
JOBS: Final = Feed("jobs", "/jobs", {"content": "true"}, per_status=JOB_STATUSES, verify_absent=True)
CATEGORIES: Final = Feed("categories", "/categories", paged=False)
EMPLOYMENT_TYPES: Final = Feed("employment_types", "/employmentTypes", paged=False)
SENIORITY_LEVELS: Final = Feed("seniority_levels", "/seniorityLevels", paged=False)

REFERENCES: Final = (CATEGORIES, EMPLOYMENT_TYPES, SENIORITY_LEVELS)
# applications before jobs: a job that an application names must be known, or looked up, in the same sync
FEEDS: Final = (APPLICATIONS, JOBS, *REFERENCES)
