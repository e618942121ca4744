"""Looking up an application at JOIN by the key that it was created with, or by the applicant's e-mail address.

Belongs here: reading the job's applications, newest first, because JOIN has no filter for either. Not here: what
follows from the result (send).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS

SLACK: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KnownApplication:
    """An application that JOIN has. `is_ours`: it has our key, or it has none and is no older than our attempt."""

    application: str
    candidate: str | None
    is_ours: bool


def look_up_application(
    client: JoinClient, job: str, external_id: str, email: str, sent_at: datetime
) -> KnownApplication | None:
    """The application with this key, else one with this e-mail address on this job, else None."""
    same_address: KnownApplication | None = None
    for page in client.pages(APPLICATIONS.path, {"jobId": job}):
        for record in page.records:
            payload = msgspec.json.decode(record.payload)
            # a server that ignores the filter lists the applications of every job
            if not isinstance(payload, dict) or record.id is None or _id(payload.get("job")) != job:
                continue
            key = payload.get("integrationExternalId")
            if key != external_id and (same_address or not _has_address(payload.get("candidate"), email)):
                continue
            is_ours = key == external_id or (not key and _created_at(payload) >= sent_at - SLACK)
            found = KnownApplication(record.id, _id(payload.get("candidate")), is_ours)
            if is_ours:
                return found
            same_address = found
    return same_address


def _id(value: Any) -> str | None:
    number = value.get("id") if isinstance(value, dict) else None
    return None if number is None else str(number)


def _created_at(payload: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(payload.get("createdAt"))).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _has_address(candidate: Any, email: str) -> bool:
    address = candidate.get("email") if isinstance(candidate, dict) else None
    return isinstance(address, str) and address.strip().casefold() == email.casefold()
