"""Kombo as a source, put together: its session, its mapping, its rules.

Belongs here: what the engine asks of it. Not here: each of the answers (the files beside this
one).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sources.kombo import mapping
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline.sources.kombo.extract import KomboReading
from join_pipeline.sources.kombo.feeds import FEEDS, MODEL_FEEDS, SINCE
from join_pipeline.sources.kombo.mapping import map_record
from join_pipeline.sources.kombo.reconcile import recall, reconcile
from join_pipeline.sync.plan import Plan
from join_pipeline.sync.reading import Reading
from join_pipeline.sync.workspace import Workspace

FULL_EVERY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KomboSession:
    """One sync's talk with an integration."""

    client: KomboClient

    def greet(self) -> None:
        """Ask how the integration is."""
        self.client.integration()

    def read(self, reading: Reading, plan: Plan, _known_of: RawOf) -> None:
        KomboReading(self.client, reading).read(plan)


@dataclass(frozen=True, slots=True)
class KomboMapper:
    """Kombo's records to rows."""

    ids: Ids

    def map(self, feed: str, text: str) -> Mapped:
        return map_record(feed, text, self.ids)

    def id_of(self, _feed: str, record_id: str | None) -> str:
        return record_id or ""


@dataclass(frozen=True, slots=True)
class KomboSource:
    """Kombo's unified ATS API, by an API key and an integration."""

    settings: Settings
    name: ClassVar = "kombo"
    title: ClassVar = "Kombo"
    since_word: ClassVar = SINCE
    feeds: ClassVar[tuple[Feed, ...]] = FEEDS
    model_feeds: ClassVar = MODEL_FEEDS
    shared: ClassVar = frozenset({"jobs", "application_stages", "users", "tags", "screening_questions"})
    application_states: ClassVar = ()  # Kombo gives no word of the ATS for the state
    mapping_version: ClassVar = mapping.VERSION
    full_every: ClassVar = FULL_EVERY

    @property
    def max_age(self) -> timedelta:
        return timedelta(hours=self.settings.kombo_staleness_hours)

    @contextmanager
    def connect(
        self, sleep: Callable[[float], None] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> Iterator[KomboSession]:
        settings = self.settings
        with KomboClient(
            settings.kombo_api_url,
            *settings.kombo_credentials(),
            in_flight=settings.pages_in_flight,
            timeout_seconds=settings.timeout_seconds,
            max_wait_seconds=settings.max_wait_seconds,
            sleep=sleep,
            monotonic=monotonic,
        ) as client:
            yield KomboSession(client)

    def mapper(self, ids: Ids, _raw_of: RawOf) -> KomboMapper:
        return KomboMapper(ids)

    def selected(self, raw_of: RawOf) -> RawOf:
        """Kombo has a switch of its own for that, and the settings refuse ours."""
        return raw_of

    def recall(self, workspace: Workspace) -> None:
        recall(workspace)

    def reconcile(self, workspace: Workspace) -> None:
        reconcile(workspace)

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """Records whose content changed, though Kombo says that it did not since the last watermark."""
        changed = " UNION ALL ".join(
            f"""SELECT n.id FROM now_{name} AS n JOIN known_{name} AS k ON k.id = n.id
            WHERE n.priority = 1 AND k.remote_deleted_at IS NULL AND k.payload_hash <> n.payload_hash
                AND n.parent_updated_at < $before"""
            for name in (feed.name for feed in FEEDS)
        )
        return int(workspace.con.execute(f"SELECT count(*) FROM ({changed})", {"before": before}).fetchall()[0][0])
