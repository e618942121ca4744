"""Connecting a JOIN account: what must hold, proving the token, keeping it, fixing the integration id.

Belongs here: the steps, for the terminal and for programs. Not here: asking people (cli), what an account must give
(account).
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from pydantic import SecretStr

from join_pipeline.actions.session import integration_ids
from join_pipeline.checks.finding import Finding
from join_pipeline.connections.credentials import checked_token, store_token
from join_pipeline.connections.doctor import examine_machine
from join_pipeline.errors import AuthError, JoinError, SettingsError
from join_pipeline.settings import Settings, config_folder, token_file
from join_pipeline.sources.base import Source
from join_pipeline.sources.doors import door_of

LOCAL: Final = frozenset({"data folder", "disk space", "lock"})


class Connected(msgspec.Struct, kw_only=True):
    """A connection that is proved. `token_file` is where its token lies; none where the environment has it.

    An integration id that came with the credentials is not shown: it is one of them.
    """

    connection: str
    integration_id: str
    token_file: Path | None
    findings: list[Finding]


def prerequisites(source: Source, settings: Settings) -> list[Finding]:
    """What must hold before there is a token: JOIN in reach, a place for data, a place for the token."""
    local = [finding for finding in examine_machine(source, settings) if finding.check in LOCAL]
    return [door_of(settings).reach(settings), *local, _config_folder()]


def connect(settings: Settings, token: str | None = None) -> Connected:
    """Prove the token, keep it, fix the integration id. Without `token`, the environment's is proved and stays there.

    Raises a `JoinError` that says what to do where JOIN does not take it; then nothing is kept.
    """
    missing = door_of(settings).credentials(settings)
    if token is None and missing.verdict == "failed":
        raise SettingsError(missing.message)
    given = None if token is None else checked_token(token)
    tried = settings if given is None else settings.model_copy(update={"join_api_token": SecretStr(given)})
    findings = door_of(settings).examine(tried)
    faults = [finding for finding in findings if finding.verdict == "failed"]
    if faults:
        is_refused = all(fault.check not in {"JOIN", "Kombo"} or "401" in fault.message for fault in faults)
        kind = AuthError if is_refused else JoinError
        raise kind(" ".join(fault.message for fault in faults))
    path = None if given is None else token_file(settings.connection)
    if path is not None and given is not None:
        store_token(path, given)
    return Connected(
        connection=settings.connection,
        integration_id=_shown(settings, integration_ids(settings).integration_id),
        token_file=path,
        findings=findings,
    )


def _shown(settings: Settings, integration_id: str) -> str:
    return integration_id if integration_id == settings.integration_id or door_of(settings).takes_token else "as set"


def _config_folder() -> Finding:
    folder = config_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("config folder", "ok", str(folder))
    return Finding("config folder", "failed", f"{there} can't be written to. Set JOIN_API_TOKEN instead.")
