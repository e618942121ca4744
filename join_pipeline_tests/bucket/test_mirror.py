"""Two machines on one bucket: what one commits, the other has, and what one leaves half done, nobody has."""

import hashlib
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from join_pipeline import pipeline
from join_pipeline.bucket import lease, store, writing
from join_pipeline.bucket.lease import Lease
from join_pipeline.bucket.log import Entry, Log, Slot
from join_pipeline.bucket.mirror import STATE, Mirror
from join_pipeline.bucket.store import UnsureError
from join_pipeline.connections.status import read_status
from join_pipeline.connections.trigger import pending_trigger, set_trigger
from join_pipeline.errors import DamagedError, InputError, LakeError, LockedError, SettingsError
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.patience import waiting
from join_pipeline.people import commands
from join_pipeline.settings import Settings, load_settings, process_environment
from join_pipeline_tests.bucket.places import Place, mirrored
from join_pipeline_tests.privacy.canaries import Join
from join_pipeline_tests.privacy.people import company, settings_of, versions

Machine = Callable[..., Settings]


@pytest.fixture(scope="module")
def api() -> Iterator[Join]:
    with company() as api:
        yield api


@pytest.fixture
def machine(api: Join, memory: Place, tmp_path: Path) -> Machine:
    """Makes the settings of a machine by its name, with a data folder of its own."""
    return lambda name="a", **changes: memory.settings(api.url, tmp_path / name / "data", **changes)


def test_what_one_machine_commits_another_goes_on_with(
    machine: Machine, memory: Place, tmp_path: Path, api: Join
) -> None:
    a, b = machine("a"), machine("b")
    first = pipeline.sync(a, "full", ()).record
    second = pipeline.sync(b, "full", ()).record
    assert second.previous == first.sync_id
    pipeline.load(b)
    third = pipeline.sync(a, "incremental", ()).record
    assert third.previous == second.sync_id
    assert set(memory.newest().files) == set(mirrored(a))
    assert memory.data() == memory.reachable()
    alone = settings_of(api.url, tmp_path / "alone")
    for mode in ("full", "full", "incremental"):
        pipeline.sync(alone, mode, ())  # type: ignore[arg-type]
    for model in ("applications", "candidates", "jobs"):
        columns = "* EXCLUDE (sync_id, observed_at, changed_at)"
        assert versions(open_lake(a.lake), model, columns) == versions(open_lake(alone.lake), model, columns)


def test_large_files_are_brought_when_they_are_read(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    pipeline.sync(a, "full", ())
    with writing.reading(b):
        pass
    stubs = {inside for inside, digest in mirrored(b).items() if digest == "stub"}
    assert {inside for inside in mirrored(b) if inside.startswith(("lake/raw/", "lake/models/"))} == stubs
    some = b.home / sorted(stubs)[0]
    assert (some.stat().st_size, some.stat().st_blocks) == ((a.home / sorted(stubs)[0]).stat().st_size, 0)
    with pytest.raises(LakeError, match="lies in the bucket only"):
        versions(open_lake(b.lake), "applications")
    pipeline.load(b)
    left = {inside for inside, digest in mirrored(b).items() if digest == "stub"}
    assert left == {inside for inside in stubs if inside.startswith("lake/raw/")}
    whole = mirrored(a)
    assert {one: digest for one, digest in mirrored(b).items() if digest != "stub"}.items() <= whole.items()
    assert all(stat.S_IMODE((b.home / one).stat().st_mode) == 0o600 for one in whole if one not in left)


def test_what_has_not_changed_is_neither_put_nor_brought_again(machine: Machine, memory: Place) -> None:
    a = machine("a")
    pipeline.sync(a, "full", ())
    pipeline.load(a)
    slot = memory.newest().slot
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store.Bucket, "send", lambda *_: pytest.fail("a file is put"))
        patched.setattr(store.Bucket, "stream", lambda *_: pytest.fail("a file is brought"))
        pipeline.load(a)
        assert read_status(a).n_syncs == 1
    assert memory.newest().slot == slot


def test_what_a_command_that_was_cut_off_left_is_thrown_away(machine: Machine, memory: Place, hasty: float) -> None:
    """The process is gone between its last file and the push, as by kill -9: the lease stays and nothing is put."""
    a, b = machine("a"), machine("b")
    pipeline.sync(a, "full", ())
    before, slot = mirrored(a), memory.newest()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing.Session, "push", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        patched.setattr(writing.Lease, "release", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            pipeline.sync(a, "full", ())
    assert mirrored(a) != before
    assert memory.newest() == slot
    with pytest.raises(LockedError, match=r"process \d+ on"):
        pipeline.load(b)
    time.sleep(hasty + 2.1)
    pipeline.load(b)
    after = memory.newest()
    assert (after.slot, after.kind, after.files) == (slot.slot + 1, "barrier", slot.files)
    pipeline.load(a)
    assert mirrored(a) == before
    assert memory.data() == memory.reachable()


def test_a_push_that_fails_fails_the_command_and_commits_nothing(
    machine: Machine, memory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = machine("a")
    pipeline.sync(a, "full", ())
    before, slot, objects = mirrored(a), memory.newest(), set(memory.objects())
    set_trigger(a.home)
    n_sent = 0

    def send(bucket: store.Bucket, name: str, content: object) -> None:
        nonlocal n_sent
        n_sent += 1
        if n_sent > 3:
            raise UnsureError("The bucket did not answer.")
        real(bucket, name, content)  # type: ignore[arg-type]

    real = store.Bucket.send
    with monkeypatch.context() as patched:
        patched.setattr(store.Bucket, "send", send)
        with pytest.raises(LakeError, match="Nothing was committed"):
            pipeline.sync(a, "full", ())
    assert memory.newest() == slot
    assert pending_trigger(a.home), "the webhook that asked for the sync still waits"
    assert set(memory.objects()) > objects, "files of the sync that failed"
    pipeline.load(a)
    assert mirrored(a) == before
    assert memory.data() == memory.reachable(), "the next command removes them"
    pipeline.sync(a, "full", ())
    assert pending_trigger(a.home) is None


def test_a_lease_that_is_lost_before_the_commit_commits_nothing_and_after_it_harms_nothing(
    machine: Machine, memory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = machine("a")
    pipeline.sync(a, "full", ())
    slot = memory.newest().slot
    real = Mirror.push

    def push(mirror: Mirror, *arguments: Any) -> Any:
        pushed = real(mirror, *arguments)
        taken = Lease(mirror.objects, Log(mirror.objects))
        taken.take()
        taken.release()
        writing._SESSIONS[a.home].lease.is_lost = True
        return pushed

    with monkeypatch.context() as patched:
        patched.setattr(lease, "GRAIN", -2 * lease.TTL)
        patched.setattr(Mirror, "push", push)
        with pytest.raises(LockedError, match="taken over"):
            pipeline.sync(a, "full", ())
    assert (memory.newest().slot, memory.newest().kind) == (slot + 1, "barrier")
    assert memory.data() == memory.reachable()
    with monkeypatch.context() as patched:
        patched.setattr(Lease, "note", lambda *_: (_ for _ in ()).throw(LockedError("lost")))
        pipeline.sync(a, "full", ())
    assert memory.newest().kind == "commit"
    assert pipeline.sync(machine("b"), "full", ()).record.previous is not None


def test_what_an_error_leaves_is_pushed_as_it_is_kept_on_a_disk(machine: Machine, memory: Place) -> None:
    a = machine("a")
    pipeline.sync(a, "full", ())
    with pytest.raises(InputError, match="nobody is known"):
        commands.erase_person(a, ["nobody-has-this-id"], pipeline.feeds_of, pipeline.load)
    assert '"person erase"' in memory.text_of("reads.jsonl")


def test_a_lake_on_this_disk_moves_into_an_empty_bucket(
    api: Join, machine: Machine, memory: Place, tmp_path: Path
) -> None:
    local = settings_of(api.url, tmp_path / "a" / "data")
    first = pipeline.sync(local, "full", ()).record
    second = pipeline.sync(machine("a"), "full", ()).record
    assert second.previous == first.sync_id
    assert pipeline.sync(machine("b"), "auto", ()).record.previous == second.sync_id


def test_a_lake_of_another_company_is_refused_and_nothing_is_changed(
    api: Join, machine: Machine, memory: Place, tmp_path: Path
) -> None:
    pipeline.sync(machine("a"), "full", ())
    other = settings_of(api.url, tmp_path / "b" / "data", integration_id="join:other")
    pipeline.sync(other, "full", ())
    before, slot = mirrored(other), memory.newest()
    with pytest.raises(SettingsError, match="two companies"):
        pipeline.sync(machine("b", integration_id="join:other"), "full", ())
    assert (mirrored(other), memory.newest()) == (before, slot)


def test_syncs_that_the_bucket_does_not_know_are_never_thrown_away(api: Join, machine: Machine, tmp_path: Path) -> None:
    pipeline.sync(machine("a"), "full", ())
    local = settings_of(api.url, tmp_path / "b" / "data")
    pipeline.sync(local, "full", ())
    with pytest.raises((LakeError, SettingsError)):
        pipeline.sync(machine("b"), "full", ())
    with pytest.raises(SettingsError, match="is a copy of s3://"):
        pipeline.sync(settings_of(api.url, tmp_path / "a" / "data"), "full", ())


def test_another_bucket_is_refused_while_files_lie_in_the_first_one_only(
    api: Join, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.sync(machine("a"), "full", ())
    with writing.reading(machine("b")):
        pass
    monkeypatch.setitem(store._OPENED, "s3://memory/second", MemoryStore())
    second = settings_of(api.url, tmp_path / "b" / "data", lake_url="s3://memory/second")
    with pytest.raises(LakeError, match="lie in another bucket only"):
        pipeline.load(second)


def test_a_damaged_and_a_lost_object_are_told(machine: Machine, memory: Place) -> None:
    pipeline.sync(machine("a"), "full", ())
    slot = memory.newest()
    (inside, *_) = [one for one in slot.files if one.startswith("lake/models/applications/")]
    name = f"join/{slot.files[inside].object}"
    content = memory.objects()[name]
    memory.bucket.put(name, content[:-1] + b"x")
    with pytest.raises(DamagedError, match="other content"):
        pipeline.load(machine("b"))
    memory.bucket.delete([name])
    with pytest.raises(DamagedError, match="missing"):
        pipeline.load(machine("b"))
    memory.bucket.put(name, content)
    pipeline.load(machine("b"))


@pytest.mark.parametrize(
    "inside",
    ["../x", "lake/../../x", "/etc/x", "lake//x", "lake", "builds/x", "lake/.x", "warehouse.duckdb", "people/\0"],
)
def test_a_commit_that_lists_a_file_elsewhere_is_refused(
    machine: Machine, memory: Place, tmp_path: Path, inside: str
) -> None:
    objects = memory.bucket.below("join")
    objects.send("data/x", b"x")
    forged = Slot(slot=1, writer="somebody", files={inside: Entry("data/x", 1, hashlib.sha256(b"x").hexdigest())})
    Log(objects).put(forged)
    with pytest.raises(DamagedError, match="no lake has"):
        pipeline.load(machine("a"))
    assert [path for path in tmp_path.rglob("x") if path.is_file()] == []


def test_a_step_of_a_run_waits_for_another_machine(machine: Machine, memory: Place) -> None:
    a, told, naps = machine("a"), list[str](), 0
    pipeline.sync(a, "full", ())
    objects = memory.bucket.below("join")
    other = Lease(objects, Log(objects), who="process 7 on elsewhere")
    other.take()

    def sleep(_seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 3:
            other.release()

    with waiting(told.append, sleep=sleep):
        pipeline.load(a)
    assert naps == 3
    assert "process 7 on elsewhere" in told[0]
    assert "is free after" in told[-1]
    other = Lease(objects, Log(objects), who="process 7 on elsewhere")
    other.take()
    with waiting(told.append, seconds=0, sleep=sleep), pytest.raises(LockedError, match="process 7 on elsewhere"):
        pipeline.load(a)


def test_without_a_key_of_pseudonyms_a_bucket_is_refused(machine: Machine) -> None:
    with pytest.raises(SettingsError, match="PSEUDONYM_KEY"):
        pipeline.sync(machine("a", pseudonym_key=None), "full", ())


def test_a_lost_bucket_json_costs_only_reading(machine: Machine, memory: Place) -> None:
    a = machine("a")
    pipeline.sync(a, "full", ())
    (a.home / STATE).unlink()
    before = mirrored(a)
    pipeline.load(a)
    assert (mirrored(a), (a.home / STATE).exists()) == (before, True)


def test_without_the_extra_the_command_says_what_to_install(
    api: Join, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(SettingsError, match=r"pip install 'join-pipeline\[s3\]'"):
        pipeline.sync(settings_of(api.url, tmp_path / "data", lake_url="s3://bucket/x"), "full", ())


def test_the_demo_and_a_program_that_says_so_use_no_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOIN_PIPELINE_LAKE", "s3://bucket/x")
    assert load_settings().lake_url == "s3://bucket/x"
    assert load_settings(lake_url=None).lake_url is None
    assert "JOIN_PIPELINE_LAKE" not in process_environment(load_settings(lake_url=None))
