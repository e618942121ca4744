"""Kombo's copy of the account, as its syncs have seen it so far.

It is a pure function of the company, the clock, the writes and the switches; if the clock goes back, it starts again. A
sync reads all of JOIN's listings at one instant, and stamps changed records with that instant.
Belongs here: when a sync runs and which records it reads. Not here: what follows from them (account).
"""

from bisect import bisect_right, insort

import numpy as np

from join_pipeline.sandbox.instants import DAY, HOUR, from_datetime
from join_pipeline.sandbox.kombo.account import Account
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.sandbox.kombo.ids import KomboIds
from join_pipeline.sandbox.kombo.tables import Table
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.world import World

_REGULAR, _FORCED, _CREATED = range(3)


class Replica:
    """The tables of one integration. `look` is the only way to them: it brings them to the clock first."""

    def __init__(self, world: World) -> None:
        self._world = world
        config = world.config.kombo
        self.ids = KomboIds(config.integration_id)
        self.connected = from_datetime(world.config.now) - int(config.connected_days * DAY)
        self._period = int(config.sync_hours * HOUR)
        self._switched: list[tuple[int, KomboConfig]] = [(self.connected, config)]
        self._forced: list[int] = []
        self._reset()

    def _reset(self) -> None:
        world = self._world
        self._state = State(world.company, world.written, announces_changes=world.config.announces_changes)
        self._now = self.connected - 1
        self.synced: int | None = None  # the last sync
        self._account = Account(world, self.ids, self.settings)
        self.tables, self.changes = self._account.tables, self._account.changes

    @property
    def settings(self) -> KomboConfig:
        return self._switched[-1][1]

    def switch(self, settings: KomboConfig, now: int) -> None:
        """Settings that hold from the next sync on."""
        first, *later = self._switched
        self._switched = [first, *(switch for switch in later if switch[0] <= now), (now, settings)]

    def look(self, now: int) -> dict[str, Table]:
        """The tables as of an instant."""
        if now < self._now:
            self._reset()
        for at, kind, application in self._due(now):
            if kind == _CREATED:
                self._take_in(application, at)
            else:
                self._sync(at)
        self._now = now
        return self.tables

    def force(self, now: int) -> bool:
        """Sync at once; False if one of this very instant had been asked for."""
        self.look(now)
        is_new = now not in self._forced
        if is_new:
            insort(self._forced, now)
        self._sync(now)
        return is_new

    def created(self, application: int, now: int) -> None:
        """An application was created through Kombo: it is known at once."""
        self.look(now)
        self._take_in(application, now)

    def _due(self, now: int) -> list[tuple[int, int, int]]:
        """What happens up to an instant and was not gone through yet, in order of time."""
        after = self._now
        first = self.connected + ((after - self.connected) // self._period + 1) * self._period
        due = [(at, _REGULAR, -1) for at in range(first, now + 1, self._period)]
        due += [(at, _FORCED, -1) for at in self._forced if after < at <= now]
        due += [
            (written.created, _CREATED, written.application)
            for written in self._world.written.applications
            if written.is_through_kombo and after < written.created <= now
        ]
        return sorted(due)

    # One sync

    def _sync(self, at: int) -> None:
        settings = self._switched[max(0, bisect_right(self._switched, at, key=lambda entry: entry[0]) - 1)][1]
        account = self._account
        # with other settings, whatever is known is looked at again
        since = self.synced if settings == account.settings else None
        account.settings = settings
        account.changes.clear()
        self._state.move(at)
        account.read(self._state, self._changed_applications(since), self._changed_jobs(since), at)
        for table in self.tables.values():
            table.null(at - int(settings.null_days * DAY), at)
        self.synced = at

    def _take_in(self, application: int, at: int) -> None:
        """One application with its candidate, between syncs."""
        self._state.move(at)
        self._account.read(self._state, {application}, set(), at)

    def _changed_applications(self, since: int | None) -> set[int]:
        state = self._state
        if since is None:
            return set(state.listing().tolist()) | set(self._account.applications)
        log = self._world.company.log
        window = slice(int(np.searchsorted(log.at, since)), int(np.searchsorted(log.at, state.now, side="right")))
        written = [one for one in self._world.written.applications if one.created <= state.now]
        return set(log.application[window].tolist()) | {
            one.application for one in written if state.written_updated(one) >= since or since <= one.gone <= state.now
        }

    def _changed_jobs(self, since: int | None) -> set[int]:
        jobs = self._world.company.jobs
        first = 0 if since is None else int(np.searchsorted(jobs.event_at, since))
        return set(jobs.event_job[first : int(np.searchsorted(jobs.event_at, self._state.now, side="right"))].tolist())
