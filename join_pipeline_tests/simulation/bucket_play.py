"""Plays a history by two machines that take turns on one bucket, and die at its operations as at those of the disk.

Belongs here: what differs from a play on one disk. Not here: what must hold (checks), the bucket's own rules (bucket).
"""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

from obstore.store import MemoryStore

from join_pipeline.bucket import lease, store, writing
from join_pipeline.lake.absent import present
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source
from join_pipeline.sync.replay import replayable
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.simulation.history import Death, History, Step
from join_pipeline_tests.simulation.mortal import Mortal
from join_pipeline_tests.simulation.play import LAST, Play, RefutedError, played
from join_pipeline_tests.syncing import changed, replay

OPERATIONS = ("_put", "send", "delete")


@dataclass
class BucketPlay(Play):
    """One history, played by two machines on one bucket."""

    n_slots: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.url = f"s3://memory/{secrets.token_hex(8)}"
        store._OPENED[self.url] = MemoryStore()
        self.machines = [self.data / "a", self.data / "b"]

    def settings(self, step: Step) -> Settings:
        return changed(super().settings(step), lake_url=self.url)

    def _attempt(
        self, step: Step, death: Death | None, attempts: list[datetime]
    ) -> tuple[SyncRecord | None, BaseException | None]:
        self.machines.reverse()
        self.data = self.machines[0]
        with dying(self.account.mortal):
            return super()._attempt(step, death, attempts)

    def _newest(self) -> SyncRecord | None:
        """The newest record in the bucket, with all files brought, as who judges the lake looks at them."""
        settings = self.settings(LAST)
        with writing.reading(settings):
            for path in settings.lake.rglob("*.parquet"):
                present(path)
            return super()._newest()

    def _step_twice(self, step: Step) -> None:
        self._step(step)

    def run(self) -> None:
        super().run()
        place = Place(self.url, store.open_bucket(self.url))
        self.n_slots = place.newest("simulated").slot
        if place.data("simulated") != place.reachable("simulated"):
            raise RefutedError("objects that no commit lists are left in the bucket")
        del store._OPENED[self.url]

    def _replay(self) -> None:
        settings = self.settings(LAST)
        with writing.writing(settings):
            lake = open_lake(settings.lake)
            if replayable(open_source(settings), lake, lake.newest()):
                replayed = replay(settings, lake)
                self._refute([f"{replayed.n_different} versions differ after a replay"] * bool(replayed.n_different))


@contextlib.contextmanager
def dying(mortal: Mortal) -> Iterator[None]:
    """Each operation that changes the bucket is a step at which the machine may die. A dead one gives nothing back."""
    real = {name: getattr(store.Bucket, name) for name in OPERATIONS}
    release = lease.Lease.release

    def stepping(name: str) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            mortal._step()
            return real[name](*arguments, **named)

        return step

    def released(*arguments: Any, **named: Any) -> None:
        mortal.check()
        release(*arguments, **named)

    with contextlib.ExitStack() as stack:
        for name in OPERATIONS:
            stack.enter_context(mock.patch.object(store.Bucket, name, stepping(name)))
        stack.enter_context(mock.patch.object(lease.Lease, "release", released))
        stack.enter_context(mock.patch.object(lease, "GRAIN", -2 * lease.TTL))  # who holds it is always dead
        yield


def play_on_bucket(history: History) -> BucketPlay:
    """Play a history on a bucket; raises `RefutedError` if something does not hold."""
    return played(history, BucketPlay)
