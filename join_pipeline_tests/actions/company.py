"""A sandbox company that tests write to and look at over its API, never through the code under test.

Belongs here: requests to be varied and sent, faults, what JOIN then has. Not here: what is asserted.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from join_pipeline.actions.create import create_application
from join_pipeline.sandbox import SandboxConfig
from join_pipeline.settings import Settings, load_settings

TOKEN = "sandbox-token"
CONFIG = SandboxConfig(port=0, applications=300, jobs=120, rate_limit=None, slow_seconds=0.4)
PDF = b"%PDF-1.4 this is me"
LETTER = b"%PDF-1.4 please take me"


def no_sleep(_seconds: float) -> None:
    """Waits take no time."""


def attachment(name: str = "cv.pdf", kind: str = "CV", content: bytes = PDF, **changes: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": b64encode(content).decode(), **changes}


@dataclass(frozen=True)
class Company:
    """One sandbox, and a data folder of its own."""

    url: str
    data: Path

    def settings(self, **changes: Any) -> Settings:
        chosen = {
            "join_api_token": TOKEN,
            "join_api_url": f"{self.url}/v2",
            "data": self.data,
            "connection": "acme",
            "integration_id": "join:test",
            "pseudonym_key": "a key for tests only",
            "timeout_seconds": 5.0,
        }
        return load_settings(**(chosen | changes))

    def get(self, path: str, **params: Any) -> Any:
        answer = httpx.get(
            f"{self.url}/v2{path}", params=params, headers={"Authorization": TOKEN}, trust_env=False, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def job(self, status: str = "ONLINE", place: int = 0) -> int:
        number: int = self.get("/jobs", status=status)[place]["id"]
        return number

    def request(self, email: str, *files: dict[str, Any], job: str | None = None, **changes: Any) -> dict[str, Any]:
        person = {"first_name": "Zoë", "last_name": "Test", "email_address": email}
        asked = {"candidate": person, "application": {"job_id": job or f"remote:{self.job()}"}}
        return {**asked, **({"attachments": list(files)} if files else {}), **changes}

    def applications(self, email: str) -> list[dict[str, Any]]:
        """What JOIN has of this address, whatever job."""
        found: list[dict[str, Any]] = []
        page = 1
        while listed := self.get("/applications", page=page, pageSize=50):
            found += [one for one in listed if one["candidate"]["email"].lower() == email.lower()]
            page += 1
        return found

    def strangers(self) -> list[dict[str, Any]]:
        """Applications that no test made."""
        listed = [one for page in (1, 2, 3) for one in self.get("/applications", page=page, pageSize=50)]
        return [one for one in listed if not str(one["integrationExternalId"]).startswith("jp-")]

    def files(self, application: dict[str, Any]) -> list[str]:
        """Hashes of an application's files, as they are downloaded."""
        contents = [
            httpx.get(item["url"], headers={"Authorization": TOKEN}, trust_env=False, timeout=30)
            for item in application["attachments"]
        ]
        return sorted(hashlib.sha256(answer.raise_for_status().content).hexdigest() for answer in contents)

    @contextmanager
    def faulty(self, **faults: float) -> Iterator[None]:
        """These faults, for a while."""
        self._set(faults)
        try:
            yield
        finally:
            self._set({})

    def _set(self, faults: dict[str, float]) -> None:
        httpx.post(f"{self.url}/control/faults", json=faults, trust_env=False, timeout=30).raise_for_status()

    def move_to(self, now: str) -> None:
        """Set the company's clock."""
        httpx.post(f"{self.url}/control/clock", json={"now": now}, trust_env=False, timeout=30).raise_for_status()

    def kept(self) -> list[Path]:
        return sorted((self.data / "acme" / "actions" / "kept").glob("*"))


def hashes(*contents: bytes) -> list[str]:
    return sorted(hashlib.sha256(content).hexdigest() for content in contents)


FILES = (attachment(), attachment("letter.pdf", "COVER_LETTER", LETTER))
WHOLE = hashes(PDF, LETTER)


def create(company: Company, asked: dict[str, Any], **changes: Any) -> Any:
    return create_application(company.settings(**changes), asked, sleep=no_sleep)
