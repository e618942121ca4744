"""One company with two pipelines: one reads it from JOIN, one from Kombo."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx

from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS, Model
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.kombo.options import KomboOptions

Row = dict[str, Any]
KOMBO = KomboConfig(rate_limit=None, connected_days=0)


@dataclass(frozen=True)
class Account:
    """A running company."""

    url: str
    data: Path
    config: KomboConfig

    def move(self, now: datetime) -> None:
        self._post("clock", {"now": now.isoformat()})

    def switch(self, **switches: Any) -> None:
        """Change what Kombo does from its next sync on."""
        self._post("kombo", switches)

    def fault(self, **rates: float) -> None:
        self._post("faults", rates)

    def force(self) -> None:
        """Let Kombo sync at once."""
        settings = self.kombo()
        key, integration = settings.of(KomboOptions).credentials()
        headers = {"Authorization": f"Bearer {key}", "X-Integration-Id": integration}
        answer = httpx.post(f"{self.url}/kombo/v1/force-sync", headers=headers, json={}, trust_env=False)
        answer.raise_for_status()

    def join(self, **changes: Any) -> Settings:
        given = {"join_api_token": "sandbox-token", "join_api_url": f"{self.url}/v2"}
        return self._settings(**{"connection": "by_join", **given, **changes})

    def kombo(self, **changes: Any) -> Settings:
        given = {
            "source": "kombo",
            "kombo_api_key": self.config.api_key,
            "kombo_integration_id": self.config.integration_id,
            "kombo_api_url": f"{self.url}/kombo/v1",
        }
        return self._settings(**{"connection": "by_kombo", **given, **changes})

    def _settings(self, **given: Any) -> Settings:
        return load_settings(**{"data": self.data, "pseudonym_key": "a key for tests only", **given})

    def _post(self, path: str, body: Row) -> None:
        httpx.post(f"{self.url}/control/{path}", json=body, trust_env=False).raise_for_status()


@contextlib.contextmanager
def account(data: Path, now: datetime, applications: int = 120, config: KomboConfig = KOMBO) -> Iterator[Account]:
    sandbox = SandboxConfig(port=0, applications=applications, now=now, rate_limit=None, kombo=config)
    with running(sandbox) as url:
        yield Account(url, data, config)


def newest(settings: Settings, *, live: bool = True) -> dict[str, dict[str, Row]]:
    """The newest version of every record by model and id, personal columns and all."""
    lake = open_lake(settings.lake)
    record = lake.newest()
    assert record is not None
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return {name: _newest(con, lake.path, model, record.files, live=live) for name, model in MODELS.items()}


def _newest(con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Any, *, live: bool) -> dict[str, Row]:
    versions, personal = files.models.get(model.name, []), files.personal.get(model.name, [])
    joined = f"LEFT JOIN {personal_relation(lake, model, personal)} AS p USING (id, sync_id)" if model.personal else ""
    newest = "QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1"
    found = con.execute(
        f"""SELECT * FROM (FROM {versions_relation(lake, model, versions)} {newest}) AS v {joined}
        WHERE NOT {live} OR v.remote_deleted_at IS NULL"""
    )
    names = [column[0] for column in found.description or []]
    rows = (dict(zip(names, row, strict=True)) for row in found.fetchall())
    return {row["id"]: row for row in rows}


def parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
