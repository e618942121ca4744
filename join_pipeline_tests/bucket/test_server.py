"""A lake on a server that speaks S3, by commands as a user types them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from join_pipeline.bucket import store
from join_pipeline.bucket.lease import Lease
from join_pipeline.bucket.log import Log
from join_pipeline.errors import LockedError, SettingsError
from join_pipeline_tests.bucket.model import NEWEST, Told, write
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.cli.commands import PATIENCE, Shell, is_good, is_told, tables
from join_pipeline_tests.cli.companies import company


def machine(place: Place, data: Path, url: str | None = None, **changes: str) -> Shell:
    """A machine's shell: the bucket is what it has in common with others."""
    return Shell(url or company(), data, {**place.environment, "JOIN_PIPELINE_LAKE": place.url, **changes})


def test_the_server_keeps_its_word_and_leases_are_told_by_its_clock(served: Place) -> None:
    objects = served.bucket.below("acme")
    store.probe(objects, "probe/one")
    first, second = (Lease(objects, Log(objects), 1.0, who=f"machine {n}", nonce=str(n)) for n in (1, 2))
    assert first.take().slot == 1
    with pytest.raises(LockedError, match="machine 1"):
        second.take()
    time.sleep(3.1)
    assert second.take().kind == "barrier"
    with pytest.raises(LockedError, match="taken over"):
        first.renew()
    assert first.log.newest().slot == 2
    second.release()


def test_writers_on_the_server_follow_each_other(served: Place) -> None:
    for name in ("anna", "ben", "carl"):
        told = Told()
        write(served.bucket.below("acme"), name, told)
        assert told.ended == "done"
    newest = served.newest("acme")
    assert (newest.slot, set(newest.files)) == (
        7,
        {f"lake/{n}-{i}" for n in ("anna", "ben", "carl") for i in (0, 1)} | {NEWEST},
    )
    assert served.data("acme") == served.reachable("acme")
    assert [slot.kind for n in range(1, 8) if (slot := Log(served.bucket.below("acme")).read(n))][:5] == ["emptied"] * 5


@pytest.mark.parametrize("n_bytes", [0, 1, store.PART + 1, store.PIECE, 2 * store.PIECE + 3])
def test_large_objects_come_back_as_they_were_sent(served: Place, n_bytes: int, tmp_path: Path) -> None:
    content = os.urandom(n_bytes)
    path = tmp_path / "file"
    path.write_bytes(content)
    pieces = [content[start : start + store.CHUNK] for start in range(0, n_bytes, store.CHUNK)]
    for name, sent in (("path", path), ("bytes", content), ("pieces", iter(pieces))):
        served.bucket.send(name, sent)
        assert b"".join(served.bucket.stream(name) or ()) == content, name
    assert served.bucket.stream("none") is None
    assert sorted(served.bucket.names("")) == ["bytes", "path", "pieces"]
    served.bucket.delete(["bytes", "path", "none", "pieces"])
    assert served.bucket.names("") == []


def test_a_server_that_ignores_conditions_is_refused(served: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = served.bucket.below("acme")
    put = store.Bucket._put
    for ignored in ("create", "replace"):

        def careless(bucket: store.Bucket, name: str, content: bytes, mode: object, ignored: str = ignored) -> str:
            return put(bucket, name, content, "overwrite" if (mode == "create") == (ignored == "create") else mode)

        monkeypatch.setattr(store.Bucket, "_put", careless)
        with pytest.raises(SettingsError, match="lets a put take the place"):
            store.probe(objects, f"probe/{ignored}")
        monkeypatch.setattr(store.Bucket, "_put", put)
    assert served.bucket.names("acme/probe") == []


def test_a_sync_on_one_machine_is_built_on_another_and_is_as_on_a_disk(served: Place, tmp_path: Path) -> None:
    a, b, disk = machine(served, tmp_path / "a"), machine(served, tmp_path / "b"), Shell(company(), tmp_path / "disk")
    is_good(a("sync"))
    is_good(disk("sync"))
    assert tables(b) == tables(disk)
    found = b("status", "--json").document
    assert (found["bucket"], found["n_syncs"]) == (served.url, 1)
    doctor = {one["check"]: one for one in b("doctor", "--json").document}
    assert doctor["bucket"]["verdict"] == "ok", doctor["bucket"]
    assert "keeps its word" in doctor["bucket"]["message"]
    assert is_sound(b)
    is_good(b("sync"))
    assert a("status", "--json").document["n_syncs"] == 2


def is_sound(shell: Shell) -> bool:
    return {one["verdict"] for one in shell("doctor", "--lake", "--json").document} == {"ok"}


def test_what_is_wrong_with_a_bucket_is_told_in_words(served: Place, tmp_path: Path) -> None:
    for changes, words in (
        ({"JOIN_PIPELINE_LAKE": "s3://lake/../x"}, "needs s3://"),
        ({"JOIN_PIPELINE_LAKE": "ftp://lake"}, "needs s3://"),
        ({"JOIN_PIPELINE_LAKE_KEY": "short"}, "at least 32 characters"),
        ({"JOIN_PIPELINE_PSEUDONYM_KEY": ""}, "PSEUDONYM_KEY"),
    ):
        ended = machine(served, tmp_path / "data", **changes)("sync")
        is_told(ended, 2, words)


KILLED = """
import os, signal, sys
from join_pipeline.bucket import store, writing
from join_pipeline import cli
writing.ttl_seconds = 1.5
at, is_done_first, n_changes = int(sys.argv[1]), sys.argv[2] == "after", 0
sys.argv = ["join-pipeline", *sys.argv[3:]]

def counted(method):
    def change(*arguments, **options):
        global n_changes
        n_changes += 1
        is_last = n_changes == at
        if is_last and not is_done_first:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = method(*arguments, **options)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return change

for name in ("_put", "send", "delete"):
    setattr(store.Bucket, name, counted(getattr(store.Bucket, name)))
cli.main()
"""


def changing(shell: Shell, at: int, when: str = "before") -> "subprocess.CompletedProcess[str]":
    """A sync whose process is killed before or after its nth change of the bucket; 0 leaves it alone."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(at), when, "sync", "--mode", "full"], env=shell.environment,
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


@pytest.mark.slow  # test_mirror cuts a command off in this process
def test_a_machine_that_is_killed_at_any_instant_is_followed_by_another(served: Place, tmp_path: Path) -> None:
    a, b = machine(served, tmp_path / "a"), machine(served, tmp_path / "b")
    disk = Shell(company(), tmp_path / "disk")
    is_good(disk("sync"))
    n_killed = 0
    for n, at in enumerate((1, 2, 3, 5, 8, 13, 21)):
        ended = changing(a, at, "before" if n % 2 else "after")
        assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
        n_killed += ended.returncode == -signal.SIGKILL
        time.sleep(4)  # a lease that was not renewed for so long is ended
    assert n_killed >= 5
    ended = changing(b, 0)
    assert ended.returncode == 0, ended.stderr
    assert tables(b) == tables(disk)
    assert served.data() == served.reachable()
