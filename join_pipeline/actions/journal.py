"""The journal: what was, or may have been, created at JOIN from here. It is written before JOIN is called.

Belongs here: one row per creation, one file with what is still to be sent, a lock per key. Not here: who reads and
writes them (create, resend).

    <data>/<connection>/actions/
      journal.sqlite     0600; a row is on the disk before the call that it records. No names, addresses or files: the
                         key and the request are HMACs with the key of pseudonyms, which does not lie in the data folder
      kept/<key>         0600; the request with its files, until JOIN has taken all of it
      lock-0 … lock-f    flock: two processes never work on one key at a time
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from pydantic import BaseModel

from join_pipeline.actions.documents import Document
from join_pipeline.actions.request import Person
from join_pipeline.errors import LakeError, LockedError, foreign
from join_pipeline.lake.files import make_folder, remove_asides, write_whole
from join_pipeline.models.ids import base58

LOCK_SECONDS: Final = 120.0
LOCK_POLL: Final = 0.05
KEY_BYTES: Final = 16
KEY_LENGTH: Final = 22  # 58 ** 22 > 256 ** 16
TABLE: Final = """CREATE TABLE IF NOT EXISTS creation (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, job TEXT NOT NULL, source TEXT, state TEXT NOT NULL,
    sent_at TEXT NOT NULL, application TEXT, candidate TEXT
) STRICT"""

State = Literal["sending", "created"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One creation. `sending`: JOIN may have created it. `created`: JOIN has created it, with these ids."""

    key: str
    request: str
    job: str
    source: str | None
    state: State
    sent_at: datetime
    application: str | None = None
    candidate: str | None = None

    @property
    def external_id(self) -> str:
        """What JOIN stores as integrationExternalId. The creation is looked up by it."""
        return external_id_of(self.key)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its files, until JOIN has all of it. It is people's data and is kept no longer than needed."""

    job: str
    person: Person
    source: str
    documents: list[Document]
    unsent: list[int] = []
    """The places of the documents that JOIN lacks, once the application is created."""


def external_id_of(key: str) -> str:
    return f"jp-{key}"


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one connection. `secret` is the key of its HMACs."""

    folder: Path
    secret: bytes = field(repr=False)

    def opaque_key(self, *parts: str) -> str:
        """A key that is made from these texts and does not reveal them."""
        digest = hmac.new(self.secret, "\n".join(("creation", *parts)).encode(), hashlib.sha256).digest()
        return base58(digest[:KEY_BYTES], KEY_LENGTH)

    @contextlib.contextmanager
    def locked(self, *keys: str) -> Iterator[None]:
        """Lock these keys against all other processes. Raises `LockedError` after a long wait."""
        make_folder(self.folder)
        places = sorted({hashlib.sha256(key.encode()).hexdigest()[0] for key in keys})  # in order: no deadlock
        with contextlib.ExitStack() as held:
            for place in places:
                descriptor = os.open(self.folder / f"lock-{place}", os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, descriptor)
                _flock(descriptor, self.folder)
            yield

    def entry(self, key: str) -> Entry | None:
        """The creation with this key."""
        return next(iter(self._rows("WHERE key = ?", key)), None)

    def entries(self) -> list[Entry]:
        """All creations."""
        return self._rows("ORDER BY sent_at, key")

    def write(self, entry: Entry) -> None:
        """Record a creation. The row is on the disk when this returns."""
        values = msgspec.structs.asdict(entry) | {"sent_at": entry.sent_at.astimezone(UTC).isoformat()}
        columns = ", ".join(values)
        with self._opened() as con:
            con.execute(
                f"INSERT OR REPLACE INTO creation ({columns}) VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )

    def forget(self, key: str) -> None:
        """Remove a creation that JOIN certainly did not make, and what is kept for it."""
        with self._opened() as con:
            con.execute("DELETE FROM creation WHERE key = ?", (key,))
        self.drop(key)

    def keep(self, key: str, kept: Kept) -> None:
        """Keep a request until JOIN has all of it."""
        write_whole(self._kept / key, msgspec.msgpack.encode(kept, enc_hook=BaseModel.model_dump))

    def kept(self, key: str) -> Kept | None:
        """What is still to be sent under this key."""
        try:
            return msgspec.msgpack.decode((self._kept / key).read_bytes(), type=Kept, dec_hook=_validated)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise LakeError(f"{self._kept / key} can't be read. Remove it and create the application again.") from None

    def kept_keys(self) -> list[str]:
        """The keys of all kept requests."""
        return sorted(path.name for path in self._kept.glob("[!.]*")) if self._kept.is_dir() else []

    def drop(self, key: str) -> None:
        """Remove what is kept under this key."""
        (self._kept / key).unlink(missing_ok=True)
        remove_asides(self._kept / key)  # the key's lock makes this process the only writer

    @property
    def path(self) -> Path:
        return self.folder / "journal.sqlite"

    @property
    def _kept(self) -> Path:
        return self.folder / "kept"

    def _rows(self, condition: str, *values: str) -> list[Entry]:
        if not self.path.exists():
            return []
        names = Entry.__struct_fields__
        with self._opened() as con:
            rows = con.execute(f"SELECT {', '.join(names)} FROM creation {condition}", values).fetchall()
        return [msgspec.convert(dict(zip(names, row, strict=True)), Entry) for row in rows]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        make_folder(self.folder)
        try:
            if not self.path.exists():
                # sqlite gives its own files the mode of this one
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
            with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as con:
                con.execute("PRAGMA synchronous = EXTRA")  # a commit is on the disk, and so is its folder
                con.execute("PRAGMA secure_delete = ON")
                con.execute(TABLE)
                with con:
                    yield con
        except sqlite3.Error as error:
            raise LakeError(
                f"{self.path} can't be used ({foreign(error)}). Free some space, or restore it from the backup."
            ) from None


def _validated(kind: type[BaseModel], raw: Any) -> BaseModel:
    return kind.model_validate(raw)


def _flock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockedError(f"Another command works in {folder}. Run it again later.") from None
            time.sleep(LOCK_POLL)
        else:
            return


def created_applications(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """JOIN's ids of the applications that were created from here, and the integrationExternalIds of all creations."""
    entries = Journal(folder, b"").entries()
    ids = frozenset(entry.application for entry in entries if entry.application is not None)
    return ids, frozenset(entry.external_id for entry in entries)
