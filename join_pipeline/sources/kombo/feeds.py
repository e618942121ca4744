"""Kombo's feeds as typed data, as far as its JOIN connector has them, and the models that are mapped from each.

Belongs here: names, paths and descriptions. Not here: the requests (extract, client). Each feed has the name of its
model, a watermark and the guard.
"""

from collections.abc import Mapping
from typing import Final

from join_pipeline.lake.erased import Naming
from join_pipeline.sources.feed import Feed

SINCE: Final = "updated_after"


def _feed(name: str, path: str, doc: str, people: tuple[Naming, ...] = ()) -> Feed:
    return Feed(name, path, doc, since=SINCE, key="id", created="remote_created_at", people=people)


def _own(model: str, *path: str) -> tuple[Naming, ...]:
    """A record at `path`, which has Kombo's id and the one of the ATS."""
    return tuple(Naming(model, key, (*path, key)) for key in ("id", "remote_id"))


APPLICATIONS: Final = _feed(
    "applications",
    "/ats/applications",
    "Applications as Kombo lists them, each with a part of its candidate, job and current stage.",
    (
        *_own("applications"),
        Naming("candidates", "id", ("candidate_id",)),
        *_own("candidates", "candidate"),
    ),
)
# in the order in which they are read and mapped: a list comes after the lists that name its records, so it has the
# records that Kombo adds meanwhile, too
FEEDS: Final = (
    APPLICATIONS,
    _feed("candidates", "/ats/candidates", "Candidates as Kombo lists them, each with its tags.", _own("candidates")),
    _feed("jobs", "/ats/jobs", "Jobs as Kombo lists them, each with its stages, questions and hiring team."),
    _feed("tags", "/ats/tags", "Tags as Kombo lists them."),
    _feed("application_stages", "/ats/application-stages", "Stages over the whole account, as Kombo lists them."),
    _feed("users", "/ats/users", "Users of the ATS, as Kombo lists them."),
)

MODEL_FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("users", "jobs"),
    "jobs": ("jobs", "applications"),
    "candidates": ("candidates", "applications"),
    "application_stages": ("application_stages", "applications", "jobs"),
    "applications": ("applications",),
    "screening_questions": ("jobs",),
    "tags": ("tags", "candidates"),
    "candidate_tags": ("candidates",),
    "job_application_stages": ("jobs",),
    "job_screening_questions": ("jobs",),
    "job_hiring_team": ("jobs",),
}
"""For each model, the feeds that it is mapped from."""
