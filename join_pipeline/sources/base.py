"""Source: the protocols by which the engine uses a source.

Belongs here: the protocols. Not here: any source, the table of sources (registry). The engine never compares a source's
name. Whatever differs between sources is a property or a method of these protocols.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from join_pipeline.checks.finding import Finding
from join_pipeline.http.client import HttpClient
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.models.states import ApplicationState
from join_pipeline.sources.feed import Feed, RawOf, Unchanging
from join_pipeline.sync.door import Door
from join_pipeline.sync.extract import Extraction
from join_pipeline.sync.plan import Plan, Rhythm
from join_pipeline.sync.workspace import Workspace


class Session(Protocol):
    """One sync's session with an account."""

    @property
    def client(self) -> HttpClient: ...

    def greet(self) -> None:
        """Get a first response. It proves the credentials and gives the server time, before anything is on disk."""

    def extract(self, extraction: Extraction, plan: Plan) -> None:
        """Read every feed as the plan says, into the extraction."""

    def record(self, feed: Feed, key: str) -> bytes | None:
        """The payload of one record by the source's own id, or None if the account does not have it."""


@dataclass(frozen=True, slots=True)
class MapperInput:
    """What a mapping can use beside a payload: the ids, and this sync's raw with the reference lists in force."""

    ids: Ids
    raw_of: RawOf


class Mapper(Protocol):
    """Maps raw payloads to rows."""

    def map(self, feed: str, text: str) -> Mapped:
        """The rows of a payload. Raises `ContractError` if it breaks the contract; the caller sets it aside."""


class Connection(Protocol):
    """How a user connects an account, and the checks of the connection.

    `guide` lists what the user needs and does, in order. `variables` names the environment variables to set (one for
    a `TokenConnection`).
    """

    @property
    def guide(self) -> tuple[str, ...]: ...

    @property
    def variables(self) -> str: ...

    def credentials(self) -> Finding:
        """Whether there are credentials, and where."""

    def reach(self) -> Finding:
        """Whether the API responds at its address, without credentials."""

    def examine(self) -> list[Finding]:
        """Whether the account has what a sync needs. Raises `SettingsError` if the credentials are missing."""

    def records(self) -> AbstractContextManager[Callable[[Feed, str], bytes | None]]:
        """A function that fetches one record as `Session.record` does. Raises `SettingsError` without credentials."""


@runtime_checkable
class TokenConnection(Connection, Protocol):
    """A connection whose only credential is a token. `connect` prompts for it and stores it."""

    @property
    def is_set(self) -> bool:
        """Whether the environment has the token. It holds before a stored one."""

    def with_token(self, token: str) -> Connection:
        """The same connection with another token."""


class Webhooks(Protocol):
    """Checks the webhooks that a source sends when there may be new data."""

    def check(self) -> None:
        """Raise `SettingsError` if the secret for checking signatures is not set."""

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the source sent this webhook. It is checked by its bytes, before anything is parsed."""

    def is_about_data(self, body: bytes) -> bool:
        """Whether the webhook reports that there may be new data."""


class Source(Rhythm, Protocol):
    """One way to an account's data.

    `name`: the name in the lake and in settings; `title`: the name in messages.
    `feeds`: in the order in which they are mapped; `model_feeds`: for each model, the feeds that it is mapped from.
    `shared`: the models whose records many parents show. Decoding keeps only the observation of them that can hold.
    `application_states`: the source's words for the state of an application; empty if it has none.
    `door`: which parts of its payloads may be kept out of the lake.
    `max_age`: how old a response may be.
    `only_created`: whether syncs keep only applications that were created through this tool.
    `hides_what_moves`: whether a list that shifts while it is read may lack a record.
    `webhooks`: None if the source sends none.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def model_feeds(self) -> Mapping[str, tuple[str, ...]]: ...

    @property
    def shared(self) -> frozenset[str]: ...

    @property
    def application_states(self) -> tuple[ApplicationState, ...]: ...

    @property
    def mapping_version(self) -> int: ...

    @property
    def door(self) -> Door: ...

    @property
    def max_age(self) -> timedelta: ...

    @property
    def only_created(self) -> bool: ...

    @property
    def hides_what_moves(self) -> bool: ...

    @property
    def connection(self) -> Connection: ...

    @property
    def webhooks(self) -> Webhooks | None: ...

    def session(
        self, sleep: Callable[[float], None] | None, monotonic: Callable[[], float]
    ) -> AbstractContextManager[Session]:
        """A session. Raises `SettingsError` if credentials are missing."""

    def mapper(self, given: MapperInput) -> Mapper:
        """The source's mapping."""

    def recall(self, workspace: Workspace) -> None:
        """Make `known_<model>` of all models: the versions that `seen_*`, `missing` and `said_gone` can concern."""

    def reconcile(self, workspace: Workspace) -> None:
        """Make `now_<model>` and `gone_<model>` of all models."""

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """The number of unannounced changes in `now_*`: those that the source dates before `before`, or not at all."""


@runtime_checkable
class SelectingSource(Protocol):
    """A source that can leave out applications that were not created through this tool."""

    def selected(self, raw_of: RawOf) -> RawOf:
        """The raw rows without those applications."""


@runtime_checkable
class UnchangingSource(Protocol):
    """A source with a feed whose payloads are not mapped again while they stay the same."""

    @property
    def unchanging(self) -> Unchanging: ...


@runtime_checkable
class CarryingSource(Source, Protocol):
    """A source whose records tell the ids of other sources. It can go on with a lake that was begun from one of them.

    `carries`: the names of those sources.
    """

    @property
    def carries(self) -> frozenset[str]: ...

    def carrying(self, ids: Ids) -> Source:
        """The same source for such a lake. Its records get the lake's `ids`."""
