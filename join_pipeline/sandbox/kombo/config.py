"""The settings of the sandbox's Kombo. All but keys and limits can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Condition = Literal["ready", "setup_incomplete", "setup_pending", "qa_failed", "inactive", "credentials_invalid"]
Off = Literal["deleted", "refused"]
MODELS: Final = ("users", "jobs", "candidates", "application_stages", "applications", "tags")


@dataclass(frozen=True, kw_only=True)
class KomboConfig:
    """One customer's integration of tool `join`."""

    api_key: str = "sandbox-kombo-key"
    integration_id: str = "join:5qHbJmTzr8CvXwY2dKfGpN3s"
    webhook_secret: str = "sandbox-webhook-secret"  # noqa: S105 - it signs nothing but this sandbox's webhooks
    rate_limit: tuple[int, float] | None = (300, 60.0)  # requests per real seconds
    actions_in_flight: int = 30

    connected_days: float = 20.2  # the first sync, before the sandbox's `now`
    sync_hours: float = 6.0  # from one sync to the next
    null_days: float = 14.0  # a deleted record keeps its fields so long
    condition: Condition = "ready"
    only_created: bool = False  # keep only applications that were created through Kombo
    has_remote_data: bool = True
    has_application_times: bool = False  # fill what the connector's page does not list: creation and update
    models_off: Mapping[str, Off] = field(default_factory=dict)  # a model's records vanish, or it is refused

    def __post_init__(self) -> None:
        if self.sync_hours <= 0:
            raise ValueError("sync_hours must be more than 0")
        if unknown := set(self.models_off) - set(MODELS):
            raise ValueError(f"unknown models: {', '.join(sorted(unknown))}; known: {', '.join(MODELS)}")
