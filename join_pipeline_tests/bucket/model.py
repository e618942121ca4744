"""A bucket in memory whose every operation can be paused, die, or lose its answer; and writers that take turns on it.

Belongs here: the bucket, the turns, a writer as `writing` orders its steps. Not here: what must hold (test_log).
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from join_pipeline.bucket.lease import Lease
from join_pipeline.bucket.log import Entry, Log, OutrunError, Slot, objects_of
from join_pipeline.bucket.store import Found, Objects, StaleError, TakenError, UnsureError
from join_pipeline.bucket.writing import DATA, _number
from join_pipeline.errors import LockedError

TTL = 60.0
NEWEST = "lake/newest"
"""A file that each commit replaces."""


class DiedError(BaseException):
    """The writer's process was killed."""


@dataclass
class MemoryBucket:
    """Objects with tags and times, as a server keeps them. `before` is called before each operation of a writer.

    It may pause, raise `DiedError`, or say what becomes of the operation: `lose` its answer, or `delay` it, so that the
    answer is lost and the operation is done at `land`, however much later.
    """

    before: Callable[[str, str], str] = lambda _operation, _name: "go"
    objects: dict[str, Found] = field(default_factory=dict)
    seconds: float = 0.0
    n_tags: int = 0
    events: list[tuple[str, str]] = field(default_factory=list)
    """In their order: who has got the lease, and whose commit is in the log."""
    _late: list[Callable[[], str]] = field(default_factory=list)

    def land(self) -> None:
        """Do what was delayed."""
        late, self._late = self._late, []
        for do in late:
            with contextlib.suppress(TakenError, StaleError):
                do()

    def _do(self, operation: str, name: str, do: Callable[[], str]) -> str:
        verdict = self.before(operation, name)
        if verdict == "delay":
            self._late.append(do)
            raise UnsureError(name)
        tag = do()
        if verdict == "lose":
            raise UnsureError(name)
        return tag

    def _write(self, name: str, content: bytes) -> str:
        self.n_tags += 1
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)
        self.objects[name] = Found(content, f"tag-{self.n_tags}", now.replace(microsecond=0))
        if name.startswith("log/") and b'"kind":"commit"' in content:
            self.events.append(("commit", msgspec.json.decode(content)["writer"]))
        return f"tag-{self.n_tags}"

    def get(self, name: str) -> Found | None:
        self.before("get", name)
        return self.objects.get(name)

    def create(self, name: str, content: bytes) -> str:
        def do() -> str:
            if name in self.objects:
                raise TakenError(name)
            return self._write(name, content)

        return self._do("create", name, do)

    def replace(self, name: str, content: bytes, tag: str) -> str:
        def do() -> str:
            if name not in self.objects or self.objects[name].tag != tag:
                raise StaleError(name)
            return self._write(name, content)

        return self._do("replace", name, do)

    def put(self, name: str, content: bytes) -> None:
        self._do("put", name, lambda: self._write(name, content))

    def send(self, name: str, content: Path | bytes | Iterable[bytes]) -> None:
        assert isinstance(content, bytes)
        self.put(name, content)

    def stream(self, name: str) -> Iterator[bytes] | None:
        found = self.get(name)
        return None if found is None else iter([found.content])

    def delete(self, names: list[str]) -> None:
        for name in names:
            self._do("delete", name, lambda name=name: str(self.objects.pop(name, "")))  # type: ignore[misc]

    def names(self, folder: str) -> list[str]:
        self.before("names", folder)
        return [name for name in self.objects if name.startswith(folder)]


@dataclass
class Told:
    """What a writer told its user: the commits that were acknowledged, and how it ended."""

    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    ended: str = ""


def write(bucket: Objects, name: str, told: Told, n_commits: int = 2) -> None:
    """One command: take the lease, commit some times, give it back. Each commit adds a file and replaces another."""
    model = bucket if isinstance(bucket, MemoryBucket) else MemoryBucket()
    lease = Lease(bucket, Log(bucket), TTL, who=name, nonce=name, monotonic=lambda: model.seconds)
    is_sure = True
    try:
        slot = lease.take()
        model.events.append(("taken", name))
        if lease.has_fenced:
            is_sure = tidy(bucket, slot)
        for turn in range(n_commits):
            is_sure = False
            number, folder = slot.slot + 1, f"{DATA}{slot.slot + 1:012d}-{name}"
            kept = {path: entry for path, entry in slot.files.items() if path != NEWEST}
            files = dict(kept)
            for path in (f"lake/{name}-{turn}", NEWEST):
                bucket.send(f"{folder}/{path}", name.encode())
                files[path] = Entry(f"{folder}/{path}", 1, name)
            lease.check()
            before, slot = slot, Slot(slot=number, writer=name, files=files)
            try:
                lease.log.put(slot)
            except OutrunError:
                lease.is_lost = True
                bucket.delete(sorted(objects_of(files) - objects_of(kept)))
                raise
            told.acknowledged.append((number, f"lake/{name}-{turn}"))
            bucket.delete(sorted(objects_of(before.files) - objects_of(files)))
            lease.note(number, lease.log.tidy(number, lease.emptied))
            is_sure = True
        told.ended = "done"
    except LockedError:
        told.ended = "locked"
    except (OutrunError, UnsureError) as error:
        told.ended = type(error).__name__
    finally:
        lease_error = None
        try:
            lease.release(is_sure=is_sure)
        except LockedError as error:
            lease_error = error
        told.ended += " and lost" if lease_error else ""


def tidy(bucket: Objects, newest: Slot) -> bool:
    listed = objects_of(newest.files)
    bucket.delete([name for name in bucket.names(DATA) if name not in listed and _number(name) <= newest.slot])
    return True


@dataclass
class Turns:
    """Lets writers, each in a thread, take turns: at each operation a writer waits until it is its turn.

    `choose` gets the names of the writers that wait and says whose turn it is, and what happens to its operation:
    `go`, `lose`, `delay` or `die`.
    """

    choose: Callable[[list[str]], tuple[str, str]]
    _waiting: dict[str, threading.Event] = field(default_factory=dict)
    _verdict: dict[str, str] = field(default_factory=dict)
    _arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def play(self, writers: dict[str, Callable[[], None]]) -> None:
        """Play all writers to their ends."""
        threads = []
        for name, run in writers.items():

            def body(name: str = name, run: Callable[[], None] = run) -> None:
                try:
                    self.wait(name)
                    run()
                except DiedError:
                    pass
                finally:
                    self._waiting.pop(name, None)
                    self._arrived.release()

            threads.append(threading.Thread(target=body, name=name, daemon=True))
        for thread in threads:
            thread.start()
            self._arrived.acquire()
        while self._waiting:
            name, verdict = self.choose(sorted(self._waiting))
            self._verdict[name] = verdict
            self._waiting[name].set()
            self._arrived.acquire()
        for thread in threads:
            thread.join()

    def wait(self, name: str) -> str:
        """Wait for this writer's turn. Returns what becomes of its operation."""
        event = self._waiting[name] = threading.Event()
        self._arrived.release()
        event.wait()
        if self._verdict[name] == "die":
            raise DiedError
        return self._verdict[name]
