"""The checks of a connection to Kombo, for `connect` and `doctor`: each finding says what to do next.

Belongs here: live requests that change nothing. Not here: checks of this machine (doctor). No finding has the API key
or the integration id in it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final

import httpx
import msgspec

from join_pipeline.checks.connection import clock_findings
from join_pipeline.checks.finding import Finding
from join_pipeline.errors import ModelOffError, SettingsError, SourceError
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.kombo.answers import Integration
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline.sources.kombo.feeds import FEEDS
from join_pipeline.sources.kombo.names import KOMBOS, Names
from join_pipeline.sources.kombo.options import KomboOptions

TIMEOUT_SECONDS: Final = 10.0
VARIABLES: Final = "KOMBO_API_KEY and KOMBO_INTEGRATION_ID"
LIVE_ONLY: Final = {"page_size": "1", "include_deleted": "false"}
GUIDE: Final = (
    "The integration. In Kombo's dashboard, the company's JOIN account is connected and its first sync is done.",
    "The API key. In Kombo's dashboard under Secrets; export it as KOMBO_API_KEY.",
    "The integration's id, `join:…`, from its page in the dashboard; export it as KOMBO_INTEGRATION_ID.",
    "The scope. All models on, and remote data too if you want JOIN's own payloads.",
    "One integration is one company. For a second one, set JOIN_PIPELINE_CONNECTION to another name first.",
)
"""What a user needs and does at Kombo, in order."""
SETUP: Final = {
    "INCOMPLETE": "its setup is not finished. Finish it in Kombo's dashboard.",
    "FINAL_SYNC_PENDING": "Kombo's first sync of it is not done. Run this again in some hours.",
}
STATUS: Final = {
    "INVALID": "JOIN no longer takes its token. Reconnect it in Kombo's dashboard.",
    "INACTIVE": "it is switched off. Switch it on in Kombo's dashboard.",
}


class _Shown(msgspec.Struct):
    remote_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class KomboConnection:
    """The connection to an integration at Kombo. Its credentials are an API key and the integration's id."""

    settings: Settings
    options: KomboOptions
    names: Names = KOMBOS
    guide: ClassVar = GUIDE
    variables: ClassVar = VARIABLES

    def credentials(self) -> Finding:
        try:
            self.options.credentials()
        except SettingsError as error:
            return Finding("credentials", "failed", str(error))
        return Finding("credentials", "ok", f"{VARIABLES} are set")

    def reach(self) -> Finding:
        url = self.options.kombo_api_url
        try:
            with self._client("no-key", "no-integration") as client:
                status = client.ask("GET", "/check-api-key").status_code
        except SourceError as error:
            return Finding("Kombo", "failed", f"{url}: {error}")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return Finding("Kombo", "ok", f"{url} answers, and asks for a key")
        message = f"{url} returns {status} without a key. Check KOMBO_API_URL; it ends in /v1."
        return Finding("Kombo", "failed", message)

    def examine(self) -> list[Finding]:
        """Check key and integration, its condition, its models, and whether Kombo lists anything."""
        url = self.options.kombo_api_url
        with self._client(*self.options.credentials()) as client:
            try:
                integration = client.integration()
            except SourceError as error:
                return [Finding("Kombo", "failed", f"{url}: {error}")]
            found = [Finding("Kombo", "ok", f"{url} takes the key and knows the integration")]
            faults = _condition(integration)
            if faults:
                return found + faults
            try:
                found += _models(client, integration)
            except SourceError as error:
                found.append(Finding("integration", "failed", str(error)))
            hours = self.options.kombo_staleness_hours
            message = f"Kombo's responses may be {hours:g} hours old, so the times of events are that much less certain"
            found.append(Finding("age", "ok", message))
            return found + clock_findings(client.clock, "Kombo")

    @contextmanager
    def records(self) -> Iterator[Callable[[Feed, str], bytes | None]]:
        with self._client(*self.options.credentials()) as client:
            yield client.found

    def _client(self, key: str, integration: str) -> KomboClient:
        timeout = min(self.settings.timeout_seconds, TIMEOUT_SECONDS)
        return KomboClient(
            self.options.kombo_api_url,
            key,
            integration,
            self.names,
            timeout_seconds=timeout,
            max_wait_seconds=TIMEOUT_SECONDS,
        )


def _condition(integration: Integration) -> list[Finding]:
    """Findings that say why the integration is not ready; none if it is."""
    reasons = (SETUP.get(integration.setup_status), STATUS.get(integration.status))
    return [Finding("integration", "failed", f"The integration is not ready: {reason}") for reason in reasons if reason]


def _models(client: KomboClient, integration: Integration) -> Iterator[Finding]:
    """Check which models are off, whether Kombo has all applications, and whether it sends JOIN's payloads."""
    off = {part.id.removeprefix("ats_") for part in integration.read_models if not part.is_available}
    first: dict[str, list[bytes]] = {}
    for feed in FEEDS:
        try:
            page = next(client.pages(feed.path, LIVE_ONLY))
        except ModelOffError:
            off.add(feed.name)
        else:
            first[feed.name] = [record.payload for record in page.records]
    if named := [feed.name.replace("_", " ") for feed in FEEDS if feed.name in off]:
        message = (
            f"The integration's scope has {', '.join(named)} switched off, so syncs get nothing new of them and keep "
            "what is known. Switch them on in Kombo's dashboard."
        )
        yield Finding("models", "warning", message)
    if first.get("jobs") and not first.get("applications", [b""]):
        message = (
            "Kombo lists jobs, but no applications. A new integration syncs only applications that were created "
            "through Kombo. Switch that off in Kombo's dashboard, and Kombo's next sync reads all of them."
        )
        yield Finding("only created", "warning", message)
    elif not any(first.values()):
        yield Finding("account", "warning", "Kombo lists nothing at all: is this the right company's integration?")
    shown = [msgspec.json.decode(payload, type=_Shown) for payload in first.get("applications", [])]
    if shown and shown[0].remote_data is msgspec.UNSET:
        message = "remote data is off, so the columns remote_data stay empty; nothing else is lost"
        yield Finding("remote data", "warning", message)
