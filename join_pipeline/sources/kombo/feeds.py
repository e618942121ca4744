"""The inventory: what Kombo lists of an ATS, as far as the JOIN connector gives it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Feed:
    """One list. It bears its model's name, and all are asked in the same way."""

    name: str
    path: str


APPLICATIONS: Final = Feed("applications", "/ats/applications")
# what is named comes after what names it: a record that Kombo takes in meanwhile is then there, too
FEEDS: Final = (
    APPLICATIONS,
    Feed("candidates", "/ats/candidates"),
    Feed("jobs", "/ats/jobs"),
    Feed("tags", "/ats/tags"),
    Feed("application_stages", "/ats/application-stages"),
    Feed("users", "/ats/users"),
)
