"""A company that is synced while clocks go wrong, and what lies in the future then.

Belongs here: answers with wrong dates, looking for instants in the future. Not here: what must hold (tests).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.models.types import INSTANT
from join_pipeline.sandbox import SandboxConfig, server
from join_pipeline.sandbox.instants import http_date
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.simulation.account import Account, opened
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.syncing import changed, run_sync

SOURCES = ("join", "kombo")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
# a second for the header, some for answers that take their time, and the milliseconds by which syncs must differ
MARGIN = timedelta(seconds=5)
KOMBO = KomboConfig(rate_limit=None, connected_days=2, sync_hours=1.0)


@dataclass
class Dates:
    """The `Date` headers of an account: by default its clock."""

    n: int = 0
    off: Callable[[int], timedelta | None] = lambda _: timedelta(0)

    def __call__(self, world: Any) -> str | None:
        off = self.off(self.n)
        self.n += 1
        return None if off is None else http_date(world.clock.now() + off // timedelta(milliseconds=1))


@dataclass
class Company:
    """One company that is synced from one source while clocks go wrong."""

    account: Account
    source: str
    data: Path
    dates: Dates = field(default_factory=Dates)
    n_answers: int = 0

    def settings(self, connection: str = "clocks", **changes: Any) -> Settings:
        config = self.account.config
        given = (
            {"integration_id": "join:clocks", "join_api_token": config.token, "join_api_url": f"{self.account.url}/v2"}
            if self.source == "join"
            else {
                "kombo_api_key": config.kombo.api_key,
                "kombo_integration_id": config.kombo.integration_id,
                "kombo_api_url": f"{self.account.url}/kombo/v1",
                "kombo_staleness_hours": 2,
            }
        )
        loaded = load_settings(source=self.source, data=self.data, connection=connection, memory_limit="500MB", **given)
        return changed(loaded, max_wait_seconds=1.0, **changes)

    def sync(self, off: Callable[[int], timedelta | None] = lambda _: timedelta(0), **options: Any) -> SyncRecord:
        """Sync while each answer's `Date` is so far off; `off` gets the number of the answer."""
        self.dates.n, self.dates.off = 0, off
        try:
            settings, account = self.settings(options.pop("connection", "clocks")), self.account
            mode = options.pop("mode", "auto")
            return run_sync(settings, mode, monotonic=account.monotonic, sleep=account.sleep, **options)
        finally:
            self.n_answers, self.dates.off = self.dates.n, lambda _: timedelta(0)

    def wait(self, passed: timedelta) -> None:
        self.account.set_clock(self.account.now + passed)

    def observed(self, connection: str = "clocks") -> Observed:
        return Observed(self.settings(connection).lake)

    def complaints(self, now: datetime | None = None, margin: timedelta = MARGIN) -> list[str]:
        """What lies in the future, or is out of order."""
        latest = (now or self.account.now) + margin
        lake = self.observed()
        told = []
        for record in lake.records:
            if not record.started_at <= record.finished_at or not record.started_at <= record.as_of:
                told.append(f"{record.sync_id} is out of order")
            if record.latest() > latest:
                told.append(f"{record.sync_id} lies ahead: {record.latest()} > {latest}")
        starts = {record.sync_id: (record.started_at, record.as_of) for record in lake.records}
        for name, model in MODELS.items():
            instants = [c.name for c in model.plain if c.type == INSTANT]
            for versions in lake.versions(name).values():
                for row in versions:
                    lo, hi = starts[row["sync_id"]]
                    if row["changed_at"] != lo or not lo <= row["observed_at"] <= hi:
                        told.append(f"{name} {row['changed_at']} {row['observed_at']} is not within {lo} … {hi}")
                    told += [f"{name}.{at} is {row[at]}" for at in instants if row[at] and row[at] > latest]
        return told

    def missed(self) -> set[str]:
        """Applications whose content the lake does not have, compared with a first sync at this instant."""
        self.sync(connection=f"fresh{self.account.now:%Y%m%d%H%M%S}", mode="full")
        fresh = {row["id"]: row["payload_hash"] for row in self._applications(f"fresh{self.account.now:%Y%m%d%H%M%S}")}
        known = {row["id"]: row["payload_hash"] for row in self._applications("clocks")}
        return {one for one in fresh if known.get(one) != fresh[one]}

    def _applications(self, connection: str) -> list[dict[str, Any]]:
        return self.observed(connection).current("applications")


def cases(quick: Collection[tuple[str, timedelta]], errors: Iterable[timedelta]) -> pytest.MarkDecorator:
    """Each source with each error; those that are not quick are slow."""
    found = [(source, error) for source in SOURCES for error in errors]
    return pytest.mark.parametrize(
        ("company", "error"),
        [pytest.param(*one, marks=[] if one in quick else [pytest.mark.slow]) for one in found],
        indirect=["company"],
        ids=[f"{source} {error}" for source, error in found],
    )


@contextmanager
def syncing_company(source: str, data: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Iterator[Company]:
    config = SandboxConfig(port=0, seed=5, applications=60, jobs=4, now=now, rate_limit=None, kombo=KOMBO)
    with opened(config, 5) as account:
        one = Company(account, source, data)
        monkeypatch.setattr(server, "dated", one.dates)
        yield one
