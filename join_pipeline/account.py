"""A JOIN account as it answers now: what it must give for the pipeline to work, each finding with what to do.

Belongs here: live calls that change nothing, for `connect` and `doctor` alike. Not here: what lies on this machine
(doctor).
"""

from datetime import timedelta
from typing import Final, Literal

import msgspec

from join_pipeline.errors import AuthError, ContractError, JoinError, NotFoundError, RefusedError
from join_pipeline.http_api.server_clock import SKEW_REPORTED
from join_pipeline.join_api.client import JoinClient
from join_pipeline.join_api.feeds import APPLICATIONS, JOBS, REFERENCES, Feed
from join_pipeline.settings import Settings

TIMEOUT_SECONDS: Final = 10.0
FORBIDDEN: Final = 403
REFUSED_UNKNOWN: Final = (401, 403, 422)
"""How JOIN may answer who brings no token that it knows."""
NOBODY: Final = "no-token"
FIRST: Final = {"page": "1", "pageSize": "1"}
PLAN: Final = (
    "JOIN refuses the whole API to this token (403). API access needs the Advanced or the Enterprise plan: ask whoever "
    "pays for JOIN, or JOIN's support."
)
Verdict = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct):
    """One check: what it found, and what to do about it."""

    check: str
    verdict: Verdict
    message: str


def examine_reach(settings: Settings) -> Finding:
    """Whether JOIN's API is at the address, asked without a token."""
    try:
        with _client(settings, NOBODY) as client:
            status = client.ask("GET", JOBS.path, FIRST).status_code
    except JoinError as error:
        return Finding("JOIN", "failed", f"{settings.join_api_url}: {error}")
    if status in REFUSED_UNKNOWN:
        return Finding("JOIN", "ok", f"{settings.join_api_url} answers, and asks for a token")
    return Finding("JOIN", "failed", f"{settings.join_api_url} answers {status} without a token. Check JOIN_API_URL.")


def examine_account(settings: Settings) -> list[Finding]:
    """The address, the token, plan and permissions, the clock, and whether there is anything to read."""
    with _client(settings, settings.token()) as client:
        n_first: dict[str, int] = {}
        refused: dict[str, AuthError] = {}
        for feed in (JOBS, APPLICATIONS):
            try:
                n_first[feed.name] = len(client.whole(feed.path, FIRST).records)
            except AuthError as error:
                refused[feed.name] = error
            except JoinError as error:
                return [Finding("JOIN", "failed", f"{settings.join_api_url}: {error}")]
        findings = _refused(client, refused)
        if not findings:
            findings.append(Finding("JOIN", "ok", f"{settings.join_api_url} answers and takes the token"))
            findings += _unoffered(client)
        findings += _clock(client)
        empty = [name for name in ("jobs", "applications") if n_first.get(name) == 0]
        if empty and not refused:
            message = f"JOIN lists no {' and no '.join(empty)}: is this the right company's token?"
            findings.append(Finding("account", "warning", message))
        return findings


def _client(settings: Settings, token: str) -> JoinClient:
    timeout = min(settings.timeout_seconds, TIMEOUT_SECONDS)
    return JoinClient(settings.join_api_url, token, timeout_seconds=timeout, max_wait_seconds=TIMEOUT_SECONDS)


def _refused(client: JoinClient, refused: dict[str, AuthError]) -> list[Finding]:
    """What a refusal of some or all lists means."""
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


def _status(client: JoinClient, feed: Feed) -> int:
    return client.ask("GET", feed.path, FIRST).status_code


def _unoffered(client: JoinClient) -> list[Finding]:
    """Lists of names that JOIN does not give: a sync can do without."""
    missing = []
    for feed in REFERENCES:
        try:
            client.whole(feed.path, feed.params)
        except (AuthError, NotFoundError, RefusedError, ContractError):
            missing.append(feed.name.replace("_", " "))
        except JoinError:
            continue  # for now; the sync tries again
    if not missing:
        return []
    return [Finding("names", "warning", f"JOIN gives no {', no '.join(missing)}: those columns of jobs stay empty")]


def _clock(client: JoinClient) -> list[Finding]:
    skew = client.clock.skew
    if abs(skew) <= SKEW_REPORTED:
        return []
    off = timedelta(seconds=round(abs(skew).total_seconds()))
    message = (
        f"this machine's clock is off by {off}; syncs use JOIN's time, schedules use this machine's. Set the clock"
    )
    return [Finding("clock", "warning", message)]
