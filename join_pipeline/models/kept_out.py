"""What may be kept out of the lake: the columns that stay empty then.

Belongs here: columns of models. Not here: the words and presets (privacy), which keys of a payload they are (a source's
`door`), cutting payloads (sync.door).
"""

from collections.abc import Collection, Mapping
from typing import Final

from join_pipeline.models.declared import MODELS
from join_pipeline.models.rows import Row
from join_pipeline.privacy import RAW

COLUMNS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "candidate_names": {"candidates": ("first_name", "last_name")},
    "email_addresses": {"candidates": ("email_addresses",)},
    "phone_numbers": {"candidates": ("phone_numbers",)},
    "countries": {"candidates": ("location",)},
    "screening_answers": {},  # no column has them; they lie in raw payloads
    "job_descriptions": {"jobs": ("description",)},
    "tags": {"tags": ("remote_id", "name"), "candidate_tags": ("remote_id",)},
    "integration_keys": {"applications": ("integration_external_id",)},
    "users": {"users": ("remote_id", "first_name", "last_name", "email"), "job_hiring_team": ("remote_id",)},
    RAW: {
        "jobs": ("integration_fields", "remote_data"),
        "candidates": ("remote_data",),
        "applications": ("remote_data",),
        "application_stages": ("remote_data",),
        "screening_questions": ("format",),
    },
}
"""For each word, the columns that are empty if it is kept out: together all of tiers 2 and 3."""


def emptied(kept_out: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """By model, the columns that these words leave empty."""
    return {
        model: found
        for model in MODELS
        if (found := tuple(name for word in sorted(kept_out) for name in COLUMNS[word].get(model, ())))
    }


def empty(row: Row, columns: Collection[str]) -> None:
    """Empty these columns of a row."""
    for name in columns:
        if name in row:
            row[name] = None
