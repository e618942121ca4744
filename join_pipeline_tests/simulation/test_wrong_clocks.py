"""Wrong clocks: dates of answers, this machine's clock, and lakes that an older release left in the future.

Whole syncs over HTTP, by JOIN and by Kombo. No time that a sync writes lies in the future, and no change is missed.
"""

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.connections.doctor import examine_machine
from join_pipeline.errors import ClockError
from join_pipeline.http import server_clock
from join_pipeline.http.server_clock import ServerClock
from join_pipeline.lake import future
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.models.types import INSTANT
from join_pipeline.sandbox import SandboxConfig, server
from join_pipeline.sandbox.instants import http_date
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.registry import open_source
from join_pipeline.sync import clock as clocks
from join_pipeline_tests.simulation.account import Account, opened
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.syncing import changed, replay, run_sync

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


@pytest.fixture
def company(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with _company(getattr(request, "param", "join"), tmp_path, monkeypatch, START) as one:
        yield one


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
def _company(source: str, data: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Iterator[Company]:
    config = SandboxConfig(port=0, seed=5, applications=60, jobs=4, now=now, rate_limit=None, kombo=KOMBO)
    with opened(config, 5) as account:
        one = Company(account, source, data)
        monkeypatch.setattr(server, "dated", one.dates)
        yield one


ERRORS = (HOUR, 2 * DAY, 100 * DAY, 3650 * DAY, -3 * HOUR, -3650 * DAY)


@cases([("join", 100 * DAY), ("kombo", 100 * DAY)], ERRORS)
def test_wrong_dates_move_no_instant_into_the_future_and_miss_no_change(company: Company, error: timedelta) -> None:
    company.sync()
    n = company.n_answers
    patterns: dict[str, Callable[[int], bool]] = {
        "first": lambda i: i == 0,
        "minority": lambda i: i % 3 == 1,
        "last": lambda i: i == n - 1,
        "all": lambda _: True,
    }
    for name, is_wrong in patterns.items():
        company.wait(7 * HOUR)
        record = company.sync(lambda i, w=is_wrong: error if w(i) else timedelta(0), mode="incremental")
        believed = HOUR if abs(error) <= HOUR else timedelta(0)
        assert company.complaints(margin=believed + MARGIN) == [], name
        n = company.n_answers
        n_wrong = sum(map(is_wrong, range(n)))
        assert record.clock.n_dated == n
        assert record.clock.n_astray in {0, min(n_wrong, n - n_wrong)}
        assert record.clock.is_believed or n_wrong * 2 >= n
    company.wait(7 * HOUR)
    assert company.sync(mode="incremental").clock.n_astray == 0
    assert company.missed() == set()


def test_answers_without_a_date_or_with_an_odd_one_are_dated_by_this_machines_clock(company: Company) -> None:
    company.sync()
    company.wait(5 * HOUR)
    record = company.sync(lambda _: None)
    assert (record.clock.n_dated, record.clock.is_believed) == (0, True)
    company.wait(5 * HOUR)
    record = company.sync(lambda i: None if i % 2 else timedelta(0))
    assert record.clock.n_dated > 0
    assert company.complaints() == []
    assert company.missed() == set()


@pytest.mark.slow
@settings(max_examples=5)
@given(
    st.lists(
        st.lists(st.sampled_from([None, 0, 0, 0, 1, -1, 48, -48, 2400, 87_600, -87_600]), min_size=1, max_size=5),
        min_size=2,
        max_size=3,
    )
)
def test_whatever_dates_come_nothing_lies_in_the_future_and_nothing_is_missed(
    tmp_path_factory: pytest.TempPathFactory, hours: list[list[int | None]]
) -> None:
    with (
        pytest.MonkeyPatch.context() as patched,
        _company("join", tmp_path_factory.mktemp("dates"), patched, START) as company,
    ):
        for these in hours:
            company.wait(9 * HOUR)
            company.sync(lambda i, t=these: None if t[i % len(t)] is None else t[i % len(t)] * HOUR)
            assert company.complaints(margin=HOUR + MARGIN) == []
            listed = company.observed().newest.feeds["applications"].listed_since
            assert listed is not None
            assert listed <= company.observed().newest.started_at
        company.wait(9 * HOUR)
        company.sync()
        assert company.missed() == set()


# A lake that an older release left in the future


def believing(patched: pytest.MonkeyPatch) -> None:
    """Sync as releases did that believed whatever date came, and took a last sync in the future for the truth."""
    patched.setattr(server_clock, "MOST_SKEW", 100_000 * DAY)
    patched.setattr(clocks, "lies_ahead", lambda *_: False)
    patched.setattr(clocks, "is_set_back", lambda *_: False)


@cases([("join", 100 * DAY)], (2 * DAY, 100 * DAY, 3650 * DAY))
def test_a_lake_in_the_future_is_put_right_by_the_next_sync(company: Company, error: timedelta) -> None:
    company.sync()
    spoiled = []
    with pytest.MonkeyPatch.context() as patched:
        believing(patched)
        for off in (error, timedelta(0), timedelta(0)):
            company.wait(20 * HOUR)
            spoiled.append(company.sync(lambda _, o=off: o, mode="full"))
    assert all(record.as_of > company.account.now + DAY for record in spoiled)
    assert company.complaints() != []
    gone = _people(company, company.account.world.company.n_applications // 3)
    assert gone
    company.wait(20 * HOUR)

    record = company.sync(mode="incremental")

    assert record.mode == "full"
    assert record.started_at <= company.account.now
    assert record.as_of <= company.account.now + MARGIN
    assert company.complaints() == []
    assert company.missed() == set()
    told = [r for r in company.observed().records if r.told_at is not None]
    assert [r.sync_id for r in told] == [r.sync_id for r in spoiled]
    # the first one says itself how wrong its clock was
    assert abs(told[0].started_at - (spoiled[0].started_at - error)) < MARGIN
    _replays(company)

    company.wait(HOUR)
    assert company.sync().mode == "incremental"
    assert company.complaints() == []

    for _ in range(3):
        company.wait(8 * DAY)
        company.sync(mode="full")
    assert company.complaints() == []
    there = str([row["email_addresses"] for row in company.observed().current("candidates")])
    erased = [mail for mail in gone if mail not in there]  # Kombo may keep a person without an application
    assert erased or company.source == "kombo"
    assert [mail for mail in erased if _holds(company, mail)] == []


def _people(company: Company, n: int) -> list[str]:
    """Let so many applications be erased at the source. Returns what nobody may find any more."""
    rows = company.observed().current("applications")
    keys = sorted({int(row["remote_id"]) for row in rows}, reverse=True)
    there = {row["id"]: row for row in company.observed().current("candidates")}
    hidden = keys[: min(n, len(keys) // 6)]
    company.account.world.state.hide(hidden)
    of = {int(row["remote_id"]): row["candidate_id"] for row in rows}
    others = {of[key] for key in keys if key not in hidden}
    mails = [json.dumps(there[of[key]]["email_addresses"], default=str) for key in hidden if of[key] not in others]
    return [mail.split('"email_address": "')[1].split('"')[0] for mail in mails if "email_address" in mail]


def _holds(company: Company, text: str) -> bool:
    """Whether a file of the lake has this text."""
    return any(text in str(pq.read_table(path).to_pylist()) for path in company.settings().lake.rglob("*.parquet"))


def _replays(company: Company) -> None:
    with locked(company.settings().home):
        lake = open_lake(company.settings().lake)
        before = company.observed()
        replayed = replay(company.settings(), lake)
    assert replayed.n_syncs > 2
    assert replayed.n_different == 0, [
        (name, one, other)
        for name in MODELS
        for key in before.versions(name)
        if (one := before.versions(name)[key]) != (other := company.observed().versions(name).get(key))
    ][:2]


def test_putting_right_that_is_cut_off_is_done_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.sync()
    with pytest.MonkeyPatch.context() as patched:
        believing(patched)
        for off in (100 * DAY, timedelta(0)):
            company.wait(5 * DAY)
            company.sync(lambda _, o=off: o, mode="full")
    company.wait(5 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(future, "write_anew", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            company.sync()
    assert company.sync().mode == "full"
    assert company.complaints() == []
    _replays(company)


def _cut_off(*_: object) -> None:
    raise KeyboardInterrupt


WHAT = ("as_of", "watermarks", "last_full", "started_at", "log")


@pytest.mark.parametrize(
    ("company", "quick"),
    [("join", WHAT[1:]), pytest.param("kombo", WHAT, marks=pytest.mark.slow)],
    indirect=["company"],
)
def test_one_instant_in_the_future_is_enough(company: Company, quick: tuple[str, ...]) -> None:
    company.sync()
    company.wait(2 * HOUR)
    company.sync(mode="full")
    company.wait(2 * HOUR)
    home, kept = company.settings().home, company.data / "kept"
    shutil.copytree(home, kept)
    for what in quick:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        _spoil(company, what)
        assert company.sync(mode="incremental").mode == "full", what
        assert company.complaints() == [], what


def _spoil(company: Company, what: str) -> None:
    lake = open_lake(company.settings().lake)
    record = lake.newest()
    assert record is not None
    assert record.last_full is not None
    ahead = company.account.now + 500 * DAY
    if what in ("as_of", "started_at", "log"):
        record.as_of = record.finished_at = ahead
    if what in ("started_at", "log"):
        record.started_at = ahead - HOUR
    if what == "watermarks":
        for figures in record.feeds.values():
            figures.listed_since = ahead
    if what == "last_full":
        record.last_full.started_at = ahead
    lake.commit(record)
    if what == "log":  # the sync before lies ahead, too, and is folded
        first = lake.records()[0]
        first.started_at, first.as_of, first.finished_at = (ahead - 2 * HOUR,) * 3
        lake.commit(first)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("join_pipeline.lake.lake.MOST_RECORDS", 1)
            patched.setattr("join_pipeline.lake.lake.KEPT_RECORDS", 1)
            lake.fold_records()


# This machine's clock


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Company]:
    """A company whose clock shows the real time and is not simulated: then this machine's clock is this machine's."""
    monkeypatch.setattr(server, "SIMULATED", "x-nothing")
    now = datetime.now(UTC)
    with _company("join", tmp_path, monkeypatch, now) as one:
        yield one


@contextmanager
def machine(company: Company, off: timedelta) -> Iterator[None]:
    """This machine's clock is so far off the company's."""
    defaults = (time.monotonic, lambda: company.account.now.timestamp() + off.total_seconds())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ServerClock.__init__, "__defaults__", defaults)
        yield


@pytest.mark.parametrize("back", [2 * HOUR, YEAR])
def test_a_machine_whose_clock_was_set_back_before_the_last_sync_does_not_sync(real: Company, back: timedelta) -> None:
    with machine(real, timedelta(0)):
        real.sync()
    before = {path: path.read_bytes() for path in real.settings().lake.rglob("*") if path.is_file()}
    real.wait(HOUR / 2)
    with machine(real, -back):
        with pytest.raises(ClockError, match=r"This machine's clock says .* the last sync began at .* JOIN say"):
            real.sync()
        with pytest.raises(ClockError, match="have no date"):
            real.sync(lambda _: None)
    assert {path: path.read_bytes() for path in real.settings().lake.rglob("*") if path.is_file()} == before
    with machine(real, timedelta(0)):
        assert real.sync().mode == "incremental"
    assert real.complaints() == []


@pytest.mark.parametrize(
    "off", [YEAR, *(pytest.param(off, marks=pytest.mark.slow) for off in (-2 * HOUR, -HOUR / 2, HOUR / 2, 3 * HOUR))]
)
def test_a_machine_whose_clock_is_wrong_misses_nothing_and_is_put_right(real: Company, off: timedelta) -> None:
    with machine(real, timedelta(0)):
        real.sync()
    n_raw = len(real.observed().newest.files.raw["applications"])
    for _ in range(2):
        real.wait(9 * HOUR)
        with machine(real, off):
            record = real.sync(mode="incremental")
        assert record.clock.is_believed == (abs(off) <= HOUR)
        assert record.clock.suspect == ("" if abs(off) <= HOUR else "machine")
    assert len(real.observed().newest.files.raw["applications"]) > n_raw  # raw is not taken for a year old
    real.wait(9 * HOUR)
    with machine(real, timedelta(0)):
        record = real.sync(mode="incremental")
        assert record.mode == ("full" if off > HOUR else "incremental")
        assert real.complaints() == []
        assert real.missed() == set()


def test_the_doctor_tells_of_a_last_sync_in_the_future(real: Company) -> None:
    with machine(real, timedelta(0)):
        real.sync()
    lake = open_lake(real.settings().lake)
    record = lake.newest()
    assert record is not None
    found = {one.check: one for one in examine_machine(open_source(real.settings()), real.settings())}
    assert found["lake"].is_ok
    record.as_of = datetime.now(UTC) + 2 * DAY
    lake.commit(record)
    found = {one.check: one for one in examine_machine(open_source(real.settings()), real.settings())}
    assert "later than now" in found["lake"].message
