"""Kombo's official client against a sandbox, sync and async, behind one small face."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import httpx
import kombo
import kombo.errors
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sandbox.kombo.config import KomboConfig

LISTS = ("users", "jobs", "candidates", "application_stages", "applications", "tags")
CONFIG = SandboxConfig(
    port=0, seed=3, applications=150, rate_limit=None, slow_seconds=0.4, kombo=KomboConfig(rate_limit=None)
)


@dataclass(frozen=True)
class Client:
    """The client in one of its two ways. An answer that its models do not take raises."""

    make: Callable[[], kombo.Kombo]
    is_async: bool

    @cached_property
    def _sdk(self) -> kombo.Kombo:
        return self.make()

    def call(self, name: str, **arguments: Any) -> Any:
        """A call of the `ats` or the `general` part."""
        if self.is_async:
            return asyncio.run(self._call_async(name, arguments))
        return getattr(_part(self._sdk, name), name)(**arguments)

    async def _call_async(self, name: str, arguments: dict[str, Any]) -> Any:
        async with self.make() as sdk:  # connections belong to one event loop
            return await getattr(_part(sdk, name), f"{name}_async")(**arguments)

    def pages(self, name: str, **filters: Any) -> list[list[Any]]:
        """Every page of a list, followed by the client's own `next`."""
        if self.is_async:
            return asyncio.run(self._pages_async(name, filters))
        pages = []
        page = getattr(self._sdk.ats, f"get_{name}")(**filters)
        while page is not None:
            pages.append(page.result.data.results)
            page = page.next()
        return pages

    async def _pages_async(self, name: str, filters: dict[str, Any]) -> list[list[Any]]:
        pages = []
        async with self.make() as sdk:
            page = await getattr(sdk.ats, f"get_{name}_async")(**filters)
            while page is not None:
                pages.append(page.result.data.results)
                page = await page.next()
        return pages

    def everything(self, name: str, **filters: Any) -> list[Any]:
        return [record for page in self.pages(name, page_size=250, **filters) for record in page]


def _part(sdk: kombo.Kombo, name: str) -> Any:
    return sdk.ats if hasattr(sdk.ats, name) else sdk.general


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, its client, and what a tester may do to it."""

    url: str
    config: SandboxConfig
    http: httpx.Client

    def client(self, *, is_async: bool = False, **options: Any) -> Client:
        known = self.config.kombo
        given = {"api_key": known.api_key, "integration_id": known.integration_id, "timeout_ms": 60_000} | options
        return Client(partial(kombo.Kombo, server_url=f"{self.url}/kombo/v1", **given), is_async)

    def raw(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """A plain request with the right headers, unless `headers` says otherwise."""
        known = self.config.kombo
        headers = {"Authorization": f"Bearer {known.api_key}", "X-Integration-Id": known.integration_id}
        return self.http.request(method, f"/kombo/v1{path}", **{"headers": headers, **options})

    def control(self, path: str, body: Any) -> Any:
        answer = self.http.post(f"/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def go_to(self, instant: str) -> None:
        self.control("clock", {"now": instant})


@contextmanager
def serving(config: SandboxConfig) -> Iterator[Sandbox]:
    with running(config) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Sandbox(url, config, http)


def code_of(client: Client, name: str, **arguments: Any) -> str | None:
    with pytest.raises((kombo.errors.KomboAtsError, kombo.errors.KomboGeneralError)) as caught:
        client.call(name, **arguments)
    return caught.value.data.error.code
