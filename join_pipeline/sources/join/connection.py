"""The checks of a connection to JOIN, for `connect` and `doctor`: each finding says what to do next.

Belongs here: live requests that change nothing. Not here: checks of this machine (doctor).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

from pydantic import SecretStr

from join_pipeline.checks.connection import clock_findings
from join_pipeline.checks.finding import Finding
from join_pipeline.errors import AuthError, ContractError, NotFoundError, PipelineError, RefusedError, SourceError
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS, JOBS, REFERENCES, JoinFeed
from join_pipeline.sources.join.options import TOKEN_VARIABLE, JoinOptions

TIMEOUT_SECONDS: Final = 10.0
FORBIDDEN: Final = 403
REFUSED_UNKNOWN: Final = (401, 403, 422)
"""The statuses that JOIN may return for an unknown token."""
NOBODY: Final = "no-token"
FIRST: Final = {"page": "1", "pageSize": "1"}
PLAN: Final = (
    "JOIN refuses the whole API to this token (403). API access needs the Advanced or the Enterprise plan: ask whoever "
    "pays for JOIN, or JOIN's support."
)
IGNORED: Final = "JOIN, or a proxy on the way to it, ignores the query. Check JOIN_API_URL and the proxy."
GUIDE: Final = (
    "The plan. JOIN's API comes with the plans Advanced and Enterprise.",
    "The role. An admin of the company makes the token.",
    "The token. In JOIN: User Settings > API Credentials. Copy it as it is, without “Bearer”. A token that is revoked "
    "there can't be enabled again.",
    "One token is one company. For a second one, set JOIN_PIPELINE_CONNECTION to another name first.",
)
"""What a user needs and does in JOIN, in order."""


@dataclass(frozen=True, slots=True)
class JoinConnection:
    """The connection to a JOIN account. Its credential is a token."""

    settings: Settings
    options: JoinOptions
    guide: ClassVar = GUIDE
    variables: ClassVar = TOKEN_VARIABLE

    @property
    def is_set(self) -> bool:
        return self.options.is_token_set

    def with_token(self, token: str) -> Self:
        return replace(self, options=self.options.model_copy(update={"join_api_token": SecretStr(token)}))

    def credentials(self) -> Finding:
        try:
            self.options.token(self.settings.token_file)
        except PipelineError as error:
            return Finding("token", "failed", str(error))
        if self.is_set:
            return Finding("token", "ok", f"{TOKEN_VARIABLE} is set")
        return Finding("token", "ok", f"stored in {self.settings.token_file}")

    def reach(self) -> Finding:
        url = self.options.join_api_url
        try:
            with self._client(NOBODY) as client:
                status = client.ask("GET", JOBS.path, FIRST).status_code
        except SourceError as error:
            return Finding("JOIN", "failed", f"{url}: {error}")
        if status in REFUSED_UNKNOWN:
            return Finding("JOIN", "ok", f"{url} answers, and asks for a token")
        return Finding("JOIN", "failed", f"{url} returns {status} without a token. Check JOIN_API_URL.")

    def examine(self) -> list[Finding]:
        """Check the address, the token, plan and permissions, the clock, and whether JOIN lists anything."""
        url = self.options.join_api_url
        with self._client(self.options.token(self.settings.token_file)) as client:
            n_first: dict[str, int] = {}
            refused: dict[str, AuthError] = {}
            for feed in (JOBS, APPLICATIONS):
                try:
                    n_first[feed.name] = len(client.whole(feed.path, FIRST).records)
                except AuthError as error:
                    refused[feed.name] = error
                except SourceError as error:
                    return [Finding("JOIN", "failed", f"{url}: {error}")]
            findings = _refused(client, refused)
            if not findings:
                findings.append(Finding("JOIN", "ok", f"{url} answers and takes the token"))
                findings += _unoffered(client)
            if unlimited := [name for name, n in n_first.items() if n > 1]:
                message = f"{url} sends several {' and '.join(unlimited)} where one was asked for. {IGNORED}"
                findings.append(Finding("pages", "failed", message))
            findings += clock_findings(client.clock, "JOIN")
            empty = [name for name in ("jobs", "applications") if n_first.get(name) == 0]
            if empty and not refused:
                message = f"JOIN lists no {' and no '.join(empty)}: is this the right company's token?"
                findings.append(Finding("account", "warning", message))
            return findings

    @contextmanager
    def records(self) -> Iterator[Callable[[Feed, str], bytes | None]]:
        with self._client(self.options.token(self.settings.token_file)) as client:
            yield client.found

    def _client(self, token: str) -> JoinClient:
        timeout = min(self.settings.timeout_seconds, TIMEOUT_SECONDS)
        return JoinClient(self.options.join_api_url, token, timeout_seconds=timeout, max_wait_seconds=TIMEOUT_SECONDS)


def _refused(client: JoinClient, refused: dict[str, AuthError]) -> list[Finding]:
    """Findings for lists that JOIN refuses to this token."""
    if not refused:
        return []
    lists = {feed.name: feed for feed in (JOBS, APPLICATIONS)}
    if len(refused) < len(lists):
        return [
            Finding(
                "permission",
                "failed",
                f"JOIN shows this token no {name}. Let an admin of the company make a new token. ({error})",
            )
            for name, error in refused.items()
        ]
    if all(_status(client, lists[name]) == FORBIDDEN for name in refused):
        return [Finding("plan", "failed", PLAN)]
    return [
        Finding(
            "JOIN",
            "failed",
            f"{next(iter(refused.values()))} A revoked token can't be enabled again: make a new one in JOIN under "
            "User Settings > API Credentials.",
        )
    ]


def _status(client: JoinClient, feed: JoinFeed) -> int:
    return client.ask("GET", feed.path, FIRST).status_code


def _unoffered(client: JoinClient) -> list[Finding]:
    """A finding for reference lists that JOIN does not offer. A sync works without them."""
    missing = []
    for feed in REFERENCES:
        try:
            client.whole(feed.path, feed.params)
        except (AuthError, NotFoundError, RefusedError, ContractError):
            missing.append(feed.name.replace("_", " "))
        except SourceError:
            continue  # a transient failure; the sync retries
    if not missing:
        return []
    return [Finding("names", "warning", f"JOIN gives no {', no '.join(missing)}: those columns of jobs stay empty")]
