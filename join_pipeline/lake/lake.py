"""One connection's lake: its identity, its sync records, its files.

Belongs here: opening, committing, removing files that no record lists. Not here: what a sync writes, telling which
record is the newest (records).
"""

import contextlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from join_pipeline.errors import DamagedError, LakeError, SettingsError
from join_pipeline.lake.damage import unreadable
from join_pipeline.lake.files import make_folder, write_whole
from join_pipeline.lake.formats import decode
from join_pipeline.lake.integrity import DIFFERS, digest_of, forget_known, note_digests, sealed, verified
from join_pipeline.lake.record import FORMAT, LakeFile, SyncRecord
from join_pipeline.lake.records import Records
from join_pipeline.models.ids import ALPHABET, ID_LENGTH, Ids

IDENTITY: Final = "connection.json"
MOST_RECORDS: Final = 64
KEPT_RECORDS: Final = 16
DIFFER: Final = ": their ids differ. "
GOES_ON: Final = (
    ". If the lake is to go on with this source, and it is of the same company, accept it once: `join-pipeline sync "
    "--mode full --accept-source`. If not, set JOIN_PIPELINE_SOURCE back. For another company: "
)
ANOTHER_INTEGRATION: Final = (
    "This lake goes on with another integration of this source. Check its id. If the integration was made anew, accept "
    "it once: `join-pipeline sync --mode full --accept-source`."
)
T = TypeVar("T")


class Connection(msgspec.Struct):
    """The file `connection.json`. Without it the ids can't be computed again, so back it up with the lake.

    `source` is the one that the lake was begun from. It decides the ids for ever. A record tells which one a sync read.
    """

    format: int
    integration_id: str
    source: str = "join"


class _Noted(msgspec.Struct):
    """What a record says of the lake's identity: its SHA-256, from format 3 on."""

    identity: str = ""


@dataclass(frozen=True, slots=True)
class Lake:
    """An open lake. `source` is the one that it was begun from, and whose ids it has."""

    path: Path
    integration_id: str
    source: str = "join"

    @property
    def ids(self) -> Ids:
        return Ids(self.integration_id)

    @property
    def reads(self) -> str:
        """The source that the newest sync read; before the first one, the source that the lake was begun from."""
        return self.read_by()[0]

    def read_by(self) -> tuple[str, str]:
        """That source and its integration id. A damaged record tells neither; whoever reads it raises."""
        try:
            newest = self.newest()
        except DamagedError:
            newest = None
        if newest is None or newest.source in {"", self.source}:
            return self.source, self.integration_id
        return newest.source, newest.integration_id or self.integration_id

    @property
    def folder(self) -> Records:
        """The folder of the records."""
        return Records(self.path)

    def records(self) -> list[SyncRecord]:
        """The records of all committed syncs, oldest first. Folded records have no lists of files."""
        return self.folder.all()

    def newest(self) -> SyncRecord | None:
        """The newest record, which lists the files in force; None before the first sync."""
        record = self.folder.newest()
        if record is not None:
            noted = msgspec.json.decode(self.folder.path_of(record.sync_id).read_bytes(), type=_Noted).identity
            if noted and noted != _digest_of(self.path / IDENTITY):
                raise unreadable(self.path / IDENTITY, DIFFERS)
        return record

    def record(self, sync_id: str | None) -> SyncRecord | None:
        """The record of this sync; None if it is folded, or if it can't be read."""
        path = self.folder.path_of(sync_id or "")
        try:
            return self.folder.read(path) if path.exists() else None
        except DamagedError:
            return None

    def fold_records(self) -> None:
        """Move all but the 16 newest records into `syncs/log.parquet` once there are more than 64."""
        self.folder.fold(MOST_RECORDS, KEPT_RECORDS)

    def listed(self, files: Iterable[LakeFile]) -> list[str]:
        """The absolute paths of these files. Raises `DamagedError` with the first one that is missing or damaged."""
        return [str(verified(self.path, file)) for file in files]

    def commit(self, record: SyncRecord) -> None:
        """Write the record. From then on it is the newest, and the files that it lists are in force.

        The record gets the size and the digest of each file that it lists, and the digest of the lake's identity.
        """
        note_digests(self.path, record.files)
        document = msgspec.to_builtins(record) | {"identity": _digest_of(self.path / IDENTITY)}
        content = sealed(msgspec.json.format(msgspec.json.encode(document), indent=1))
        write_whole(self.folder.path_of(record.sync_id), content)

    def correct(self, records: Iterable[SyncRecord]) -> None:
        """Write earlier records again, each in its place. The newest one is written by `commit`, as the last."""
        corrected = {record.sync_id: record for record in records}
        on_disk = {path.stem for path in self.folder.paths()}
        for sync_id in sorted(corrected.keys() & on_disk):
            self.commit(corrected[sync_id])
        self.folder.correct_log(corrected)

    def remove_unlisted(self, *records: SyncRecord | None) -> None:
        """Remove files that none of `records` lists: those of interrupted syncs, and those that were replaced."""
        for part in (*self.path.glob(".*.part"), *(self.path / "syncs").glob(".*.part")):
            _remove(part)
        for unlisted in self.unlisted(*records):
            _remove(self.path / unlisted)
        for room in ("raw", "models", "quarantine"):
            for path in sorted((self.path / room).rglob("*"), reverse=True):
                if path.is_dir():
                    with contextlib.suppress(OSError):  # a folder that is not empty stays
                        path.rmdir()

    def unlisted(self, *records: SyncRecord | None) -> list[str]:
        """The paths of files that none of `records` lists."""
        kept = {path for record in records if record for path in record.files.all()}
        found = (path for room in ("raw", "models", "quarantine") for path in (self.path / room).rglob("*"))
        inside = (path.relative_to(self.path).as_posix() for path in found if not path.is_dir())
        return sorted(path for path in inside if path not in kept)


def open_lake(
    path: Path,
    integration_id: str | None = None,
    *,
    source: str | None = None,
    carries: Collection[str] = (),
    accept_source: bool = False,
    create: bool = False,
) -> Lake:
    """Open the lake at `path`. With `create`, make it if there is none, with the given or a random integration id.

    Raises `LakeError` if there is no lake, if it has a newer format, or if it can't be read. Raises `SettingsError` if
    the lake has another integration id or reads another source than the given one. `carries` are the sources that the
    given one carries: with `accept_source`, it may take the place of the source that the lake reads.
    """
    forget_known()
    identity = path / IDENTITY
    if not identity.exists():
        if any((path / "syncs").glob("[0-9]*.json")):
            raise DamagedError(f"{identity} is missing, but there are syncs. Restore it from the backup.")
        if not create:
            raise LakeError(f"There is no lake at {path}. Run `join-pipeline sync` first.")
        make_folder(path)
        chosen = integration_id or "join:" + "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
        write_whole(identity, msgspec.json.encode(Connection(FORMAT, chosen, source or "join")))
    connection = _read(identity, Connection)
    lake = Lake(path, connection.integration_id, connection.source)
    if (integration_id or lake.integration_id, source or lake.source) != (lake.integration_id, lake.source):
        lake.newest()  # if the identity is damaged, nobody asked for another lake
    reads, known_id = (lake.source, lake.integration_id) if source is None else lake.read_by()
    may_go_on = lake.source in {source, *carries}
    if source is not None and source != reads and not (accept_source and may_go_on):
        raise SettingsError(
            f"JOIN_PIPELINE_SOURCE is {source}, and this lake was filled from {reads}{GOES_ON if may_go_on else DIFFER}"
            "Set JOIN_PIPELINE_CONNECTION to begin another lake."
        )
    if source == lake.source:
        known_id = lake.integration_id
    is_free = accept_source and source != lake.source
    if integration_id is not None and integration_id != known_id and not is_free:
        raise SettingsError(
            ANOTHER_INTEGRATION
            if known_id != lake.integration_id
            else "JOIN_PIPELINE_INTEGRATION_ID differs from the lake's own id, and all ids come from it. Unset it, or "
            "set JOIN_PIPELINE_CONNECTION to begin another lake."
        )
    return lake


def _remove(path: Path) -> None:
    """Remove a file. One that stays does no harm: no record lists it, and `doctor --lake` names it."""
    with contextlib.suppress(OSError):
        path.unlink()


def _digest_of(identity: Path) -> str:
    try:
        return digest_of(identity)
    except OSError as error:
        raise unreadable(identity, error) from None


def _read(path: Path, kind: type[T]) -> T:
    try:
        return decode(path, path.read_bytes(), kind)
    except OSError as error:
        raise unreadable(path, error) from None
