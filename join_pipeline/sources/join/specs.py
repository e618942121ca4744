"""JOIN's feeds as the engine knows them, and what is mapped from which."""

from collections.abc import Mapping
from typing import Final

from join_pipeline.sources.feeds import FeedSpec
from join_pipeline.sources.join.feeds import FEEDS

_DOCS: Final = {
    "applications": "Applications as JOIN lists them, each with its candidate, job and current stage.",
    "jobs": "Jobs of every status that JOIN offers, with their forms.",
    "categories": "JOIN's job categories: names behind ids.",
    "employment_types": "JOIN's employment types: names behind ids.",
    "seniority_levels": "JOIN's seniority levels: names behind ids.",
}

SPECS: Final = {
    feed.name: FeedSpec(
        feed.name, _DOCS[feed.name], is_reference=not feed.verify_absent, is_incremental=feed.since is not None
    )
    for feed in FEEDS
}
"""By name, in the order in which they are mapped."""

_APPLICATIONS: Final = ("applications",)
_JOBS: Final = ("jobs",)
MODEL_FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": _JOBS,
    "jobs": tuple(SPECS),  # applications: they name jobs that the lists lack
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
