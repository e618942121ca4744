"""Plays a history by Kombo: like `play`, with Kombo's syncs, switches and losses between company and pipeline."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self
from unittest import mock

from join_pipeline.lake.record import SyncRecord
from join_pipeline.sandbox.instants import from_datetime
from join_pipeline.sandbox.kombo.config import MODELS as LISTED
from join_pipeline.sandbox.kombo.lists import Lists
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.simulation import kombo_checks
from join_pipeline_tests.simulation.history import History, Step
from join_pipeline_tests.simulation.kombo_memory import KomboMemory, KomboSpan, of_a_sync
from join_pipeline_tests.simulation.kombo_shown import Shown, shown_by
from join_pipeline_tests.simulation.memory import spans_of
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import KEY, LAST, Death, PipelineError, Play, played
from join_pipeline_tests.syncing import changed


@cache
def _settings(key: str, integration: str) -> Settings:
    return load_settings(
        source="kombo",
        kombo_api_key=key,
        kombo_integration_id=integration,
        connection="simulated",
        pseudonym_key=KEY,
        memory_limit="500MB",
    )


class KomboPlay(Play):
    """One history being played in one folder."""

    feeds: ClassVar = tuple(LISTED)
    memory: KomboMemory

    def __post_init__(self) -> None:
        self.memory = KomboMemory(self.account)
        self.lost: dict[str, frozenset[str]] = {}
        self.refused: frozenset[str] = frozenset()
        self.shown: list[Shown] = []

    def settings(self, step: Step) -> Settings:
        config = self.account.config.kombo
        return changed(
            _settings(config.api_key, config.integration_id),
            kombo_api_url=f"{self.account.url}/kombo/v1",
            data=self.data,
            pages_in_flight=step.pages_in_flight,
            max_second_looks=step.max_second_looks,
            raw_days=step.raw_days,
        )

    def _hide(self, step: Step, number: int) -> None:
        """What Kombo loses, forgets or refuses as long as this step takes."""
        super()._hide(step, number)
        state, ids = self.account.world.state, self.account.kombo.replica.ids
        self.lost = {
            "applications": frozenset(ids.of("applications", key + 1) for key in state.hidden_applications),
            "jobs": frozenset(ids.of("jobs", key + 1) for key in state.hidden_jobs),
        }
        self._switch(step)

    def _switch(self, step: Step) -> None:
        account, replica = self.account, self.account.kombo.replica
        now = from_datetime(account.now)
        off = dict(step.models_off)
        replica.look(now)
        if off != dict(replica.settings.models_off):
            replica.switch(replace(replica.settings, models_off=off), now)
            replica.force(now)
        elif step.is_forced:
            replica.force(now)
        self.refused = frozenset(model for model, way in off.items() if way == "refused")
        self.memory.was_switched = self.memory.was_switched or bool(off)

    def _finish(self) -> None:
        """At last Kombo is up to date, has lost nothing, and everything is on."""
        self.account.world.state.hide()
        self.memory.veils.append((self.account.now, frozenset()))
        self.lost = {}
        self._switch(replace(LAST, is_forced=True))
        self._step(LAST)

    def _beside(self, other: Path) -> Self:
        beside = super()._beside(other)
        beside.lost, beside.refused = self.lost, self.refused
        return beside

    def _attempt(
        self, step: Step, death: Death | None, attempts: list[datetime]
    ) -> tuple[SyncRecord | None, BaseException | None]:
        """One run. Kombo's first answer tells how the integration is: where that is spoiled the run fails, again."""
        if not attempts:
            self.shown = []
        self._watch()
        with (
            mock.patch.object(self.account, "watch", self._watch),
            mock.patch.object(Lists, "_entries", self._entries()),
        ):
            record, failure = super()._attempt(step, death, attempts)
            for _ in range(20):
                if not (isinstance(failure, PipelineError) and death is None and record is None and step.spoils):
                    break
                record, failure = super()._attempt(step, death, attempts)
        return record, failure

    def _entries(self) -> Any:
        real, lost = Lists._entries, self.lost

        def entries(lists: Lists, model: str) -> list[Any]:
            return [entry for entry in real(lists, model) if entry.id not in lost.get(model, ())]

        return entries

    def _watch(self) -> None:
        """Note what Kombo shows, whenever it has synced meanwhile."""
        now = self.account.now
        replica = self.account.kombo.replica
        replica.look(from_datetime(now))
        if not self.shown or self._synced != replica.synced or now < self.shown[-1].at:
            self.shown.append(shown_by(self.account.kombo, now, self.lost, refused=self.refused))
        self._synced = replica.synced

    def _judge(self, record: SyncRecord, step: Step, attempts: list[datetime], *, spoils: bool, died: bool) -> None:
        self.n_syncs += 1
        after = Observed(self.lake)
        is_resumed = record.reason.endswith("resumed")
        state = self.account.world.state
        previous = self.before.newest.started_at if self.before else None
        is_set_back = previous is not None and attempts[-1] < previous
        span = KomboSpan(
            record=record,
            step=step,
            instants=tuple(attempts) if is_resumed else spans_of(attempts, record.started_at),
            hidden={
                "applications": frozenset(key + 1 for key in state.hidden_applications),
                "jobs": frozenset(key + 1 for key in state.hidden_jobs),
            },
            is_resumed=is_resumed,
            spoils=spoils,
            died_after_commit=died,
            is_set_back=is_set_back,
            shown=tuple(self.shown) if is_resumed or is_set_back else of_a_sync(self.shown, record.started_at),
            refused=self.refused,
        )
        self.memory.take_shown(after, span, self.lost)
        complaints = kombo_checks.everything(self.before, after, self.memory, span)
        self.memory.forget_missed(span, self.lost)
        self.before = after
        self._refute(complaints)

    def _bounds(self) -> list[str]:
        """What Kombo took for deleted was not: then its events are not the company's."""
        return [] if self.memory.was_switched else super()._bounds()


def play_by_kombo(history: History) -> KomboPlay:
    """Play a history from its beginning; raises `RefutedError` if something does not hold."""
    return played(history, KomboPlay)
