"""What comes from what, from JOIN's lists to the tables of `ats`; and what each is, in a line.

Belongs here: names as `raw/<feed>`, `models/<model>`, `ats/<table>`. Not here: what columns mean (models), what dbt
makes of the tables (its manifest).
"""

from typing import Final, NamedTuple

from join_pipeline.join_api.feeds import FEEDS
from join_pipeline.models import MODELS, Column
from join_pipeline.models.declared import OBSERVATION
from join_pipeline.warehouse import pseudonyms


class Described(NamedTuple):
    """One thing that a step makes: its path, what it is, what it comes from, its columns if they are declared."""

    path: str
    doc: str
    sources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


FEED_DOCS: Final = {
    "applications": "Applications as JOIN lists them, each with its candidate, job and current stage.",
    "jobs": "Jobs of every status that JOIN offers, with their forms.",
    "categories": "JOIN's job categories: names behind ids.",
    "employment_types": "JOIN's employment types: names behind ids.",
    "seniority_levels": "JOIN's seniority levels: names behind ids.",
}
"""By feed."""

_ALL_FEEDS: Final = tuple(f"raw/{feed.name}" for feed in FEEDS)
_APPLICATIONS: Final = ("raw/applications",)
_JOBS: Final = ("raw/jobs",)
MODEL_SOURCES: Final = {
    "users": _JOBS,
    "jobs": _ALL_FEEDS,  # applications: they name jobs that the lists lack
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

_LOADED: Final = tuple(column for column in OBSERVATION if column.name in {"observed_at", "sync_id"})
_BESIDE: Final = {
    "as_of": ("One row: until when the warehouse knows, the latest fetch of the newest sync.", _ALL_FEEDS),
    "syncs": ("One row per committed sync, in ats_history.", _ALL_FEEDS),
    "unread_applications": (
        "Applications that a sync should have read and could not, in ats_history.",
        ("raw/applications",),
    ),
    "sync_counts": ("What each sync counted, by feed and model, in ats_history.", _ALL_FEEDS),
    "pseudonyms": (
        "Pseudonyms of applications, candidates and users, made with a key that never enters the warehouse.",
        tuple(f"models/{model}" for model in pseudonyms.MODELS),
    ),
}

RAW: Final = tuple(
    Described(f"raw/{feed}", f"{doc} Payloads as they came: lake/raw/{feed}.") for feed, doc in FEED_DOCS.items()
)
VERSIONS: Final = tuple(
    Described(
        f"models/{name}",
        f"{model.doc} One row per version: lake/models/{name}.",
        MODEL_SOURCES[name],
        model.version_columns,
    )
    for name, model in MODELS.items()
)
TABLES: Final = (
    *(
        Described(
            f"ats/{name}",
            f"{model.doc} The newest version of each record; all versions in ats_history.",
            (f"models/{name}",),
            (*model.columns, *_LOADED),
        )
        for name, model in MODELS.items()
    ),
    *(Described(f"ats/{name}", doc, sources) for name, (doc, sources) in _BESIDE.items()),
)
