"""Kombo's door: which fields of its records are what the setting of what is kept out names."""

from typing import Final

from join_pipeline.privacy import RAW
from join_pipeline.sources.kombo.payloads import (
    ApplicationPayload,
    CandidatePayload,
    JobPayload,
    NamedPayload,
    UserPayload,
)
from join_pipeline.sync.door import Cut, Door

NAMED_BY_TEXT: Final = frozenset({"tags", "users"})
"""What a lake that the ATS's own API began knows by a text that would be kept out."""
_USER: Final = ("remote_id", "first_name", "last_name", "email")

DOOR: Final = Door(
    kinds={
        "applications": ApplicationPayload,
        "candidates": CandidatePayload,
        "jobs": JobPayload,
        "users": UserPayload,
        "tags": NamedPayload,
        "application_stages": NamedPayload,
    },
    always=(Cut("remote_data"),),  # JOIN's payload, in which anything may lie
    cuts={
        "candidate_names": {
            "candidates": (Cut("first_name"), Cut("last_name")),
            "applications": (Cut("candidate.first_name"), Cut("candidate.last_name")),
        },
        "email_addresses": {
            "candidates": (Cut("email_addresses", ()),),
            "applications": (Cut("candidate.email_addresses", ()),),
        },
        "phone_numbers": {
            "candidates": (Cut("phone_numbers", ()),),
            "applications": (Cut("candidate.phone_numbers", ()),),
        },
        "countries": {"candidates": (Cut("location"),)},
        "job_descriptions": {"jobs": (Cut("description"),)},
        "tags": {"candidates": (Cut("tags", ()),), "tags": (Cut("remote_id"), Cut("name"))},
        "integration_keys": {},  # Kombo tells none
        "users": {
            "users": tuple(map(Cut, _USER)),
            "jobs": tuple(Cut(f"hiring_team[].{name}") for name in _USER),
        },
        RAW: {"jobs": (Cut("integration_fields", ()),)},
    },
)
