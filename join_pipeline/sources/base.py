"""Source: what a sync talks to, and what the engine must know of it.

Belongs here: the protocol. Not here: any source, nor which one it is (sources). The engine never compares a source's
name: what differs is one of these facts, or one of these behaviours.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from join_pipeline.http.client import HttpClient
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.models.states import ApplicationState
from join_pipeline.sources.feed import RawOf
from join_pipeline.sync.plan import Plan, Rhythm
from join_pipeline.sync.reading import Reading
from join_pipeline.sync.workspace import Workspace


class Session(Protocol):
    """One sync's talk with an account."""

    @property
    def client(self) -> HttpClient: ...

    def greet(self) -> None:
        """Get a first answer: it proves the credentials and tells the server's time, before anything is on disk."""

    def read(self, reading: Reading, plan: Plan, known_of: RawOf) -> None:
        """Everything that the plan asks for. `known_of` gives the rows of a reference list that are in force."""


class Mapper(Protocol):
    """From raw to rows."""

    def map(self, feed: str, text: str) -> Mapped:
        """What a payload says. `ContractError` if it is not what we know: then it is set aside."""

    def id_of(self, feed: str, record_id: str | None) -> str:
        """The id, in the feed's model, of a record that the source says it does not have."""


class Source(Rhythm, Protocol):
    """One way to an account. Its `name` is written to the lake and told to users; `title` is what it is called.

    `feeds` are in the order in which they are mapped, `model_feeds` are those that each model is mapped from, `max_age`
    is how old what it answers may be. `shared` are the models whose records come through many others: of those only the
    observation that can win is held. `application_states` are its words for the state of an application; none where it
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

    def connect(
        self, sleep: Callable[[float], None] | None, monotonic: Callable[[], float]
    ) -> AbstractContextManager[Session]:
        """A session. `SettingsError` if credentials are missing."""

    def mapper(self, ids: Ids, raw_of: RawOf) -> Mapper:
        """The mapping, with the names that this sync's reference lists give."""

    def selected(self, raw_of: RawOf) -> RawOf:
        """The same raw without what a selection of the settings leaves out."""

    def recall(self, workspace: Workspace) -> None:
        """Make `known_<model>` for all models from `versions_*`: what `seen_*`, `missing` and `said_gone` concern."""

    def reconcile(self, workspace: Workspace) -> None:
        """Make `now_<model>` and `gone_<model>` for all models."""

    def count_unannounced(self, workspace: Workspace, before: datetime) -> int:
        """Changes of `now_*` that should have come before this instant, and had not been announced."""
