"""Kombo's feeds as the engine knows them, and what is mapped from which. Each has a watermark and is guarded."""

from collections.abc import Mapping
from typing import Final

from join_pipeline.sources.feeds import FeedSpec
from join_pipeline.sources.kombo.feeds import FEEDS

_DOCS: Final = {
    "applications": "Applications as Kombo lists them, each with a part of its candidate, job and current stage.",
    "candidates": "Candidates as Kombo lists them, each with its tags.",
    "jobs": "Jobs as Kombo lists them, each with its stages, questions and hiring team.",
    "tags": "Tags as Kombo lists them.",
    "application_stages": "Stages over the whole account, as Kombo lists them.",
    "users": "People behind jobs, as Kombo lists them.",
}
SPECS: Final = {feed.name: FeedSpec(feed.name, _DOCS[feed.name], is_incremental=True, key="id") for feed in FEEDS}
"""By name, in the order in which they are mapped."""

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
