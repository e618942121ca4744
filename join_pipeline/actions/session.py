"""The session of an action: JOIN's client, the connection's ids, the journal, and the downloaders.

Belongs here: opening them from the settings, and reading JOIN's ids as callers write them. Not here: any action.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from join_pipeline.actions.download import Downloader, Origin
from join_pipeline.actions.journal import LOCK_POLL, Journal
from join_pipeline.bucket.writing import reading, writing
from join_pipeline.errors import InputError, LockedError
from join_pipeline.lake.lake import open_lake
from join_pipeline.models.ids import Ids
from join_pipeline.settings import Settings
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.options import TOKEN_HOSTS_VARIABLE, JoinOptions
from join_pipeline.warehouse.pseudonyms import creation_key

REMOTE: Final = "remote:"
CHOICE_SECONDS: Final = 10.0
ACTION_WAIT_SECONDS: Final = 60.0
"""The longest wait for the retries of one call. It is short, because somebody waits for the action."""


@dataclass(frozen=True, slots=True)
class Session:
    """What an action works with."""

    settings: Settings
    client: JoinClient
    ids: Ids
    journal: Journal
    join_downloader: Downloader
    """For JOIN's own files. It sends the token, to JOIN's origin and those of `JOIN_PIPELINE_TOKEN_HOSTS` only."""

    def url_downloader(self, sleep: Callable[[float], None] = time.sleep) -> Downloader:
        """For URLs of a caller. It sends no token."""
        return Downloader(allow_private=self.settings.private_data_urls, sleep=sleep)


@contextmanager
def open_session(settings: Settings, sleep: Callable[[float], None] | None = None) -> Iterator[Session]:
    """Open the session of a connection. This chooses its integration id if that has none yet: ids are made from it."""
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
        downloader = Downloader(
            Origin.of(httpx.URL(options.join_api_url)),
            token,
            further=tuple(Origin.of(httpx.URL(url)) for url in options.token_urls),
            setting=TOKEN_HOSTS_VARIABLE,
            sleep=sleep or time.sleep,
        )
        yield Session(settings, client, ids, journal, downloader)


def journal_of(settings: Settings) -> Journal:
    """The connection's journal."""
    return Journal(settings.actions, creation_key(settings))


def integration_ids(settings: Settings) -> Ids:
    """The ids of the connection. Its integration id is chosen now if no sync has chosen it."""
    deadline = time.monotonic() + CHOICE_SECONDS
    with reading(settings):  # another machine may have chosen it
        pass
    while not (settings.lake / "connection.json").exists():
        try:
            with writing(settings):  # two processes must not choose two
                return open_lake(settings.lake, settings.lake_seed, source=settings.source, create=True).ids
        except LockedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOCK_POLL)  # a first sync, or another first action, chooses it right now
    return open_lake(settings.lake, settings.lake_seed, source=settings.source).ids


def parse_remote_id(field: str, text: str) -> str | None:
    """JOIN's own id in `remote:<id>`. None where the text is one of our ids."""
    if not text.startswith(REMOTE):
        return None
    digits = text.removeprefix(REMOTE)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise InputError(field, f"{REMOTE} goes before JOIN's own id, which is a number")
    return str(int(digits))
