"""Plays a history: the company lives, the pipeline runs, dies and runs again, and every commit is checked."""

import random
import shutil
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import ClassVar, Self, TypeVar
from unittest import mock

from join_pipeline.errors import PipelineError
from join_pipeline.lake import compaction, files, lake, raw
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.kombo import client as kombo_client
from join_pipeline.sources.registry import open_source
from join_pipeline.sync import decode
from join_pipeline.sync.replay import replayable
from join_pipeline_tests.simulation import bounds, checks
from join_pipeline_tests.simulation.account import TOKEN, Account, opened
from join_pipeline_tests.simulation.history import SPOILING, Death, History, Sizes, Step
from join_pipeline_tests.simulation.memory import INTEGRATION, Memory, Span, spans_of
from join_pipeline_tests.simulation.mortal import Killed
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.syncing import changed, replay, run_sync

KEY = "a key for tests only"
LAST = Step(mode="full", accepts_loss=True)


P = TypeVar("P", bound="Play")


class RefutedError(AssertionError):
    """A history in which something did not hold."""


@cache
def _settings() -> Settings:
    return load_settings(
        join_api_token=TOKEN,
        connection="simulated",
        integration_id=INTEGRATION,
        pseudonym_key=KEY,
        memory_limit="500MB",
    )


def settings_for(url: str, data: Path, step: Step) -> Settings:
    return changed(
        _settings(),
        join_api_url=f"{url}/v2",
        data=data,
        pages_in_flight=step.pages_in_flight,
        max_second_looks=step.max_second_looks,
        raw_days=step.raw_days,
    )


@contextmanager
def hurried() -> Iterator[None]:
    """Without what costs time and proves nothing here.

    A death is simulated within this process, so what was written survives it, flushed to the disk or not; and the
    certificates of this machine are read anew for each client, though all of them speak plain HTTP.
    """
    with (
        mock.patch.object(files, "_flush"),
        mock.patch.object(ssl, "create_default_context", cache(ssl.create_default_context)),
    ):
        yield


@contextmanager
def sized(sizes: Sizes) -> Iterator[None]:
    """The engine with these sizes."""
    chosen = (
        (compaction, "MOST_VERSION_FILES", sizes.version_files),
        (compaction, "MOST_SMALL_FILES", sizes.raw_files),
        (lake, "MOST_RECORDS", sizes.records),
        (lake, "KEPT_RECORDS", max(1, sizes.records // 4)),
        (decode, "BATCH", sizes.batch),
        (raw, "ROWS_PER_SPOOL_PART", sizes.spool_rows),
        (kombo_client, "PAGE_SIZE", sizes.page),
    )
    with ExitStack() as stack:
        for module, name, value in chosen:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


@dataclass
class Play:
    """One history being played in one folder."""

    history: History
    account: Account
    data: Path
    memory: Memory = field(init=False)
    feeds: ClassVar[tuple[str, ...]] = ("applications", "jobs")
    n_syncs: int = 0
    n_deaths: int = 0
    n_events: Counter[str] = field(default_factory=Counter)
    before: Observed | None = None

    def __post_init__(self) -> None:
        self.memory = Memory(self.account)

    def settings(self, step: Step) -> Settings:
        """Those of the pipeline at this step."""
        return settings_for(self.account.url, self.data, step)

    @property
    def lake(self) -> Path:
        return self.data / "simulated" / "lake"

    def run(self) -> None:
        """All steps, and at the end a full sync of a world that stands still, which must know everything."""
        for number, step in enumerate(self.history.steps):
            self.account.set_clock(self.account.now + step.wait)
            self._hide(step, number)
            if (
                step.deaths
                and not step.faults
                and step.passing.is_still
                and not any(death.then for death in step.deaths)
            ):
                self._step_twice(step)
            else:
                self._step(step)
        self._finish()
        self._again(number=len(self.history.steps))
        if self.history.is_replayed:
            self._replay()
        self._refute(self._bounds())

    def _bounds(self) -> list[str]:
        return bounds.complaints(self.before, self.memory, self.n_events)

    def _finish(self) -> None:
        self._step(LAST)

    def _hide(self, step: Step, number: int) -> None:
        chance = random.Random(f"{self.history.seed} {number}")
        company = self.account.world.company
        applications, jobs = (
            [key for key in range(1, n + 1) if chance.random() * 100 < share]
            for n, share in (
                (company.n_applications, step.hides_applications),
                (len(company.jobs), step.hides_jobs),
            )
        )
        self.account.world.state.hide(applications, jobs)
        self.memory.veils.append((self.account.now, frozenset(map(str, applications))))

    def _step(self, step: Step) -> None:
        """Run a step until it commits; each time that it dies or fails it is run again."""
        attempts: list[datetime] = []
        spoils = False
        self.account.odd.clear()
        for death in (*step.deaths, None):
            record, failure = self._attempt(step, death, attempts)
            spoils = spoils or step.spoils
            if record is not None:
                self._judge(record, step, attempts, spoils=spoils, died=isinstance(failure, Killed))
                attempts, spoils = [], False
            if failure is None:
                return
            if death is not None and isinstance(failure, Killed):
                self.account.set_clock(self.account.now + death.then)
        calm = replace(step, faults={name: rate for name, rate in step.faults.items() if name in SPOILING})
        record, failure = self._attempt(calm, None, attempts)
        if record is None:
            raise failure or AssertionError("a sync that did not fail did not commit")
        self._judge(record, step, attempts, spoils=spoils, died=False)

    def _attempt(
        self, step: Step, death: Death | None, attempts: list[datetime]
    ) -> tuple[SyncRecord | None, BaseException | None]:
        """One run: the record if it committed, and what ended it before its time."""
        failure: BaseException | None = None
        at_request = death.n if death and death.kind == "request" else None
        at_step = death.n if death and death.kind == "disk" else None
        account = self.account
        with (
            account.mortal.living(at_step),
            account.exposing(step.faults, step.passing, step.pages_in_flight, at_request),
        ):
            try:
                run_sync(
                    self.settings(step),
                    step.mode,
                    accept_loss=self.feeds if step.accepts_loss else (),
                    sleep=account.sleep,
                    monotonic=account.monotonic,
                )
            except Killed as killed:
                failure = killed
                self.n_deaths += 1
            except PipelineError as error:
                if account.mortal.is_dead:
                    raise RefutedError("a reader that was killed said goodbye") from error
                failure = error
        attempts += account.instants
        newest = self._newest()
        is_new = newest is not None and (self.before is None or newest.sync_id != self.before.newest.sync_id)
        return (newest if is_new else None), failure

    def _newest(self) -> SyncRecord | None:
        return open_lake(self.lake).newest() if (self.lake / "connection.json").exists() else None

    def _judge(self, record: SyncRecord, step: Step, attempts: list[datetime], *, spoils: bool, died: bool) -> None:
        self.n_syncs += 1
        after = Observed(self.lake)
        is_resumed = record.reason.endswith("resumed")
        begun = record.started_at
        state = self.account.world.state
        previous = self.before.newest.started_at if self.before else None
        span = Span(
            record=record,
            step=step,
            instants=tuple(attempts) if is_resumed else spans_of(attempts, begun),
            hidden={
                "applications": frozenset(key + 1 for key in state.hidden_applications),
                "jobs": frozenset(key + 1 for key in state.hidden_jobs),
            },
            is_resumed=is_resumed,
            spoils=spoils,
            died_after_commit=died,
            is_set_back=previous is not None and attempts[-1] < previous,
        )
        self.memory.take(after, span)
        complaints = checks.everything(self.before, after, self.memory, span)
        self.memory.forget_excuses(span)
        self.before = after
        self._refute(complaints)

    def _again(self, number: int) -> None:
        """The same world read again: nothing is written."""
        step = replace(LAST, mode="incremental" if number % 2 else "full")
        versions = self.before.newest.files.models
        self._step(step)
        newest = self.before.newest
        written = {name: model.versions for name, model in newest.models.items() if model.versions}
        if written:
            self._refute([f"a rerun writes {written}"])
        if newest.files.models != versions and not self.history.sizes.version_files < 16:
            self._refute(["a rerun changes the version files"])

    def _step_twice(self, step: Step) -> None:
        """The step with its deaths, and, beside it, without: both must end equal."""
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder)
            if (self.data / "simulated").exists():
                shutil.copytree(self.data / "simulated", other / "simulated")
            self._step(step)
            unkilled = self._beside(other)
            unkilled._attempt(replace(step, deaths=()), None, [])
            if self.n_syncs_since_copy(other):
                self._refute(checks.same_end(self.before, Observed(unkilled.lake)))

    def _beside(self, other: Path) -> Self:
        """The same play in another folder."""
        return type(self)(self.history, self.account, other)

    def n_syncs_since_copy(self, other: Path) -> bool:
        """Whether both went through the same number of syncs: one that died after its commit was run once more."""
        theirs = Observed(other / "simulated" / "lake").records
        return len(theirs) == len(self.before.records)

    def _replay(self) -> None:
        """Kept raw gives the same versions again."""
        settings = self.settings(LAST)
        with locked(settings.home):
            opened_lake = open_lake(settings.lake)
            if not replayable(open_source(settings), opened_lake, opened_lake.newest()):
                return
            replayed = replay(settings, opened_lake)
        if replayed.n_different:
            self._refute(
                [
                    f"of {replayed.n_versions} versions {replayed.n_different} differ after a replay",
                    *checks.same_versions(self.before, Observed(self.lake))[:5],
                ]
            )

    def _refute(self, complaints: list[str]) -> None:
        if complaints:
            raise RefutedError("\n".join(complaints[:12]))


def play(history: History) -> Play:
    """Play a history from its beginning; raises `RefutedError` if something does not hold."""
    return played(history, Play)


def played(history: History, kind: type[P]) -> P:
    """The same by a source's own kind of play."""
    with (
        tempfile.TemporaryDirectory(prefix="simulated-") as folder,
        hurried(),
        sized(history.sizes),
        opened(history.company, history.seed) as account,
    ):
        play = kind(history, account, Path(folder))
        play.run()
        return play
