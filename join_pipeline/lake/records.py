"""The folder of sync records: which of its files are records of this lake, and which of them is the newest.

Belongs here: reading records, telling stray ones, folding old ones. Not here: what a record says (record), the files
that it lists (integrity).

A record's name is its id, and it follows on the record before. A file that breaks this is a stray one, such as a copy:
reading leaves it out, and the next sync renames it. In doubt nothing is left out, because then a sync would be lost.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.errors import DamagedError
from join_pipeline.lake.damage import unreadable
from join_pipeline.lake.files import appearing, unwritable
from join_pipeline.lake.formats import decode
from join_pipeline.lake.integrity import DIFFERS, fault_of
from join_pipeline.lake.record import FORMAT, Files, LostFile, SyncRecord

DIGEST: Final = b"join_pipeline_digest"
NAME: Final = re.compile(r"\d{8}T\d{12}Z\.json")
ROOMS: Final = ("raw", "models", "quarantine")
SET_ASIDE: Final = "stray-"


@dataclass(frozen=True, slots=True)
class Records:
    """The records of the lake at `lake`."""

    lake: Path

    @property
    def folder(self) -> Path:
        return self.lake / "syncs"

    @property
    def log(self) -> Path:
        return self.folder / "log.parquet"

    def paths(self) -> list[Path]:
        """The files that are named as records are, oldest first."""
        return sorted(path for path in self.folder.glob("[0-9]*.json") if NAME.fullmatch(path.name))

    def path_of(self, sync_id: str) -> Path:
        """The path of this sync's record."""
        return self.folder / f"{sync_id}.json"

    def newest(self) -> SyncRecord | None:
        """The newest record; None before the first sync. Raises `LakeError` if it is damaged."""
        paths = self.paths()
        while paths:
            path = paths.pop()
            if self._fault(path, paths) is None:
                return self.read(path)
        return None

    def all(self) -> list[SyncRecord]:
        """All records, oldest first. Folded records have no lists of files."""
        records = self._of_log()
        strays = {stray.path for stray in self.strays()}
        records += [self.read(path) for path in self.paths() if f"syncs/{path.name}" not in strays]
        # an interrupted fold leaves a record in both places
        return sorted({record.sync_id: record for record in records}.values(), key=lambda record: record.sync_id)

    def read(self, path: Path, *, is_checked: bool = True) -> SyncRecord:
        """One record. Raises `LakeError` if it is damaged, or if a newer release wrote it.

        Without `is_checked` it may differ from its digest.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise unreadable(path, error) from None
        return decode(path, content, SyncRecord, seal="must" if is_checked else "ignored")

    def strays(self) -> list[LostFile]:
        """The files in the folder that are no records of this lake."""
        known = {*self.paths(), self.log}
        others = (path for path in sorted(self.folder.glob("*")) if path not in known)
        found = [self._stray(path, "is no record") for path in others if not path.name.startswith(".")]
        paths = self.paths()
        is_last = True
        while paths:
            path = paths.pop()
            fault = self._fault(path, paths) if is_last else self._name_fault(path)
            if fault is None:
                is_last = False
            else:
                found.append(self._stray(path, fault))
        return found

    def set_aside(self) -> list[LostFile]:
        """Rename the stray files that are named as records are, so that they stay out of the way. Returns them."""
        moved = []
        for stray in self.strays():
            path = self.lake / stray.path
            if NAME.fullmatch(path.name):
                try:
                    path.rename(path.with_name(f"{SET_ASIDE}{path.name}"))
                except OSError as error:
                    raise unwritable(path, error) from None
                moved.append(LostFile(path=stray.path, reason=f"{stray.reason}; it was renamed to stray-{path.name}"))
        return moved

    def fold(self, most: int, kept: int) -> None:
        """Move all but the `kept` newest records into `syncs/log.parquet` once there are more than `most`.

        A folder with a damaged record stays as it is.
        """
        paths = self.paths()
        if len(paths) <= most:
            return
        strays = {stray.path for stray in self.strays()}
        old = [path for path in paths[:-kept] if f"syncs/{path.name}" not in strays]
        try:
            records = {record.sync_id: record for record in [*self._of_log(), *map(self.read, old)]}
        except DamagedError:
            return
        self._write_log(records.values())
        for path in old:
            path.unlink(missing_ok=True)

    def correct_log(self, corrected: Mapping[str, SyncRecord]) -> None:
        """Write the folded records again, those of these syncs as they are here."""
        folded = self._of_log()
        if corrected.keys() & {record.sync_id for record in folded}:
            self._write_log(corrected.get(record.sync_id, record) for record in folded)

    def _write_log(self, records: Iterable[SyncRecord]) -> None:
        """Write these records to the log, without their lists of files."""
        texts = []
        for record in sorted(records, key=lambda record: record.sync_id):
            record.files = Files()
            record.pending = {}
            record.format = FORMAT
            texts.append(_text(record))
        table = pa.table({"record": texts})
        with appearing(self.log) as aside:
            pq.write_table(table.replace_schema_metadata({DIGEST: _digest(texts)}), aside, compression="zstd")

    def _stray(self, path: Path, reason: str) -> LostFile:
        return LostFile(path=path.relative_to(self.lake).as_posix(), reason=reason)

    def _fault(self, path: Path, before: list[Path]) -> str | None:
        """Why a record that sorts after `before` and before no other is a stray one; None if it is the newest."""
        record = self.read(path)
        if record.sync_id != path.stem:
            return self._name_fault(path)
        if not before or record.previous == before[-1].stem or self._left_files(path.stem):
            return None
        if record.previous in {one.stem for one in before}:
            return f"follows on {record.previous}, as another sync does, and no file of the lake is of it"
        if self._lacks_files(record):
            return "is the record of another lake: the files that it lists are not here"
        return None

    def _name_fault(self, path: Path) -> str | None:
        """Why a record's name says that it is a copy, if it does. Raises `LakeError` if the true record is lost."""
        try:
            sync_id = msgspec.json.decode(path.read_bytes(), type=_Named).sync_id
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            return None  # whoever reads it names it
        if sync_id == path.stem:
            return None
        self.read(path)  # a damaged id says nothing
        if not self.path_of(sync_id).exists() and not self._is_folded(sync_id):
            raise DamagedError(
                f"{path} is the record of the sync {sync_id}. If this lake's record was renamed, name it "
                f"{sync_id}.json. If not, delete it."
            )
        return f"is a copy of the record {sync_id}"

    def _is_folded(self, sync_id: str) -> bool:
        return any(record.sync_id == sync_id for record in self._of_log())

    def _left_files(self, sync_id: str) -> bool:
        """Whether a file or a folder of the lake is named after this sync."""
        return any(True for room in ROOMS for _ in (self.lake / room).glob(f"*/*{sync_id}*"))

    def _lacks_files(self, record: SyncRecord) -> bool:
        versions = (*record.files.models.values(), *record.files.personal.values())
        listed = (file for files in versions for file in files if file.digest is not None)
        return any(fault_of(self.lake, file, has_content=False) for file in listed)

    def _of_log(self) -> list[SyncRecord]:
        return [decode(self.log, text.encode(), SyncRecord) for text in self._folded()]

    def _folded(self) -> list[str]:
        if not self.log.exists():
            return []
        try:
            table = pq.read_table(self.log, columns=["record"])
            texts: list[str] = table["record"].to_pylist()
            expected = (table.schema.metadata or {}).get(DIGEST)
            if expected is not None and expected != _digest(texts):
                raise unreadable(self.log, DIFFERS)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise unreadable(self.log, error) from None
        return texts


class _Named(msgspec.Struct):
    """The part of a record that its name has to be."""

    sync_id: str


def _text(record: SyncRecord) -> str:
    return msgspec.json.encode(record).decode()


def _digest(texts: list[str]) -> bytes:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest().encode()
