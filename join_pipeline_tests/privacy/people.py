"""Small companies in which every value about a person is a canary, for tests of one person.

Belongs here: syncing without a build, who somebody is, copies of a data folder. Not here: what must hold (tests).
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline import pipeline
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.models import MODELS
from join_pipeline.people import commands, erase
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.privacy.canaries import CANARY, Join, canary, join

START = datetime(2026, 6, 1, tzinfo=UTC)
KEY = "a key for tests only"


@dataclass(frozen=True)
class Somebody:
    """A person of the company: JOIN's ids, ours, and the pattern of all of their canaries."""

    candidate: int
    applications: tuple[int, ...]
    id: str
    application_ids: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"{canary('mail', self.candidate)}@example.com"

    @property
    def pattern(self) -> str:
        """What may be nowhere once they are erased."""
        of_person = rf"(first|last|mail|phone|country|link|url|person-text|own-tag)-{self.candidate}\b"
        numbers = "|".join(map(str, self.applications))
        ids = "|".join((self.id, *self.application_ids))
        return rf"{CANARY}-({of_person}|(answer|file|note|attachment|external)-({numbers})\b)|{ids}"


@contextlib.contextmanager
def company(applications: int = 24) -> Iterator[Join]:
    config = SandboxConfig(port=0, applications=applications, now=START, rate_limit=None)
    with running(config) as sandbox, join(sandbox) as api:
        yield api


def settings_of(url: str, data: Path, **changes: object) -> Settings:
    given = {"join_api_token": "sandbox-token", "join_api_url": f"{url}/v2", "data": data, "pseudonym_key": KEY}
    return load_settings(**{"integration_id": "join:test", **given, **changes})


def somebody(settings: Settings, *, place: int = 0) -> Somebody:
    """One of those who applied most often, by the lake."""
    lake = open_lake(settings.lake)
    rows = versions(lake, "applications", "candidate_id, remote_id, id")
    theirs: dict[str, dict[str, str]] = {}
    for candidate, remote_id, one in rows:
        if not candidate.startswith("erased-"):
            theirs.setdefault(candidate, {})[one] = remote_id
    chosen = sorted(theirs, key=lambda one: (-len(theirs[one]), one))[place]
    ((remote_id,),) = {row[1:] for row in versions(lake, "candidates", "id, remote_id") if row[0] == chosen}
    numbers = tuple(int(one) for one in theirs[chosen].values())
    return Somebody(int(remote_id), numbers, chosen, tuple(theirs[chosen]))


def versions(lake: Lake, model: str, columns: str = "*") -> list[tuple[object, ...]]:
    newest = lake.newest()
    assert newest is not None
    relation = versions_relation(lake.path, MODELS[model], newest.files.models.get(model, []))
    return duckdb.execute(f"SELECT {columns} FROM {relation} ORDER BY ALL").fetchall()


def load_only(settings: Settings) -> None:
    """What stands in for a build, which dbt makes slow: the warehouse is made anew, and the erasure ends."""
    pipeline.load(settings)
    erase.finish(settings)


def erased(settings: Settings, *given: str, everything: bool = False) -> dict[str, object]:
    receipt = commands.erase_person(settings, given, pipeline.feeds_of, load_only, everything=everything)
    assert receipt is not None
    return receipt


def is_found(settings: Settings, *given: str) -> list[str]:
    """The files in which somebody is found."""
    hits = commands.verify(settings, given, pipeline.feeds_of).hits
    return sorted({hit.path for hit in hits})


def receipts(settings: Settings) -> list[dict[str, object]]:
    return [json.loads(line) for line in (settings.home / "erasures.jsonl").read_text().splitlines()]


def addresses(settings: Settings) -> set[str]:
    """All e-mail addresses of candidates."""
    lake = open_lake(settings.lake)
    newest = lake.newest()
    assert newest is not None
    relation = personal_relation(lake.path, MODELS["candidates"], newest.files.personal["candidates"])
    rows = duckdb.execute(f"SELECT unnest(email_addresses).email_address FROM {relation}").fetchall()
    return {address for (address,) in rows}


class Killed(BaseException):
    """The process dies."""


def kill_at(number: int, patched: pytest.MonkeyPatch) -> list[int]:
    """Let the process die at the file operation of this number; returns the count of those so far."""
    count = [0]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*given: Any, **named: Any) -> Any:
            count[0] += 1
            if count[0] == number:
                raise Killed
            return real(*given, **named)

        return operation

    for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "link"), (os, "write"), (shutil, "rmtree")):
        patched.setattr(owner, name, dying(getattr(owner, name)))
    return count
