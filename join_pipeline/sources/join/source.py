"""JOIN as a source: its session, its mapping, its rules, put together.

Belongs here: the protocol that the engine uses. Not here: each part (the files beside this one).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from join_pipeline.http.contracts import lost, map_payload
from join_pipeline.http.pages import Page
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.settings import Settings
from join_pipeline.sources.base import MapperInput
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.connection import JoinConnection
from join_pipeline.sources.join.door import DOOR
from join_pipeline.sources.join.extract import JoinExtraction
from join_pipeline.sources.join.feeds import APPLICATIONS, FEEDS, MODEL_FEEDS, UNCHANGING, JoinFeed
from join_pipeline.sources.join.known import recall
from join_pipeline.sources.join.mapping import MAPPING_VERSION
from join_pipeline.sources.join.mapping.application import APPLICATION_SHOWN_IN, map_application
from join_pipeline.sources.join.mapping.job import JOB_SHOWN_IN, References, map_job
from join_pipeline.sources.join.mapping.vocabulary import STATES
from join_pipeline.sources.join.options import NAME, JoinOptions
from join_pipeline.sources.join.payloads import ApplicationPayload, JobPayload
from join_pipeline.sources.join.reconcile import reconcile
from join_pipeline.sources.join.references import read_references, references_from
from join_pipeline.sources.join.selection import only_created
from join_pipeline.sync.extract import Extraction
from join_pipeline.sync.plan import Plan
from join_pipeline.sync.workspace import Workspace

FULL_EVERY: Final = timedelta(hours=24)


@dataclass(slots=True)
class JoinSession:
    """One sync's session with a JOIN account."""

    client: JoinClient
    _references: list[tuple[JoinFeed, Page | None]] = field(default_factory=list)

    def greet(self) -> None:
        """Fetch the reference lists. That proves the token and gives the server time."""
        self._references = read_references(self.client)

    def extract(self, extraction: Extraction, plan: Plan) -> None:
        JoinExtraction(self.client, extraction).run(plan, self._references)

    def record(self, feed: Feed, key: str) -> bytes | None:
        return self.client.found(feed, key)


@dataclass(frozen=True, slots=True)
class JoinMapper:
    """Maps JOIN's payloads to rows."""

    ids: Ids
    references: References

    def map(self, feed: str, text: str) -> Mapped:
        if feed == APPLICATIONS.name:
            mapped, odd = map_payload(
                ApplicationPayload, text, lambda payload, raw: map_application(payload, raw, self.ids)
            )
        else:
            mapped, odd = map_payload(
                JobPayload, text, lambda payload, raw: map_job(payload, raw, self.ids, self.references)
            )
        mapped.odd = [f"{feed}.{part}" for part in odd]
        for model, parts in (APPLICATION_SHOWN_IN | JOB_SHOWN_IN).items() if odd else ():
            mapped.mark(model, lost(odd, parts))
        return mapped


@dataclass(frozen=True, slots=True)
class JoinSource:
    """JOIN's API v2, with a token."""

    settings: Settings
    name: ClassVar = NAME
    title: ClassVar = "JOIN"
    since_word: ClassVar = "lastUpdatedAt"
    feeds: ClassVar[tuple[Feed, ...]] = FEEDS
    model_feeds: ClassVar = MODEL_FEEDS
    shared: ClassVar = frozenset(
        {"application_stages", "job_application_stages", "screening_questions", "job_screening_questions"}
    )
    unchanging: ClassVar = UNCHANGING
    application_states: ClassVar = STATES
    mapping_version: ClassVar = MAPPING_VERSION
    door: ClassVar = DOOR
    full_every: ClassVar = FULL_EVERY
    max_age: ClassVar = timedelta(0)
    hides_what_moves: ClassVar = True
    webhooks: ClassVar = None

    @property
    def options(self) -> JoinOptions:
        return self.settings.of(JoinOptions)

    @property
    def only_created(self) -> bool:
        return self.options.only_created

    @property
    def connection(self) -> JoinConnection:
        return JoinConnection(self.settings, self.options)

    @contextmanager
    def session(
        self, sleep: Callable[[float], None] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> Iterator[JoinSession]:
        settings = self.settings
        with JoinClient(
            self.options.join_api_url,
            self.options.token(settings.token_file),
            in_flight=settings.pages_in_flight,
            timeout_seconds=settings.timeout_seconds,
            max_wait_seconds=settings.max_wait_seconds,
            sleep=sleep,
            monotonic=monotonic,
        ) as client:
            yield JoinSession(client)

    def mapper(self, given: MapperInput) -> JoinMapper:
        return JoinMapper(given.ids, references_from(given.raw_of, self.options.post_url_template))

    def selected(self, raw_of: RawOf) -> RawOf:
        return only_created(raw_of, self.settings.actions)

    def recall(self, workspace: Workspace) -> None:
        recall(workspace)

    def reconcile(self, workspace: Workspace) -> None:
        reconcile(workspace)

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """The number of changed applications whose `lastUpdatedAt` stayed the same or lies before `before`."""
        row = workspace.con.execute(
            """SELECT count(*) FROM now_applications AS n JOIN known_applications AS k ON k.id = n.id
            WHERE k.remote_deleted_at IS NULL AND k.payload_hash <> n.payload_hash
                AND (n.remote_updated_at <= k.remote_updated_at OR n.remote_updated_at < ?)""",
            [before],
        ).fetchall()[0]
        return int(row[0])
