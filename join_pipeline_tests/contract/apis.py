"""An API under test, whichever it is."""

import time
from typing import Any

import httpx

from join_pipeline.sandbox import SandboxConfig

CONFIG = SandboxConfig(port=0, seed=23, applications=1500, rate_limit=(100_000, 60.0))


class Api:
    """One API, asked politely: it waits when the rate limit says so."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self._client = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, *, token: str | None = "", **params: Any) -> httpx.Response:
        """GET with this API's token, with another one, or with none (None)."""
        headers = {} if token is None else {"Authorization": token or self.token}
        for _ in range(5):
            answer = self._client.get(path, params=params or None, headers=headers)
            if answer.status_code != 429:
                break
            time.sleep(float(answer.headers.get("x-ratelimit-reset", 5)))
        return answer

    def records(self, path: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, list)
        return found

    def everything(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The records of all pages."""
        found: list[dict[str, Any]] = []
        while page := self.records(path, page=1 + len(found) // 50, pageSize=50, **params):
            found += page
            if len(page) < 50:
                break
        return found
