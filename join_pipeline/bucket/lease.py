"""The lease of a connection: which machine may write to its bucket now.

    lease.json      who holds it, changed only on the version that was read; it is renewed while a command works
    clock           put anew whenever the server's time is asked for

A lease says who works, so that two commands do not work for nothing. It does not keep a paused one from writing: the
log does (log). Whether a holder is dead is told by the server's times alone, never by the clocks of two machines.
Belongs here: taking, renewing and giving back the lease, the fence. Not here: waiting for it (lake.patience).
"""

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline.bucket.log import Log, OutrunError, Slot
from join_pipeline.bucket.store import Objects, StaleError, TakenError, UnsureError, probe
from join_pipeline.errors import DamagedError, LockedError, PipelineError
from join_pipeline.lake.integrity import check_seal, sealed

NAME: Final = "lease.json"
CLOCK: Final = "clock"
TTL: Final = 60.0
"""Seconds after the last sign of life from which a holder counts as dead."""
GRAIN: Final = 1.0
"""Servers tell times in whole seconds."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What lease.json says. `nonce` is a random word of the holder, and `count` makes each version another one.

    `slot` is a slot that is in the log. `is_fenced` is false while a writer before the holder may still put a slot.
    `emptied` is the last slot that is empty.
    """

    nonce: str
    who: str
    count: int
    slot: int = 0
    emptied: int = 0
    is_fenced: bool = True
    is_released: bool = False


def myself() -> str:
    """This process, in words for a message on another machine."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@dataclass(slots=True)
class Lease:
    """The lease of one connection, of one command."""

    objects: Objects
    log: Log
    ttl: float = TTL
    who: str = field(default_factory=myself)
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    monotonic: Callable[[], float] = time.monotonic
    is_lost: bool = False
    has_fenced: bool = False
    _held: Held | None = None
    _tag: str = ""
    _seen: tuple[str, float, float] = ("", 0.0, 0.0)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Slot:
        """Take the lease and return the newest slot. Raises `LockedError` if a command that is alive holds it.

        When this returns, no command before it can put a slot any more.
        """
        found = self.objects.get(NAME)
        if found is None:
            probe(self.objects, f"probe/{self.nonce}")
            self._begin(Held(nonce=self.nonce, who=self.who, count=1, is_fenced=False), None)
        else:
            held = _decoded(found.content)
            if not held.is_released and held.nonce != self.nonce and self._age(found.tag, found.at) <= self.ttl + GRAIN:
                raise self._locked(held)
            mine = msgspec.structs.replace(
                held, nonce=self.nonce, who=self.who, count=held.count + 1, is_released=False,
                is_fenced=held.is_fenced and held.is_released,
            )  # fmt: skip
            self._begin(mine, found.tag)
        return self._fence()

    def _begin(self, mine: Held, tag: str | None) -> None:
        content = _encoded(mine)
        try:
            new = self.objects.create(NAME, content) if tag is None else self.objects.replace(NAME, content, tag)
        except (TakenError, StaleError, UnsureError) as error:  # the answer may be lost: then it is ours
            found = self.objects.get(NAME)
            held = _decoded(found.content) if found else None
            if found is None or held is None or held.nonce != self.nonce:
                if isinstance(error, UnsureError):
                    raise
                raise self._locked(held) from None
            new = found.tag
        self._held, self._tag = mine, new

    def _fence(self) -> Slot:
        """Find the newest slot. If a paused command may follow on it, put the next one in its place."""
        held = self._mine
        newest = self.log.newest(held.slot)
        while not held.is_fenced:
            barrier = Slot(slot=newest.slot + 1, writer=self.nonce, kind="barrier", key=newest.key, files=newest.files)
            try:
                self.log.put(barrier)
            except OutrunError:
                self.renew()  # it may be one that took over from this command
                newest = self.log.newest(newest.slot)
                continue
            newest, self.has_fenced = barrier, True
            break
        self._note(slot=newest.slot, is_fenced=True)
        return newest

    def renew(self) -> None:
        """Give a sign of life. If somebody else has the lease, it is lost."""
        self._note()

    def note(self, slot: int, emptied: int) -> None:
        """Note the newest slot, for who comes next."""
        self._note(slot=slot, emptied=emptied)

    @property
    def emptied(self) -> int:
        """The last slot that is empty."""
        return self._mine.emptied

    def release(self, *, is_sure: bool = True) -> None:
        """Give the lease back. If it is not sure whether a slot was put, who comes next puts a fence."""
        if self._held is not None and not self.is_lost:
            with contextlib.suppress(UnsureError):  # it ends by itself
                self._note(is_released=True, is_fenced=self._mine.is_fenced and is_sure)
        self._held = None

    def check(self) -> None:
        """Raise `LockedError` if the lease is lost."""
        if self.is_lost:
            raise LockedError(LOST)

    @contextlib.contextmanager
    def renewed(self) -> Iterator[None]:
        """Give signs of life while the block runs."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self.ttl / 3):
                with contextlib.suppress(PipelineError):  # the next one may arrive; the fence holds if none does
                    self.renew()
                if self.is_lost:
                    return

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @property
    def _mine(self) -> Held:
        if self._held is None:
            raise LockedError(LOST)
        return self._held

    def _note(self, **changes: object) -> None:
        with self._turn:
            if self.is_lost:
                raise LockedError(LOST)
            new = msgspec.structs.replace(self._mine, count=self._mine.count + 1, **changes)
            try:
                tag = self.objects.replace(NAME, _encoded(new), self._tag)
            except StaleError:
                tag = self._again(new)
            self._held, self._tag = new, tag

    def _again(self, new: Held) -> str:
        """Put after the tag was stale. After a put whose answer was lost it is, too, and the lease is still ours."""
        found = self.objects.get(NAME)
        if found is not None and _decoded(found.content).nonce == self.nonce:
            with contextlib.suppress(StaleError):
                return self.objects.replace(NAME, _encoded(new), found.tag)
        self.is_lost = True
        raise LockedError(LOST)

    def _age(self, tag: str, at: datetime) -> float:
        """Seconds since the lease was put, by the server's times. The server is asked once for each version."""
        known, age, since = self._seen
        if known != tag:
            self.objects.put(CLOCK, secrets.token_bytes(8))
            now = self.objects.get(CLOCK)
            age, since = (now.at - at).total_seconds() if now else 0.0, self.monotonic()
            self._seen = (tag, age, since)
        return age + self.monotonic() - since

    def _locked(self, held: Held | None) -> LockedError:
        who = held.who if held else "another machine"
        return LockedError(
            f"Another command works on this connection's lake in the bucket ({who}). Wait until it ends, then run it "
            f"again. If it has died, its lease ends after {self.ttl:.0f} seconds.",
            who,
        )


def hint_of(objects: Objects) -> int:
    """A slot that is in the log, for who only reads; 0 if none is noted."""
    found = objects.get(NAME)
    return _decoded(found.content).slot if found else 0


LOST: Final = (
    "Another machine has taken over this connection's lake in the bucket, because this command gave no sign of life "
    "for too long. Nothing was committed. Run it again."
)


def _encoded(held: Held) -> bytes:
    return sealed(msgspec.json.encode(held))


def _decoded(content: bytes) -> Held:
    check_seal(Path(NAME), content, is_required=True)
    try:
        return msgspec.json.decode(content, type=Held)
    except msgspec.MsgspecError:
        raise DamagedError("lease.json in the bucket can't be read. If no command works, delete it.") from None
