"""The desk: what every action needs, opened once: JOIN, ids, the journal, the way files are fetched.

Belongs here: putting them together from the settings, and ids in both their forms. Not here: any one action.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from join_pipeline.actions.download import Fetching, Origin
from join_pipeline.actions.journal import LOCK_POLL, Journal
from join_pipeline.errors import InputError, LockedError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.models.ids import Ids
from join_pipeline.settings import Settings, pseudonym_key_file
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.options import JoinOptions
from join_pipeline.warehouse.pseudonyms import key_from_file

REMOTE: Final = "remote:"
CHOICE_SECONDS: Final = 10.0
ACTION_WAIT_SECONDS: Final = 60.0
"""Longest wait for one answer's retries: somebody waits for an action to end."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything at hand."""

    settings: Settings
    client: JoinClient
    ids: Ids
    journal: Journal
    join_files: Fetching
    """For JOIN's own files: its token goes along, to its own origin."""

    @property
    def data_urls(self) -> Fetching:
        """For URLs that a caller wrote: no token goes anywhere."""
        return Fetching(allow_private=self.settings.private_data_urls)


@contextmanager
def opened(settings: Settings, sleep: Callable[[float], None] | None = None) -> Iterator[Desk]:
    """The desk of a connection. Fixes its integration id, if that was not done yet: ids come from it."""
    options = settings.of(JoinOptions)
    token = options.token(settings.token_file)
    journal = journal_of(settings)
    ids = integration_ids(settings)
    with JoinClient(
        options.join_api_url,
        token,
        timeout_seconds=settings.timeout_seconds,
        max_wait_seconds=min(settings.max_wait_seconds, ACTION_WAIT_SECONDS),
        sleep=sleep,
    ) as client:
        trusted = Origin.of(httpx.URL(options.join_api_url))
        yield Desk(settings, client, ids, journal, Fetching(trusted, token))


def journal_of(settings: Settings) -> Journal:
    """The connection's journal."""
    if settings.pseudonym_key is not None:
        secret = settings.pseudonym_key.get_secret_value().encode()
    else:
        secret = key_from_file(pseudonym_key_file())
    return Journal(settings.actions, secret)


def integration_ids(settings: Settings) -> Ids:
    """Ids of the connection; its integration id is chosen now if no sync chose it before."""
    deadline = time.monotonic() + CHOICE_SECONDS
    while not (settings.lake / "connection.json").exists():
        try:
            with locked(settings.home):  # two processes must not choose two
                return open_lake(settings.lake, settings.lake_seed, source=settings.source, create=True).ids
        except LockedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOCK_POLL)  # a first sync, or another first action, chooses it right now
    return open_lake(settings.lake, settings.lake_seed, source=settings.source).ids


def remote_id(field: str, text: str) -> str | None:
    """JOIN's own id in `remote:<id>`; None where the text is an id of ours."""
    if not text.startswith(REMOTE):
        return None
    digits = text.removeprefix(REMOTE)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise InputError(field, f"{REMOTE} goes before JOIN's own id, which is a number")
    return str(int(digits))
