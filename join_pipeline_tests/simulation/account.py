"""One simulated JOIN account over real HTTP, with everything that chance decides taken from one seed.

Belongs here: the sandbox's world behind a turnstile: requests are answered one at a time, in an order that the seed
decides, and before each of them time may pass or the reader may die. Not here: what happens in a history (history).
"""

import asyncio
import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest import mock

import numpy as np
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox import faults as sandbox_faults
from join_pipeline.sandbox.instants import from_datetime, to_datetime
from join_pipeline.sandbox.kombo.service import Kombo
from join_pipeline.sandbox.odd_parts import spoiled_somewhere
from join_pipeline.sandbox.server import make_app
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.truth import truth
from join_pipeline.sandbox.world import World as SandboxWorld
from join_pipeline_tests.oracle.truth import Event
from join_pipeline_tests.oracle.world import World
from join_pipeline_tests.simulation.mortal import Mortal

TOKEN = "sandbox-token"
# how long the turnstile waits for requests that were sent side by side to have come in, all of them
SETTLE_SECONDS = 0.002


class VeiledState(State):
    """A state in which some records are hidden: neither listed nor found, as if they had been deleted."""

    hidden_applications: frozenset[int] = frozenset()
    hidden_jobs: frozenset[int] = frozenset()

    def hide(self, applications: Collection[int] = (), jobs: Collection[int] = ()) -> None:
        """Hide exactly these, by JOIN's ids."""
        self.hidden_applications = frozenset(key - 1 for key in applications)
        self.hidden_jobs = frozenset(key - 1 for key in jobs)
        self.touch()

    def listing(self, jobs=None, since=None):
        rows = super().listing(jobs, since)
        return rows[~np.isin(rows, list(self.hidden_applications))] if self.hidden_applications else rows

    def has_application(self, application: int) -> bool:
        return application not in self.hidden_applications and super().has_application(application)

    def job_listing(self, statuses):
        rows = super().job_listing(statuses)
        return rows[~np.isin(rows, list(self.hidden_jobs))] if self.hidden_jobs else rows

    def has_job(self, job: int) -> bool:
        return job not in self.hidden_jobs and super().has_job(job)


class VeiledWorld(SandboxWorld):
    """The sandbox's world with a state that can hide records."""

    def __init__(self, config: SandboxConfig, base_url: str) -> None:
        super().__init__(config, base_url)
        self._state: VeiledState = VeiledState(self.company, self.written, announces_changes=config.announces_changes)
        self.look()

    @property
    def state(self) -> VeiledState:
        self.look()
        return self._state


@dataclass(frozen=True)
class Passing:
    """How time passes while a sync reads: `drift` before each request, and jumps before certain ones."""

    drift: timedelta = timedelta(0)
    jumps: Mapping[int, timedelta] = field(default_factory=dict)

    def before(self, request: int) -> timedelta:
        return self.drift + self.jumps.get(request, timedelta(0))

    @property
    def is_still(self) -> bool:
        return not self.drift and not self.jumps


STILL = Passing()


class Account:
    """What a simulation steers: the account's clock, its faults, what it hides, and who reads it."""

    def __init__(self, config: SandboxConfig, url: str, seed: int, shown_url: str | None = None) -> None:
        self.config = config
        self.url = url
        self.world = VeiledWorld(config, shown_url or url)
        self.kombo = Kombo(self.world)
        self.mortal = Mortal()
        self.instants: list[datetime] = []
        self.watch: Callable[[], None] | None = None  # called before each request of a reader is answered
        self.n_requests = 0
        self.odd: dict[str, dict[str, object]] = {}  # as they truly are, by id, the records that were odd in a step
        self._chance = random.Random(seed)
        self._passing = STILL
        self._is_turned = False
        self._settle = 0.0
        self._slept = 0.0
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._is_busy = False
        self._read: dict[Hashable, World] = {}

    # Time

    @property
    def now(self) -> datetime:
        return to_datetime(self.world.clock.now())

    def set_clock(self, now: datetime) -> None:
        self.world.clock.set(from_datetime(now))
        self.world.look()

    def monotonic(self) -> float:
        """The reader's monotonic clock: it runs with the account's, and while the reader sleeps."""
        self.mortal.check()
        return self.now.timestamp() + self._slept

    def sleep(self, seconds: float) -> None:
        """The reader's sleep: it costs no time."""
        self.mortal.check()
        self._slept += seconds
        time.sleep(0.0003)

    # What a reader is exposed to

    @contextlib.contextmanager
    def exposing(
        self, faults: Mapping[str, float], passing: Passing, in_flight: int, dies_at_request: int | None = None
    ) -> Iterator[None]:
        """Answer with these faults while time passes so. `instants` are those at which requests were answered."""
        self.world.set_faults(dict(faults))
        self.instants, self.n_requests = [self.now], 0
        self._passing, self._is_turned = passing, True
        self._settle = SETTLE_SECONDS if in_flight > 1 else 0.0
        self._dies_at = dies_at_request
        try:
            with mock.patch.object(sandbox_faults, "spoiled_somewhere", self._spoiled):
                yield
        finally:
            self._is_turned = False
            self.world.set_faults({})

    def _spoiled(self, record: dict[str, object], chance: random.Random) -> str:
        self.odd[str(record["id"])] = dict(record)
        return spoiled_somewhere(record, chance)

    def read(self, at: datetime | None = None) -> World:
        """What the account lists, now or at another instant. What was read once is the same object again."""
        now, state = self.now, self.world.state
        written = tuple((one.created, one.gone) for one in self.world.written.applications)
        key = (at or now, state.hidden_applications, state.hidden_jobs, written)
        if key not in self._read:
            self.set_clock(at or now)
            try:
                self._read[key] = World.read(f"{self.url}/v2", TOKEN)
            finally:
                self.set_clock(now)
        return self._read[key]

    def truth(self) -> list[Event]:
        """All that has happened up to now."""
        lines = b"".join(truth(self.world, self.world.clock.now())).splitlines()
        return [json.loads(line) for line in lines]

    # The turnstile

    def turned(self, app: ASGIApp) -> ASGIApp:
        """`app` behind the turnstile."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if not self._is_turned:
                await app(scope, receive, send)
                return
            await self._turn(f"{scope['path']}?{scope['query_string'].decode()}")
            try:
                self._let_time_pass()
                await app(scope, receive, send)
            finally:
                self._call_next()

        return answer

    async def _turn(self, asked: str) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append((asked, turn))
        if not self._is_busy:
            self._is_busy = True
            loop.call_later(self._settle, self._let_one_in)
        await turn

    def _call_next(self) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_later(self._settle, self._let_one_in)
        else:
            self._is_busy = False

    def _let_one_in(self) -> None:
        self._waiting.sort(key=lambda waiting: waiting[0])
        _, turn = self._waiting.pop(self._chance.randrange(len(self._waiting)))
        if turn.cancelled():
            self._call_next()
        else:
            turn.set_result(None)

    def _let_time_pass(self) -> None:
        self.n_requests += 1
        passed = self._passing.before(self.n_requests)
        if passed:
            self.set_clock(self.now + passed)
            self.instants.append(self.now)
        if self.watch is not None:
            self.watch()
        if self.n_requests == self._dies_at:
            self.mortal.die()


@contextlib.contextmanager
def opened(config: SandboxConfig, seed: int, shown_url: str | None = None) -> Iterator[Account]:
    """A running account. Payloads name `shown_url` where they link to it, so that they are the same on every port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    account = Account(config, url, seed, shown_url)
    app = account.turned(make_app(account.world, account.kombo))
    settings = uvicorn.Config(
        app, lifespan="off", ws="none", log_level="critical", access_log=False, date_header=False, server_header=False
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="account", daemon=True)
    with listener:
        thread.start()
        while not server.started:
            time.sleep(0.001)
        try:
            yield account
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(10)
