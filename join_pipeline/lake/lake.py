"""One connection's lake: its identity, its sync records, its files.

Belongs here: opening, reading records, committing, removing files that no record lists. Not here: what a sync writes.
"""

import contextlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.lake.files import appearing, make_folder, write_whole
from join_pipeline.lake.formats import decode, unreadable
from join_pipeline.lake.record import FORMAT, Files, LakeFile, SyncRecord
from join_pipeline.models.ids import ALPHABET, ID_LENGTH, Ids

IDENTITY: Final = "connection.json"
MOST_RECORDS: Final = 64
KEPT_RECORDS: Final = 16
T = TypeVar("T")


class Connection(msgspec.Struct):
    """The file `connection.json`. Without it the ids can't be computed again, so back it up with the lake.

    A lake has one source for ever, because ids differ by source.
    """

    format: int
    integration_id: str
    source: str = "join"


@dataclass(frozen=True, slots=True)
class Lake:
    """An open lake."""

    path: Path
    integration_id: str
    source: str = "join"

    @property
    def ids(self) -> Ids:
        return Ids(self.integration_id)

    def records(self) -> list[SyncRecord]:
        """The records of all committed syncs, oldest first. Folded records have no lists of files."""
        records = [decode(self._log, text.encode(), SyncRecord) for text in self._folded()]
        records += [_read(path, SyncRecord) for path in self._record_files()]
        # an interrupted fold leaves a record in both places
        return sorted({record.sync_id: record for record in records}.values(), key=lambda record: record.sync_id)

    def _folded(self) -> list[str]:
        if not self._log.exists():
            return []
        try:
            texts: list[str] = pq.read_table(self._log, columns=["record"])["record"].to_pylist()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise unreadable(self._log, error) from None
        return texts

    def newest(self) -> SyncRecord | None:
        """The newest record, which lists the files in force; None before the first sync."""
        paths = self._record_files()
        return _read(paths[-1], SyncRecord) if paths else None

    def fold_records(self) -> None:
        """Move all but the 16 newest records into `syncs/log.parquet` once there are more than 64."""
        paths = self._record_files()
        if len(paths) <= MOST_RECORDS:
            return
        self._write_log(self.records()[:-KEPT_RECORDS])
        for path in paths[:-KEPT_RECORDS]:
            path.unlink()

    def _write_log(self, records: Iterable[SyncRecord]) -> None:
        """Write these records to the log, without their lists of files."""
        texts = []
        for record in records:
            record.files = Files()
            record.pending, record.pending_since = {}, {}
            record.format = FORMAT
            texts.append(msgspec.json.encode(record).decode())
        with appearing(self._log) as aside:
            pq.write_table(pa.table({"record": texts}), aside, compression="zstd")

    @property
    def _log(self) -> Path:
        return self.path / "syncs" / "log.parquet"

    def _record_files(self) -> list[Path]:
        return sorted((self.path / "syncs").glob("[0-9]*.json"))

    def listed(self, files: Iterable[LakeFile]) -> list[str]:
        """The absolute paths of these files. Raises `LakeError` with the first one that is missing."""
        absolute = [self.path / file.path for file in files]
        for path in absolute:
            if not path.is_file():
                raise LakeError(f"{path} is listed by the newest sync but missing. Restore the lake from its backup.")
        return [str(path) for path in absolute]

    def commit(self, record: SyncRecord) -> None:
        """Write the record. From then on it is the newest, and the files that it lists are in force."""
        content = msgspec.json.format(msgspec.json.encode(record), indent=1)
        write_whole(self.path / "syncs" / f"{record.sync_id}.json", content)

    def correct(self, records: Iterable[SyncRecord]) -> None:
        """Write earlier records again, each in its place. The newest one is written by `commit`, as the last."""
        corrected = {record.sync_id: record for record in records}
        on_disk = {path.stem for path in self._record_files()}
        for sync_id in sorted(corrected.keys() & on_disk):
            self.commit(corrected[sync_id])
        folded = [decode(self._log, text.encode(), SyncRecord) for text in self._folded()]
        if corrected.keys() & {record.sync_id for record in folded}:
            self._write_log(corrected.get(record.sync_id, record) for record in folded)

    def remove_unlisted(self, *records: SyncRecord | None) -> None:
        """Remove files that none of `records` lists: those of interrupted syncs, and those that were replaced."""
        for part in (*self.path.glob(".*.part"), *(self.path / "syncs").glob(".*.part")):
            part.unlink(missing_ok=True)
        kept = {path for record in records if record for path in record.files.all()}
        for room in ("raw", "models", "quarantine"):
            for path in sorted((self.path / room).rglob("*"), reverse=True):
                if path.is_dir():
                    with contextlib.suppress(OSError):  # a folder that is not empty stays
                        path.rmdir()
                elif path.relative_to(self.path).as_posix() not in kept:
                    path.unlink(missing_ok=True)


def open_lake(
    path: Path, integration_id: str | None = None, *, source: str | None = None, create: bool = False
) -> Lake:
    """Open the lake at `path`. With `create`, make it if there is none, with the given or a random integration id.

    Raises `LakeError` if there is no lake, if it has a newer format, or if it can't be read. Raises `SettingsError` if
    the lake has another integration id or another source than the given one.
    """
    identity = path / IDENTITY
    if not identity.exists():
        if not create:
            raise LakeError(f"There is no lake at {path}. Run `join-pipeline sync` first.")
        if any((path / "syncs").glob("[0-9]*.json")):
            raise LakeError(f"{identity} is missing, but there are syncs. Restore it from the backup.")
        make_folder(path)
        chosen = integration_id or "join:" + "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
        write_whole(identity, msgspec.json.encode(Connection(FORMAT, chosen, source or "join")))
    connection = _read(identity, Connection)
    if source is not None and source != connection.source:
        raise SettingsError(
            f"JOIN_PIPELINE_SOURCE is {source}, and this lake was filled from {connection.source}: their ids differ. "
            "Set JOIN_PIPELINE_CONNECTION to begin another lake."
        )
    if integration_id is not None and integration_id != connection.integration_id:
        raise SettingsError(
            "JOIN_PIPELINE_INTEGRATION_ID differs from the lake's own id, and all ids come from it. Unset it, or set "
            "JOIN_PIPELINE_CONNECTION to begin another lake."
        )
    return Lake(path, connection.integration_id, connection.source)


def _read(path: Path, kind: type[T]) -> T:
    try:
        return decode(path, path.read_bytes(), kind)
    except OSError as error:
        raise unreadable(path, error) from None
