"""A machine dies at an operation on the bucket: the next one, itself or another, goes on as if nothing had been."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from join_pipeline import pipeline
from join_pipeline.bucket import lease, store, writing
from join_pipeline.bucket.store import UnsureError
from join_pipeline.checks.lake import LakeCheck
from join_pipeline.errors import PipelineError
from join_pipeline.lake.lake import open_lake
from join_pipeline.people import commands
from join_pipeline.settings import Settings
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.bucket.test_erasure import build, found
from join_pipeline_tests.privacy.canaries import Join
from join_pipeline_tests.privacy.people import company, somebody

OPERATIONS = ("get", "_put", "send", "delete", "names")
EVERY = 12
"""One in so many operations is played; the slow tests begin at other ones."""
PARTS = [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 6, 9))]


class Died(BaseException):
    """The process is gone: nothing may handle it."""


@pytest.fixture(scope="module")
def api() -> Iterator[Join]:
    with company(8) as api:
        yield api


@pytest.fixture(autouse=True)
def dead_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who still holds the lease is always dead."""
    monkeypatch.setattr(lease, "GRAIN", -2 * lease.TTL)


class Fate:
    """What becomes of an operation: from the one of this number on, the process is dead, or one answer is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, loses: bool = False) -> None:
        self.n, self.at, self.loses = 0, at, loses
        real = {name: getattr(store.Bucket, name) for name in OPERATIONS}
        release = lease.Lease.release

        def stepping(name: str) -> object:
            def step(*arguments: object, **named: object) -> object:
                self.n += 1
                if not self.loses and self.n >= self.at:
                    raise Died
                answer = real[name](*arguments, **named)
                if self.loses and self.n == self.at:
                    raise UnsureError("The bucket did not answer.")
                return answer

            return step

        def released(*arguments: object, **named: object) -> None:
            if self.loses or self.n < self.at:
                release(*arguments, **named)  # type: ignore[arg-type]

        for name in OPERATIONS:
            monkeypatch.setattr(store.Bucket, name, stepping(name))
        monkeypatch.setattr(lease.Lease, "release", released)


class World:
    """A bucket after a first sync, that can be had again and again; machines with empty disks, but for the first."""

    def __init__(self, api: Join, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.folder, self.monkeypatch = api, folder, monkeypatch
        self.n = 0
        self.place = self.new({})
        pipeline.sync(self.machine("a"), "full", ())
        self.kept = self.place.objects()

    def new(self, objects: dict[str, bytes]) -> Place:
        """The next bucket, with these objects."""
        self.n += 1
        url, kept = f"s3://memory/{self.n}", MemoryStore()
        self.monkeypatch.setitem(store._OPENED, url, kept)
        self.place = Place(url, store.open_bucket(url))
        for name, content in objects.items():
            self.place.bucket.put(name, content)
        return self.place

    def again(self) -> Place:
        """Another bucket as it was after the first sync."""
        return self.new(self.kept)

    def machine(self, name: str) -> Settings:
        return self.place.settings(self.api.url, self.folder / f"{self.n}" / name / "data")


@pytest.fixture
def world(api: Join, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(api, tmp_path, monkeypatch)


def n_operations(world: World) -> int:
    """How many operations a sync takes on a machine that has no copy yet."""
    world.again()
    with pytest.MonkeyPatch.context() as patched:
        fate = Fate(patched, at=10**9)
        pipeline.sync(world.machine("a"), "full", ())
    return fate.n


def is_sound(settings: Settings) -> bool:
    with writing.writing(settings):
        check = LakeCheck(open_lake(settings.lake), settings.builds, settings.memory_limit)
        return {finding.verdict for finding in check.findings()} == {"ok"}


def check_after(world: World, at: int, *, loses: bool) -> int:
    """Play a sync that meets its fate, then another one; returns how many syncs there are."""
    world.again()
    a, b = world.machine("a"), world.machine("b")
    with pytest.MonkeyPatch.context() as patched:
        Fate(patched, at, loses=loses)
        with contextlib.suppress(Died, PipelineError):
            pipeline.sync(a, "full", ())
    n_before = len(world.place.newest().files)
    record = pipeline.sync(a if at % 2 else b, "full", ()).record
    assert record.verdict == "committed"
    assert n_before <= len(world.place.newest().files)
    assert world.place.data() == world.place.reachable(), f"operation {at} leaves objects that nothing lists"
    one = b if at % 2 else a
    assert is_sound(one)
    n_syncs = len(open_lake(one.lake).records())
    assert n_syncs in {2, 3}
    return n_syncs


@pytest.mark.parametrize("loses", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_a_sync_that_dies_or_loses_an_answer_at_any_operation_is_made_good(
    world: World, part: int, *, loses: bool
) -> None:
    n = n_operations(world)
    assert n > EVERY
    seen = {check_after(world, at, loses=loses) for at in range(1 + part, n + 1, EVERY)}
    assert seen <= {2, 3}
    if part == 0:
        assert 2 in seen, "some of them before the commit"


@pytest.mark.parametrize("part", PARTS)
def test_an_erasure_that_dies_at_any_operation_is_carried_out_by_another_machine(world: World, part: int) -> None:
    person = somebody(_machine_with_all(world))
    world.again()
    with pytest.MonkeyPatch.context() as patched:
        fate = Fate(patched, at=10**9)
        commands.erase_person(world.machine("a"), [person.address], pipeline.feeds_of, build)
    for at in range(1 + part, fate.n + 1, 3 * EVERY):
        world.again()
        a, b = world.machine("a"), world.machine("b")
        with pytest.MonkeyPatch.context() as patched:
            Fate(patched, at)
            with contextlib.suppress(Died):
                commands.erase_person(a, [person.address], pipeline.feeds_of, build)
        with writing.writing(b):
            pass
        has_begun = bool(found(world.place, person.pattern)) and (b.home / "people" / "pending.json").exists()
        is_done = (b.home / "erasures.jsonl").exists() and '"erase"' in (b.home / "erasures.jsonl").read_text()
        pipeline.sync(b, "full", ())
        build(b)
        if has_begun or is_done:
            assert found(world.place, person.pattern) == set(), at
            assert is_sound(b)
        else:
            assert found(world.place, person.pattern), "an erasure that was not begun is asked for again"


def _machine_with_all(world: World) -> Settings:
    world.again()
    settings = world.machine("a")
    pipeline.load(settings)
    return settings
