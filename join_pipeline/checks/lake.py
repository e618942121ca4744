"""The check of a whole lake, `join-pipeline doctor --lake`: every file, every key, every reference.

Belongs here: what is compared, and what to do about each finding. Not here: repairs, checks of one sync (sync).
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.checks.finding import Finding
from join_pipeline.errors import PipelineError
from join_pipeline.lake.damage import foreign_errors, kind_of
from join_pipeline.lake.evolution import Fault, faults, personal_relation, versions_relation
from join_pipeline.lake.integrity import fault_of
from join_pipeline.lake.lake import IDENTITY, Lake
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import scratch
from join_pipeline.models import MODELS, Model

OF_A_SYNC: Final = re.compile(r"(raw|models|quarantine)/\w+/.*(\d{8}T\d{12}Z|replayed-\d{4}).*")
STRAY: Final = "If it is yours, move it out of the lake; if not, delete it."
LEFT: Final = "An interrupted sync left it, and the next `join-pipeline sync` removes it."
MEND_KEYS: Final = "`join-pipeline build` mends repeated versions of older releases. If this stays, report it."
FETCH: Final = "`join-pipeline sync --mode full` reads again what they refer to. If this stays, report it."


@dataclass(frozen=True, slots=True)
class LakeCheck:
    """The check of one lake. `builds` is the folder of scratch files. The caller holds the lock."""

    lake: Lake
    builds: Path
    memory_limit: str

    def findings(self) -> list[Finding]:
        """All findings; one of each check that finds nothing wrong."""
        records = list(self._records())
        newest = None
        with contextlib.suppress(PipelineError):  # `_records` has a finding about it
            newest = self.lake.newest()
        if newest is None:
            return records or [Finding("lake records", "ok", "no sync yet")]
        files = list(self._files(newest))
        damaged = {finding.about for finding in files}
        keys = list(self._keys(newest, damaged))
        strays = list(self._strays(newest))
        n_files, n_models = len(newest.files.all()), len(newest.files.models)
        n_known = sum(file.digest is not None for file in _listed(newest))
        said = f"{n_files} files are as they were written"
        if n_known < n_files:
            said = f"{n_files} files can be read; {n_files - n_known} have no digest before the next sync"
        return [
            *(records or [Finding("lake records", "ok", "every record is as it was written")]),
            *(files or [Finding("lake files", "ok", said)]),
            *(keys or [Finding("lake keys", "ok", f"keys and references of {n_models} models are sound")]),
            *(strays or [Finding("lake strays", "ok", "no other file")]),
        ]

    def _records(self) -> Iterator[Finding]:
        """Records that can't be read, that are not this lake's, or that are missing."""
        folder = self.lake.folder
        faults: set[str] = set()
        for path in folder.paths():
            try:
                folder.read(path)
            except PipelineError as error:
                faults.add(str(error))
        for read in (self.lake.newest, folder.all):
            try:
                read()
            except PipelineError as error:
                faults.add(str(error))
        for fault in sorted(faults):
            yield Finding("lake records", "failed", fault)
        if faults:
            return
        for stray in folder.strays():
            yield Finding(
                "lake records", "failed", f"{self.lake.path / stray.path} {stray.reason}. {STRAY}", stray.path
            )
        known = folder.all()
        ids = {record.sync_id for record in known}
        for record in known[1:]:
            if record.previous is not None and record.previous not in ids:
                message = (
                    f"The record of the sync {record.previous} is missing. Restore {folder.path_of(record.previous)} "
                    "from the backup. Without one, no version is lost, only what this sync did."
                )
                yield Finding("lake records", "warning", message)

    def _files(self, newest: SyncRecord) -> Iterator[Finding]:
        """Listed files that are missing, damaged or unreadable."""
        for file in _listed(newest):
            fault = fault_of(self.lake.path, file) or self._read_fault(file)
            if fault:
                message = f"{self.lake.path / file.path} {fault}. {kind_of(file.path).cure}"
                yield Finding("lake files", "failed", message, file.path)

    def _read_fault(self, file: LakeFile) -> str | None:
        path = self.lake.path / file.path
        try:
            with pq.ParquetFile(path) as opened:
                for _ in opened.iter_batches(10_000):
                    pass
        except (OSError, pa.ArrowException, ValueError) as error:
            return f"can't be read ({type(error).__name__})"
        return None

    def _keys(self, newest: SyncRecord, damaged: set[str]) -> Iterator[Finding]:
        """Versions that are there twice, live records without personal columns, references that lead nowhere."""
        with scratch(self.builds, self.memory_limit) as con:
            sound = []
            for name, model in MODELS.items():
                files = (*newest.files.models.get(name, []), *newest.files.personal.get(name, []))
                if any(file.path in damaged for file in files):
                    continue
                try:
                    with foreign_errors():
                        con.execute(f"CREATE TEMP VIEW versions_{name} AS FROM {self._versions(newest, model)}")
                        yield from self._keys_of(con, newest, model)
                    sound.append(model)
                except PipelineError as error:
                    yield Finding("lake keys", "failed", str(error), f"models/{name}")
            names = {model.name for model in sound}
            for model in sound:
                for column in model.fields:
                    if column.references in names:
                        yield from self._references(con, model.name, column.name, str(column.references))

    def _versions(self, newest: SyncRecord, model: Model) -> str:
        return versions_relation(self.lake.path, model, newest.files.models.get(model.name, []))

    def _keys_of(self, con: duckdb.DuckDBPyConnection, newest: SyncRecord, model: Model) -> Iterator[Finding]:
        name, about = model.name, f"models/{model.name}"
        n = _count(con, f"FROM versions_{name} GROUP BY id, sync_id HAVING count(*) > 1")
        if n:
            yield Finding("lake keys", "failed", f"{name}: {n} versions are there twice. {MEND_KEYS}", about)
        if not model.personal:
            return
        listed = newest.files.models.get(name, []), newest.files.personal.get(name, [])
        if Fault.TIER in faults(self.lake.path, model, *listed):
            return  # an older release's: the next command moves these columns to the personal files
        personal = personal_relation(self.lake.path, model, newest.files.personal.get(name, []))
        con.execute(f"CREATE OR REPLACE TEMP TABLE personal AS SELECT id, sync_id FROM {personal}")
        if n := _count(con, "FROM personal GROUP BY id, sync_id HAVING count(*) > 1"):
            yield Finding("lake keys", "failed", f"{name}: {n} versions have two personal rows. {MEND_KEYS}", about)
        live = f"(FROM versions_{name} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"
        where = "WHERE remote_deleted_at IS NULL AND (id, sync_id) NOT IN (SELECT (id, sync_id) FROM personal)"
        if n := _count(con, f"FROM {live} {where}"):
            message = f"{name}: {n} live records have no personal row. Restore the lake from its backup, or report it."
            yield Finding("lake keys", "failed", message, about)
        if n := _count(con, f"FROM personal WHERE (id, sync_id) NOT IN (SELECT (id, sync_id) FROM versions_{name})"):
            message = f"{name}: {n} personal rows belong to no version. Restore the lake from its backup, or report it."
            yield Finding("lake keys", "failed", message, about)

    def _references(self, con: duckdb.DuckDBPyConnection, name: str, column: str, target: str) -> Iterator[Finding]:
        live = f"(FROM versions_{name} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"
        lost = f'WHERE remote_deleted_at IS NULL AND "{column}" NOT IN (SELECT id FROM versions_{target})'
        if n := _count(con, f'FROM {live} {lost} AND "{column}" IS NOT NULL'):
            message = f"{name}: the {column} of {n} live records is in no version of {target}. {FETCH}"
            yield Finding("lake keys", "failed", message, f"models/{name}")

    def _strays(self, newest: SyncRecord) -> Iterator[Finding]:
        """Files that neither the newest record nor the one before lists, and that are no records."""
        before = self.lake.record(newest.previous)
        listed = newest.files.all() | (before.files.all() if before else set())
        for path in sorted(self.lake.path.rglob("*")):
            inside = path.relative_to(self.lake.path).as_posix()
            if path.is_dir() or inside in listed or inside == IDENTITY or inside.startswith("syncs/"):
                continue
            is_left = bool(OF_A_SYNC.fullmatch(inside)) or path.name.endswith(".part")
            message = f"{path} is in no record. {LEFT if is_left else STRAY}"
            yield Finding("lake strays", "warning" if is_left else "failed", message, inside)


def _listed(newest: SyncRecord) -> list[LakeFile]:
    return [file for group in newest.files.groups().values() for files in group.values() for file in files]


def _count(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM (SELECT 1 {rows})").fetchall()[0][0])
