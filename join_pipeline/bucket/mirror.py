"""The mirror: a connection's folder on this machine as the bucket has it, and back.

Mirrored is what must survive the machine: the lake, the list of erased people, receipts and logs. Small files are
brought at once; of the others a stub stands there until somebody reads it (lake.absent).

`bucket.json` notes what was brought or pushed, with each file's digest, so that no file is hashed twice. While a
command works it says so: what a command that was cut off left is thrown away, and the bucket's state is brought again.
Belongs here: comparing folder and bucket, bringing, pushing. Not here: who may push (lease), the order (writing).
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from join_pipeline.bucket.encryption import Cipher
from join_pipeline.bucket.log import FILES, ROOMS, Entry, Slot, is_mirrored
from join_pipeline.bucket.store import CHUNK, PART, Objects
from join_pipeline.errors import DamagedError, LakeError, SettingsError
from join_pipeline.lake.absent import is_stub, make_stub
from join_pipeline.lake.erased import FOLDER, LIST
from join_pipeline.lake.files import appearing, make_folder, unwritable, write_whole
from join_pipeline.lake.lake import IDENTITY

STATE: Final = "bucket.json"
LARGE: Final = ("lake/raw/", "lake/models/")
"""What is brought only when somebody reads it."""
AT_ONCE: Final = 8
A = TypeVar("A")
B = TypeVar("B")


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was seen last: a file that looks the same has the same digest."""

    size: int
    changed_ns: int
    number: int
    digest: str


class State(msgspec.Struct, kw_only=True):
    """What bucket.json says. `published` has the files that this machine has published to the bucket.

    `erased` is the digest of the list of erased people that this machine's own files, such as its warehouse, follow.
    """

    url: str = ""
    slot: int = 0
    is_under_way: bool = False
    files: dict[str, Known] = {}
    erased: str = ""
    published: dict[str, Known] = {}


@dataclass(slots=True)
class Mirror:
    """The folder of one connection and its bucket. `slot` is the commit that the folder follows on."""

    home: Path
    url: str
    objects: Objects
    cipher: Cipher | None
    slot: Slot
    state: State = field(default_factory=State)

    def pull(self, *, is_under_way: bool) -> None:
        """Make the folder as the bucket has it. Raises `LakeError` or `SettingsError` if that would lose a lake."""
        self.state = read_state(self.home)
        local = dict(self._local())
        if self.state.url != self.url:
            self._refuse_stubs(local)
            self.state = State()
        if self.slot.files:
            if not self.state.is_under_way:
                self._refuse_other_lake(local)
            self._save(is_under_way=True)
            self._take_over(local)
        else:
            self._refuse_stubs(local)
        self.state.slot = self.slot.slot
        self._save(is_under_way=is_under_way)

    def bring(self, path: Path) -> None:
        """Bring a file's content into the place of its stub. Raises `DamagedError` if the bucket has lost it."""
        inside = path.relative_to(self.home).as_posix()
        entry = self.slot.files.get(inside)
        if entry is None:
            raise DamagedError(f"{path} is in no commit of the bucket. Run the command again.")
        with appearing(path) as aside, aside.open("xb") as file:
            digest = hashlib.sha256()
            for chunk in self._content(entry, inside):
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != entry.digest:
                raise DamagedError(
                    f"{inside} in the bucket ({entry.object}) has other content than was put. "
                    "Restore it from the backup of the bucket."
                )
        self.state.files[inside] = known_of(path, entry.digest)

    def changes(self) -> tuple[dict[str, Entry | None], list[str]]:
        """Each file now, with its entry if the bucket has its content; and the files that have to be pushed."""
        found: dict[str, Entry | None] = {}
        for inside, status in self._local():
            entry = self.slot.files.get(inside)
            is_same = entry is not None and self._digest(inside, status) == entry.digest
            is_fit = entry is not None and entry.is_encrypted == (self.cipher is not None)
            found[inside] = entry if is_same and is_fit else None
        return found, [inside for inside, entry in found.items() if entry is None]

    def push(self, changed: Iterable[str], folder: str) -> dict[str, Entry]:
        """Put the content of files below `folder`, a name that nobody else uses. Returns their entries."""

        def put(inside: str) -> tuple[str, Entry]:
            path, name = self.home / inside, f"{folder}/{inside}"
            if is_stub(path):
                self.bring(path)
            status = path.stat()
            self.objects.send(name, sendable(path, inside, self.cipher))
            is_encrypted = self.cipher is not None
            return inside, Entry(name, status.st_size, self._digest(inside, status), is_encrypted=is_encrypted)

        return dict(_at_once(put, changed))

    def unpublished(self, found: Mapping[str, Path]) -> list[str]:
        """Those of the published files, by their names in the bucket, that are not there as they are here."""
        known = self.state.published
        return [name for name, path in found.items() if name not in known or not _looks_like(known[name], path.stat())]

    def note_published(self, found: Mapping[str, Path]) -> None:
        """Note that these published files, and no others of this machine, are in the bucket."""
        self.state.published = {name: known_of(path) for name, path in found.items()}

    def follow(self, slot: Slot) -> None:
        """Go on from this commit, which was pushed from here."""
        self.slot, self.state.slot, self.state.erased = slot, slot.slot, erased_in(slot)
        self.state.files = {inside: known for inside, known in self.state.files.items() if inside in slot.files}
        self._save(is_under_way=self.state.is_under_way)

    def close(self) -> None:
        """Note that no command works any more, and all that is here is in the bucket."""
        self._save(is_under_way=False)

    def _content(self, entry: Entry, inside: str) -> Iterator[bytes]:
        chunks = self.objects.stream(entry.object)
        if chunks is None:
            raise DamagedError(
                f"{entry.object} is missing in the bucket. If another command works on the lake now, run this one "
                "again; else restore the object."
            )
        if not entry.is_encrypted:
            return chunks
        if self.cipher is None:
            raise SettingsError(f"{inside} is encrypted in the bucket, and JOIN_PIPELINE_LAKE_KEY is not set.")
        return self.cipher.decrypted(chunks, inside)

    def _take_over(self, local: dict[str, os.stat_result]) -> None:
        """Remove what the bucket does not have, and bring what is another file here."""
        try:
            for inside in local.keys() - self.slot.files.keys():
                (self.home / inside).unlink()
            missing = []
            for inside, entry in self.slot.files.items():
                status = local.get(inside)
                if status is not None and status.st_size == entry.size and self._digest(inside, status) == entry.digest:
                    continue
                path = self.home / inside
                path.unlink(missing_ok=True)
                if inside.startswith(LARGE):
                    make_folder(path.parent)
                    make_stub(path, entry.size)
                else:
                    missing.append(path)
        except OSError as error:
            raise unwritable(self.home, error) from None
        list(_at_once(self.bring, missing))
        self.state.files = {inside: known for inside, known in self.state.files.items() if inside in self.slot.files}

    def _refuse_other_lake(self, local: dict[str, os.stat_result]) -> None:
        """Refuse to throw away syncs that the bucket does not know, or the lake of another company."""
        identity = f"lake/{IDENTITY}"
        if identity in local and not self._is_as(identity, local[identity]):
            raise SettingsError(
                f"The lake in {self.home / 'lake'} and the one in the bucket have different ids, so they may be of two "
                "companies. Nothing was changed. Set JOIN_PIPELINE_LAKE to another prefix, or move the folder away."
            )
        records = {one: status for one, status in local.items() if one.startswith("lake/syncs/2")}
        unknown = [one for one in records if one not in self.slot.files and not self._is_known(one, records[one])]
        if unknown:
            raise LakeError(
                f"{self.home / unknown[-1]} is of a sync that the bucket does not have: somebody synced here while "
                "JOIN_PIPELINE_LAKE was not set. To go on with the bucket, move "
                f"{self.home / 'lake'} away; to go on with this lake, set JOIN_PIPELINE_LAKE to a new prefix."
            )

    def _is_as(self, inside: str, status: os.stat_result) -> bool:
        entry = self.slot.files.get(inside)
        return entry is not None and self._digest(inside, status) == entry.digest

    def _refuse_stubs(self, local: dict[str, os.stat_result]) -> None:
        if any(not status.st_mode & 0o777 for status in local.values()):
            raise LakeError(
                f"Files of {self.home / 'lake'} lie in another bucket only ({self.state.url or 'not known which'}). "
                "Set JOIN_PIPELINE_LAKE to it and run `join-pipeline doctor --lake`, which brings all of them. Then "
                "set it to the new one."
            )

    def _digest(self, inside: str, status: os.stat_result) -> str:
        """The digest of a file here. That of a stub is the bucket's."""
        if not status.st_mode & 0o777:
            entry = self.slot.files.get(inside)
            return entry.digest if entry is not None and entry.size == status.st_size else ""
        if not self._is_known(inside, status):
            path = self.home / inside
            try:
                with path.open("rb") as file:
                    self.state.files[inside] = known_of(path, hashlib.file_digest(file, "sha256").hexdigest())
            except OSError as error:
                raise unwritable(path, error) from None
        return self.state.files[inside].digest

    def _is_known(self, inside: str, status: os.stat_result) -> bool:
        known = self.state.files.get(inside)
        return known is not None and _looks_like(known, status)

    def _local(self) -> Iterator[tuple[str, os.stat_result]]:
        """The mirrored files that are here. Files that are being written are none."""
        rooms = [path for room in ROOMS for path in (self.home / room).rglob("*")]
        for path in [*rooms, *(self.home / name for name in FILES)]:
            inside = path.relative_to(self.home).as_posix()
            if is_mirrored(inside):
                with contextlib.suppress(FileNotFoundError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield inside, status

    def _save(self, *, is_under_way: bool) -> None:
        self.state.url, self.state.is_under_way = self.url, is_under_way
        save_state(self.home, self.state)


def erased_in(slot: Slot) -> str:
    """The digest of the list of erased people; empty if nobody was ever erased."""
    entry = slot.files.get(f"{FOLDER}/{LIST}")
    return entry.digest if entry else ""


def read_state(home: Path) -> State:
    """What bucket.json says. One that can't be read says nothing: then every file is compared."""
    try:
        return msgspec.json.decode((home / STATE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return State()


def save_state(home: Path, state: State) -> None:
    """Write bucket.json."""
    write_whole(home / STATE, msgspec.json.encode(state))


def known_of(path: Path, digest: str = "") -> Known:
    """A file as it is now."""
    status = path.stat()
    return Known(status.st_size, status.st_mtime_ns, status.st_ino, digest)


def _looks_like(known: Known, status: os.stat_result) -> bool:
    return (known.size, known.changed_ns, known.number) == (status.st_size, status.st_mtime_ns, status.st_ino)


def sendable(path: Path, inside: str, cipher: Cipher | None) -> Path | bytes | Iterator[bytes]:
    """What to send of a file: itself, or its encrypted content, which is in memory at once only if it is small."""
    if cipher is None:
        return path
    encrypted = cipher.encrypted(_chunks(path), inside)
    return b"".join(encrypted) if path.stat().st_size < PART // 2 else encrypted


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _at_once(do: Callable[[A], B], them: Iterable[A]) -> Iterator[B]:
    """Do it for all, several at once. The first error ends it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(do, one) for one in them]
        try:
            for future in futures:
                yield future.result()
        except BaseException:  # Ctrl-C, too, must not wait for all that has not begun
            pool.shutdown(cancel_futures=True)
            raise
