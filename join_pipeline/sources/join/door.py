"""JOIN's door: which keys of its payloads are what the setting of what is kept out names."""

from typing import Final

from join_pipeline.sources.join.mapping.job import URL_KEYS
from join_pipeline.sources.join.payloads import ApplicationPayload, JobPayload
from join_pipeline.sync.door import Cut, Door

DOOR: Final = Door(
    kinds={"applications": ApplicationPayload, "jobs": JobPayload},
    also={"jobs": frozenset(URL_KEYS)},
    cuts={
        "candidate_names": {"applications": (Cut("candidate.firstName"), Cut("candidate.lastName"))},
        "email_addresses": {"applications": (Cut("candidate.email"),)},
        "phone_numbers": {"applications": (Cut("candidate.phoneNumber"),)},
        "countries": {"applications": (Cut("candidate.country"),)},
        "job_descriptions": {"jobs": (Cut("description"),)},
        "tags": {"applications": (Cut("candidate.tags", ()),)},
        "integration_keys": {"applications": (Cut("integrationExternalId"),)},
        # JOIN's users have no id but their address, so a user whose address is kept out is nobody
        "users": {"jobs": (Cut("contact"), Cut("hiringTeam", ()))},
    },
)
