"""Working on a connection's lake, on this machine's disk or in a bucket: the lock, and with a bucket the lease, too.

    local lock → lease → pull → (the command's work) → push: files, then the slot → tidy → lease given back

Belongs here: this order, and what is told and tidied when a step fails. Not here: each step (lease, log, mirror).
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from join_pipeline.bucket.encryption import Cipher, cipher_for
from join_pipeline.bucket.lease import LOST, TTL, Lease, hint_of
from join_pipeline.bucket.log import Entry, Log, OutrunError, Slot, objects_of
from join_pipeline.bucket.mirror import STATE, Mirror, erased_in, read_state
from join_pipeline.bucket.options import SHORTEST_KEY
from join_pipeline.bucket.published import publish
from join_pipeline.bucket.store import Bucket, Objects, UnsureError, open_bucket, probe
from join_pipeline.connections.listed import secret_in
from join_pipeline.errors import (
    DamagedError,
    LakeError,
    LockedError,
    PipelineError,
    SettingsError,
    pass_interruption,
)
from join_pipeline.lake.absent import bringing
from join_pipeline.lake.files import locked
from join_pipeline.lake.patience import patiently
from join_pipeline.settings import Settings

DATA: Final = "data/"
LISTED_EVERY: Final = 64
"""Every so many commits the bucket is listed for objects that a writer left which was cut off."""
NOT_COMMITTED: Final = "Nothing was committed: the bucket is as it was before."
ttl_seconds = TTL


@dataclass(slots=True)
class Session:
    """One command's work on a lake in a bucket."""

    settings: Settings
    root: Bucket
    lease: Lease
    mirror: Mirror
    is_sure: bool = True

    @property
    def objects(self) -> Objects:
        return self.mirror.objects

    def push(self) -> None:
        """Commit what is here now. If it is what the bucket has, nothing is put."""
        found, changed = self.mirror.changes()
        before = self.mirror.slot
        if changed or found.keys() != before.files.keys():
            self._commit(before, {inside: entry for inside, entry in found.items() if entry is not None}, changed)
        publish(self.settings, self.root, self.mirror)

    def _commit(self, before: Slot, kept: dict[str, Entry], changed: list[str]) -> None:
        number, self.is_sure = before.slot + 1, False
        folder = f"{DATA}{number:012d}-{self.lease.nonce}"
        try:
            self.lease.check()
            pushed = self.mirror.push(changed, folder)
            files = kept | pushed
            if self.lease.is_lost:
                self._drop(sorted(objects_of(pushed)))
            self.lease.check()
        except UnsureError as error:
            raise LakeError(f"{error} {NOT_COMMITTED}") from None
        cipher = self.mirror.cipher
        slot = Slot(slot=number, writer=self.lease.nonce, key=cipher.check if cipher else "", files=files)
        try:
            self.lease.log.put(slot)
        except OutrunError:
            self.lease.is_lost = True
            self._drop(sorted(objects_of(pushed)))
            raise LockedError(LOST) from None
        except UnsureError as error:
            raise LakeError(
                f"{error} It is not known whether this was committed. The next command finds out, and goes on."
            ) from None
        self.mirror.follow(slot)
        gone = objects_of(before.files) - objects_of(files)
        self.is_sure = self._drop(sorted(gone)) and self._tidy_now_and_then(number)

    def tidy(self) -> bool:
        """Delete what no commit lists and no later commit can list: what writers left that were cut off."""
        newest = self.mirror.slot
        listed = objects_of(newest.files)
        left = [name for name in self.objects.names(DATA) if name not in listed and _number(name) <= newest.slot]
        return self._drop(left)

    def _tidy_now_and_then(self, number: int) -> bool:
        """What follows a commit, which is in force already: whoever has the lease by now goes on from it."""
        with contextlib.suppress(UnsureError, LockedError):
            self.lease.note(number, self.lease.log.tidy(number, self.lease.emptied))
            return number % LISTED_EVERY != 0 or self.tidy()
        return False

    def _drop(self, names: list[str]) -> bool:
        """Delete objects. Returns whether that is sure; if not, whoever comes next does it."""
        with contextlib.suppress(UnsureError):
            if names:
                self.objects.delete(names)
            return True
        return False


_SESSIONS: Final[dict[Path, Session]] = {}


@contextlib.contextmanager
def writing(settings: Settings, within: AbstractContextManager[None] | None = None) -> Iterator[None]:
    """Hold the connection's lock and, with a bucket, its lease; what the block changes is pushed at its end.

    `within` is entered when both are held, and left when all is committed. If the block raises, what it did so far is
    pushed, too, as it is on a disk; if it is interrupted, nothing is.
    """
    with locked(settings.home):
        if settings.lake_url is None:
            _refuse_copy(settings)
            with within or nullcontext():
                yield
            return
        with _session(settings) as session, within or nullcontext():
            try:
                yield
            except Exception as error:  # whatever ended the block: a disk, too, would keep what it did so far
                pass_interruption(error)
                try:
                    session.push()
                except PipelineError as failed:
                    error.add_note(str(failed))
                raise
            session.push()


def checkpoint(settings: Settings) -> None:
    """Within `writing`, push what is here now: what must not be lost if the rest of the work is cut off."""
    session = _SESSIONS.get(settings.home)
    if session is not None:
        session.push()


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[None]:
    """Look at the lake as the bucket has it now. If a command works here, it is looked at as it is."""
    if settings.lake_url is None or not _has_key(settings):
        yield
        return
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(settings.home))
        except LockedError:
            yield
            return
        mirror = _pulled(settings)
        with bringing(settings.home, mirror.bring):
            yield
        mirror.close()


@contextlib.contextmanager
def _session(settings: Settings) -> Iterator[Session]:
    root = bucket_of(settings)
    objects = root.below(settings.connection)
    lease = Lease(objects, Log(objects), ttl_seconds)
    newest: list[Slot] = []
    session = None
    try:
        patiently(lambda: newest.append(lease.take()), settings.home / "lock")
        with lease.renewed():
            slot = newest[-1]
            mirror = Mirror(settings.home, str(settings.lake_url), objects, _cipher(settings, slot), slot)
            session = Session(settings, root, lease, mirror)
            mirror.pull(is_under_way=True)
            if lease.has_fenced:
                session.is_sure = session.tidy()
            _SESSIONS[settings.home] = session
            with bringing(settings.home, mirror.bring):
                _forget_erased(settings, mirror)
                yield session
            mirror.close()
    finally:
        _SESSIONS.pop(settings.home, None)
        with contextlib.suppress(LockedError):
            lease.release(is_sure=session is None or session.is_sure)


def _forget_erased(settings: Settings, mirror: Mirror) -> None:
    """Remove what this machine has made of people who were erased on another one. The next build makes it anew."""
    listed = erased_in(mirror.slot)
    if listed == mirror.state.erased:
        return
    from join_pipeline.warehouse.file import forget_warehouse  # noqa: PLC0415  it needs DuckDB, and is seldom asked for
    from join_pipeline.warehouse.publish import withdraw_people  # noqa: PLC0415

    shutil.rmtree(settings.builds, ignore_errors=True)  # the spool of a sync that was cut off
    forget_warehouse(settings)
    withdraw_people(settings)
    mirror.state.erased = listed


def _pulled(settings: Settings) -> Mirror:
    """The folder as the bucket has it, without the lease. A commit at the same time may remove what is being read."""
    objects = bucket_of(settings).below(settings.connection)
    for last in (False, True):
        slot = Log(objects).newest(hint_of(objects))
        mirror = Mirror(settings.home, str(settings.lake_url), objects, _cipher(settings, slot), slot)
        try:
            mirror.pull(is_under_way=False)
        except DamagedError:
            if last:
                raise
        else:
            break
    return mirror


def examine_bucket(settings: Settings) -> str:
    """Try what the lake needs of its bucket, and bring the copy here up to date. Returns what there is to say.

    Raises a `PipelineError` if the bucket does not answer, or does not keep its word.
    """
    objects = bucket_of(settings).below(settings.connection)
    probe(objects, f"probe/{secrets.token_hex(16)}")
    with reading(settings):
        slot = Log(objects).newest(hint_of(objects))
    size = sum(entry.size for entry in slot.files.values())
    hidden = "encrypted" if slot.key else "not encrypted here"
    what = f"commit {slot.slot}, {len(slot.files):,} files, {size / 1e6:,.0f} MB, {hidden}"
    return f"{settings.lake_url} keeps its word; {what if slot.files else 'it has no lake of this connection yet'}"


def bucket_of(settings: Settings) -> Bucket:
    """The bucket of these settings. Raises `SettingsError` if they lack what two machines must have in common."""
    if not _has_key(settings):
        raise SettingsError(
            "A lake in a bucket needs JOIN_PIPELINE_PSEUDONYM_KEY, or the connection's secret `pseudonym_key`: without "
            "it each machine would make pseudonyms by a key of its own. docs/bucket.md says how to make one."
        )
    return open_bucket(str(settings.lake_url))


def _has_key(settings: Settings) -> bool:
    return settings.pseudonym_key is not None


def _cipher(settings: Settings, slot: Slot) -> Cipher | None:
    if settings.lake_key_file is not None:
        secret = secret_in(settings.lake_key_file, str(settings.lake_key_file))
        if len(secret) < SHORTEST_KEY:
            raise SettingsError(f"{settings.lake_key_file} holds no key. A key has at least {SHORTEST_KEY} characters.")
        return cipher_for(secret, slot.key)
    return cipher_for(settings.lake_key.get_secret_value() if settings.lake_key else None, slot.key)


def _refuse_copy(settings: Settings) -> None:
    """Refuse to change a copy of a bucket as if it were the lake: the next pull would throw that away."""
    path = settings.home / STATE
    if path.exists() and (url := read_state(settings.home).url):
        raise SettingsError(
            f"{settings.home} is a copy of {url}, and JOIN_PIPELINE_LAKE is not set. Set it. To leave the bucket for "
            f"good, run `join-pipeline doctor --lake` once more with it, which brings all files, and delete {path}."
        )


def _number(name: str) -> int:
    digits = name.removeprefix(DATA).partition("-")[0]
    return int(digits) if digits.isdecimal() else 0
