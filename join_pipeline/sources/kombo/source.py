"""Kombo as a source: its session, its mapping, its rules, put together.

Belongs here: the protocol that the engine uses. Not here: each part (the files beside this one).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final

from join_pipeline.errors import SettingsError
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.settings import Settings
from join_pipeline.sources.base import MapperInput
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.kombo import mapping
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline.sources.kombo.connection import KomboConnection
from join_pipeline.sources.kombo.door import DOOR, NAMED_BY_TEXT
from join_pipeline.sources.kombo.extract import KomboExtraction
from join_pipeline.sources.kombo.feeds import FEEDS, MODEL_FEEDS, SINCE
from join_pipeline.sources.kombo.mapping import map_record
from join_pipeline.sources.kombo.names import KOMBOS, Lists, Names
from join_pipeline.sources.kombo.options import NAME, KomboOptions
from join_pipeline.sources.kombo.reconcile import recall, reconcile
from join_pipeline.sources.kombo.webhooks import KomboWebhooks
from join_pipeline.sync.extract import Extraction
from join_pipeline.sync.plan import Plan
from join_pipeline.sync.workspace import Workspace

FULL_EVERY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KomboSession:
    """One sync's session with an integration."""

    client: KomboClient

    def greet(self) -> None:
        """Fetch the condition of the integration."""
        self.client.integration()

    def extract(self, extraction: Extraction, plan: Plan) -> None:
        KomboExtraction(self.client, extraction).run(plan)

    def record(self, feed: Feed, key: str) -> bytes | None:
        return self.client.found(feed, key)


@dataclass(frozen=True, slots=True)
class KomboMapper:
    """Maps Kombo's records to rows."""

    ids: Ids
    names: Names
    lists: Lists

    def map(self, feed: str, text: str) -> Mapped:
        return self.names.rows(map_record(feed, text, self.ids), feed, text, self.lists.of)


@dataclass(frozen=True, slots=True)
class KomboSource:
    """Kombo's unified ATS API, with an API key and an integration. `names` are the ids of the lake."""

    settings: Settings
    carries: frozenset[str] = frozenset()
    names: Names = KOMBOS
    name: ClassVar = NAME
    title: ClassVar = "Kombo"
    since_word: ClassVar = SINCE
    model_feeds: ClassVar = MODEL_FEEDS
    shared: ClassVar = frozenset({"jobs", "application_stages", "users", "tags", "screening_questions"})
    application_states: ClassVar = ()  # Kombo does not show the ATS's own word for the state
    mapping_version: ClassVar = mapping.VERSION
    door: ClassVar = DOOR
    full_every: ClassVar = FULL_EVERY
    hides_what_moves: ClassVar = False  # its cursors mark a place in a list, whatever moves
    only_created: ClassVar = False  # the integration has its own switch for it

    @property
    def options(self) -> KomboOptions:
        return self.settings.of(KomboOptions)

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.names.feeds

    def carrying(self, ids: Ids) -> "KomboSource":
        if needed := sorted(NAMED_BY_TEXT & self.settings.kept_out):
            raise SettingsError(
                f"JOIN_PIPELINE_KEEP_OUT: {' and '.join(needed)} can't be kept out of a lake that JOIN's API began: it "
                "knows these records by their text. Set JOIN_PIPELINE_CONNECTION to begin another lake."
            )
        return replace(self, names=Names(ids))

    @property
    def max_age(self) -> timedelta:
        return timedelta(hours=self.options.kombo_staleness_hours)

    @property
    def connection(self) -> KomboConnection:
        return KomboConnection(self.settings, self.options, self.names)

    @property
    def webhooks(self) -> KomboWebhooks:
        return KomboWebhooks(self.options)

    @contextmanager
    def session(
        self, sleep: Callable[[float], None] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> Iterator[KomboSession]:
        settings = self.settings
        with KomboClient(
            self.options.kombo_api_url,
            *self.options.credentials(),
            names=self.names,
            in_flight=settings.pages_in_flight,
            timeout_seconds=settings.timeout_seconds,
            max_wait_seconds=settings.max_wait_seconds,
            sleep=sleep,
            monotonic=monotonic,
        ) as client:
            yield KomboSession(client)

    def mapper(self, given: MapperInput) -> KomboMapper:
        return KomboMapper(given.ids, self.names, Lists(given.raw_of))

    def recall(self, workspace: Workspace) -> None:
        recall(workspace)

    def reconcile(self, workspace: Workspace) -> None:
        reconcile(workspace)

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """The number of changed records that Kombo reports as unchanged since `before`."""
        changed = " UNION ALL ".join(
            f"""SELECT n.id FROM now_{name} AS n JOIN known_{name} AS k ON k.id = n.id
            WHERE n.priority = 1 AND k.remote_deleted_at IS NULL AND k.payload_hash <> n.payload_hash
                AND n.parent_updated_at < $before"""
            for name in (feed.name for feed in FEEDS)
        )
        return int(workspace.con.execute(f"SELECT count(*) FROM ({changed})", {"before": before}).fetchall()[0][0])
