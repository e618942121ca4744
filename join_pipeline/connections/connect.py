"""Connecting an account: check the prerequisites and the credentials, store the token, fix the integration id.

Belongs here: the steps, for the terminal and for programs. Not here: prompts (cli), what an account must provide (each
source's connection).
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline.actions.session import integration_ids
from join_pipeline.checks.finding import Finding
from join_pipeline.connections.credentials import checked_token, store_token
from join_pipeline.connections.doctor import account_findings, examine_machine
from join_pipeline.connections.listed import DEMO
from join_pipeline.errors import AccountError, AuthError, SettingsError, SourceError
from join_pipeline.places import config_folder
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Connection, Source, TokenConnection

LOCAL: Final = frozenset({"data folder", "disk space", "lock"})


class Connected(msgspec.Struct, kw_only=True):
    """A connection whose credentials work. `token_file` is the stored token, or None if the environment has it.

    An integration id that is part of the credentials is not shown.
    """

    connection: str
    integration_id: str
    token_file: Path | None
    findings: list[Finding]


def prerequisites(source: Source, settings: Settings) -> list[Finding]:
    """Check what needs no credentials: the API can be reached, and data and a token can be stored."""
    local = [finding for finding in examine_machine(source, settings) if finding.check in LOCAL]
    return [source.connection.reach(), *local, _config_folder(source.connection)]


def connect(source: Source, settings: Settings, token: str | None = None, *, accept_account: bool = False) -> Connected:
    """Check the token, store it and fix the integration id. Without `token`, check the environment's credentials.

    Raises a `SourceError` that says what to do if the source rejects them, and an `AccountError` if the connection's
    lake is of another account, unless the user accepts that. Nothing is stored then.
    """
    if settings.connection == DEMO:
        raise SettingsError(f"The connection {DEMO} is the demo's. Set JOIN_PIPELINE_CONNECTION to another name.")
    connection = source.connection
    missing = connection.credentials()
    if token is None and not missing.is_ok:
        raise SettingsError(missing.message)
    given = None
    if token is not None:
        if not isinstance(connection, TokenConnection):
            raise SettingsError(f"{source.title} uses no token. Set {connection.variables} instead.")
        given = checked_token(token, connection.variables)
        connection = connection.with_token(given)
    findings = connection.examine()
    faults = [finding for finding in findings if finding.is_grave]
    if faults:
        is_refused = all(fault.check != source.title or "401" in fault.message for fault in faults)
        kind = AuthError if is_refused else SourceError
        raise kind(" ".join(fault.message for fault in faults))
    account = account_findings(source, connection, settings)
    if not accept_account and (others := [finding for finding in account if finding.is_grave]):
        raise AccountError(f"{others[0].message} Here, `connect --accept-account` does so.")
    path = None if given is None else settings.token_file
    if path is not None and given is not None:
        store_token(path, given)
    return Connected(
        connection=settings.connection,
        integration_id=_shown(settings, integration_ids(settings).integration_id),
        token_file=path,
        findings=findings + account,
    )


def _shown(settings: Settings, integration_id: str) -> str:
    is_credential = settings.lake_seed != settings.integration_id
    return "as set" if is_credential and integration_id != settings.integration_id else integration_id


def _config_folder(connection: Connection) -> Finding:
    folder = config_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("config folder", "ok", str(folder))
    return Finding("config folder", "failed", f"{there} can't be written to. Set {connection.variables} instead.")
