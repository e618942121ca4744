"""The company behind a golden lake: what a test needs to run it again, in the state in which the lake was written.

Belongs here: starting it, and how the pipeline reads it. Not here: writing a lake (make), reading one (reader).
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from join_pipeline.lake.record import SyncRecord
from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.instants import from_datetime
from join_pipeline.sandbox.kombo.config import KomboConfig, Off
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.simulation.account import Account, opened
from join_pipeline_tests.syncing import run_sync

CONNECTION = "golden"
KEY = "a key for tests only"
SHOWN_URL = "https://join.example"


class Switch(msgspec.Struct, kw_only=True):
    """From `at` on these models are switched off at Kombo, and all others are on."""

    at: datetime
    models_off: dict[str, Off]


class Company(msgspec.Struct, kw_only=True):
    """`company.json`: the sandbox's seed and size, when it was connected to Kombo, and until when it was read."""

    source: Literal["join", "kombo"]
    seed: int
    applications: int
    jobs: int
    begins: datetime
    now: datetime
    switches: list[Switch] = []

    @property
    def config(self) -> SandboxConfig:
        return SandboxConfig(
            port=0,
            seed=self.seed,
            applications=self.applications,
            jobs=self.jobs,
            now=self.begins,
            page_size=10,
            rate_limit=None,
            kombo=KomboConfig(rate_limit=None, connected_days=0, sync_hours=24),
        )

    def settings(self, url: str, data: Path, **changes: Any) -> Settings:
        """Those of a pipeline that reads it."""
        kombo = self.config.kombo
        given: dict[str, Any] = {
            "source": self.source,
            "join_api_token": self.config.token,
            "join_api_url": f"{url}/v2",
            "kombo_api_key": kombo.api_key,
            "kombo_integration_id": kombo.integration_id,
            "kombo_api_url": f"{url}/kombo/v1",
            "integration_id": "join:golden" if self.source == "join" else None,
            "pseudonym_key": KEY,
            "connection": CONNECTION,
            "data": data,
            "memory_limit": "500MB",
        }
        return load_settings(**given | changes)


@contextlib.contextmanager
def begun(company: Company) -> Iterator[Account]:
    """The company at its beginning, over real HTTP."""
    with opened(company.config, company.seed, SHOWN_URL) as account:
        yield account


@contextlib.contextmanager
def as_it_was(company: Company) -> Iterator[Account]:
    """The company as it was when the lake was written: nothing hidden, no faults, all of it at Kombo."""
    with begun(company) as account:
        for switch in company.switches:
            account.set_clock(switch.at)
            apply(account, switch)
        account.set_clock(company.now)
        yield account


def apply(account: Account, switch: Switch) -> None:
    """Switch models at Kombo, and let it sync at once."""
    replica, at = account.kombo.replica, from_datetime(switch.at)
    replica.look(at)
    replica.switch(replace(replica.settings, models_off=switch.models_off), at)
    replica.force(at)


def read(
    account: Account,
    settings: Settings,
    mode: Literal["full", "incremental"],
    run: Callable[..., SyncRecord] = run_sync,
) -> SyncRecord:
    """One sync by the account's own clock: the same files whenever it is run."""
    return run(settings, mode, sleep=account.sleep, monotonic=account.monotonic)
