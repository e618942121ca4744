"""Maps a payload from JSON text as a sync does: payload by hand in, rows by model out."""

import json
from typing import Any

from join_pipeline.http.contracts import decode
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped, Row
from join_pipeline.sources.join.mapping.application import map_application
from join_pipeline.sources.join.mapping.job import References, map_job
from join_pipeline.sources.join.payloads import ApplicationPayload, JobPayload
from join_pipeline_tests.oracle.identifiers import unified_id

INTEGRATION = "join:mapping"


def id_of(model: str, remote_id: object) -> str:
    """Our id, reckoned apart from the code under test."""
    return unified_id(INTEGRATION, model, str(remote_id))


def of_application(payload: dict[str, Any]) -> Mapped:
    text = json.dumps(payload)
    return map_application(decode(ApplicationPayload, text), json.loads(text), Ids(INTEGRATION))


def of_job(payload: dict[str, Any], references: References | None = None) -> Mapped:
    text = json.dumps(payload)
    return map_job(decode(JobPayload, text), json.loads(text), Ids(INTEGRATION), references or References())


def only(mapped: Mapped, model: str) -> Row:
    """The one row of a model."""
    (row,) = mapped.rows[model]
    return row


def remote_ids(mapped: Mapped, model: str) -> list[str]:
    return [row["remote_id"] for row in mapped.rows.get(model, [])]
