"""Source: what a sync talks to, and what the engine must know of it.

Belongs here: the protocols. Not here: any source, nor which one it is (registry). The engine never compares a source's
name: what differs is one of these facts, or one of these behaviours.
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
from join_pipeline.sources.feed import RawOf
from join_pipeline.sync.extract import Extraction
from join_pipeline.sync.plan import Plan, Rhythm
from join_pipeline.sync.workspace import Workspace


class Session(Protocol):
    """One sync's talk with an account."""

    @property
    def client(self) -> HttpClient: ...

    def greet(self) -> None:
        """Get a first answer: it proves the credentials and tells the server's time, before anything is on disk."""

    def extract(self, extraction: Extraction, plan: Plan) -> None:
        """Everything that the plan asks for."""


@dataclass(frozen=True, slots=True)
class MapperInput:
    """What a mapping can use beside a payload: our ids, and this sync's raw, reference lists in force included."""

    ids: Ids
    raw_of: RawOf


class Mapper(Protocol):
    """From raw to rows."""

    def map(self, feed: str, text: str) -> Mapped:
        """What a payload says. `ContractError` if it is not what we know: then it is set aside."""


class Connection(Protocol):
    """What a person needs to get into an account, and what is asked to see whether it works.

    `guide` is what to have and to do, in order; `variables` are those of the environment that the credentials are in.
    """

    @property
    def guide(self) -> tuple[str, ...]: ...

    @property
    def variables(self) -> str: ...

    def credentials(self) -> Finding:
        """Whether there are any, and where."""

    def reach(self) -> Finding:
        """Whether the API is at its address, asked without credentials."""

    def examine(self) -> list[Finding]:
        """What the account must give, asked with the credentials. `SettingsError` if they are missing."""


@runtime_checkable
class TokenConnection(Connection, Protocol):
    """One that is entered by a single token: `connect` asks for it and keeps it. `variables` is one name."""

    @property
    def is_set(self) -> bool:
        """Whether the environment gives the token: it wins over one that is kept."""

    def with_token(self, token: str) -> Connection:
        """The same with another token."""


class Webhooks(Protocol):
    """What a source sends on its own when something may be new."""

    def check(self) -> None:
        """`SettingsError` if what tells them from others is not set."""

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the source sent this. Judged by the bytes, before anything is parsed."""

    def is_about_data(self, body: bytes) -> bool:
        """Whether it says that there may be something new to read."""


class Source(Rhythm, Protocol):
    """One way to an account. Its `name` is written to the lake and told to users; `title` is what it is called.

    `feeds` are in the order in which they are mapped, `model_feeds` are those that each model is mapped from, `max_age`
    is how old what it answers may be. `shared` are the models whose records come through many others: of those only the
    observation that can win is held. `only_created`: syncs keep only what was created from here. `webhooks` is None
    where the source sends none. `application_states` are its words for the state of an application; none where it
    gives no such word.
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
    def max_age(self) -> timedelta: ...

    @property
    def only_created(self) -> bool: ...

    @property
    def connection(self) -> Connection: ...

    @property
    def webhooks(self) -> Webhooks | None: ...

    def session(
        self, sleep: Callable[[float], None] | None, monotonic: Callable[[], float]
    ) -> AbstractContextManager[Session]:
        """A session. `SettingsError` if credentials are missing."""

    def mapper(self, given: MapperInput) -> Mapper:
        """The mapping."""

    def recall(self, workspace: Workspace) -> None:
        """Make `known_<model>` for all models from `versions_*`: what `seen_*`, `missing` and `said_gone` concern."""

    def reconcile(self, workspace: Workspace) -> None:
        """Make `now_<model>` and `gone_<model>` for all models."""

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """Changes of `now_*` that should have come before this instant, and had not been announced."""


@runtime_checkable
class SelectingSource(Protocol):
    """A source that can leave out what was not created from here."""

    def selected(self, raw_of: RawOf) -> RawOf:
        """The same raw without it."""
