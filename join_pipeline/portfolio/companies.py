"""Companies: which of them have Parquet files that can be read, and what is worth a look about each.

Belongs here: the state of each company by its build.json and its files. Not here: what the tables hold (tables).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from join_pipeline.warehouse.parquet import BuildNote, noted_connections, parquet_file, read_note

State = Literal["ok", "old", "left out"]
SCHEMA: Final = 1
"""The first number of the published schema whose columns are read. A higher one has lost some of them."""
BUILD: Final = "Set JOIN_PIPELINE_PUBLISH_PARQUET=true and run: join-pipeline build --connection {}"


@dataclass(frozen=True, slots=True)
class Company:
    """A company, whether it is in the file, and why not or what is worth a look. `note` is None if it has none."""

    connection: str
    state: State
    message: str = ""
    note: BuildNote | None = None

    @property
    def as_of(self) -> str | None:
        """The last sync that its files are of."""
        return self.note.as_of if self.note else None

    def without(self, message: str) -> "Company":
        """The same, left out for this reason."""
        return replace(self, state="left out", message=message)


def companies(
    root: Path, listed: Sequence[str], tables: Sequence[str], now: datetime, stale_after_days: float
) -> dict[str, Company]:
    """Each company by its name. If the file of connections lists none, they are those that have Parquet files."""
    noted = noted_connections(root)
    found = {name: _company(root, name, tables, now - timedelta(days=stale_after_days)) for name in listed or noted}
    gone = {
        name: Company(name, "left out", "It is not in connections.toml. Its Parquet files are there still.")
        for name in noted
        if name not in found
    }
    return found | gone


def builds(root: Path) -> str | None:
    """A digest of the builds whose files are there: another one after each build. None if there is no file."""
    notes = {name: note.build for name in noted_connections(root) if (note := _note(root, name))}
    return hashlib.sha256(msgspec.json.encode(notes)).hexdigest()[:16] if notes else None


def changed_since(root: Path, read: Mapping[str, BuildNote]) -> dict[str, BuildNote | None]:
    """Of the companies that were read, those whose files are of another build now, each with its note."""
    now = {name: _note(root, name) for name in read}
    return {name: note for name, note in now.items() if note is None or note.build != read[name].build}


def _company(root: Path, name: str, tables: Sequence[str], oldest: datetime) -> Company:
    note = _note(root, name)
    if note is None:
        return Company(name, "left out", f"It has no Parquet files of a whole build. {BUILD.format(name)}")
    company = Company(name, "ok", note=note)
    if note.schema_version.partition(".")[0] != str(SCHEMA):
        return company.without(
            f"Its tables have the schema {note.schema_version}, and {SCHEMA}.x is read. Build it anew."
        )
    if broken := [table for table in tables if not _is_there(root, note, table)]:
        return company.without(f"Its files of {', '.join(broken)} are not as they were built. Build it with --force.")
    if note.as_of is None:
        return company.without("No sync of it has ended yet.")
    if datetime.fromisoformat(note.as_of) < oldest:
        return replace(
            company, state="old", message=f"Its last sync is of {note.as_of[:10]}. See join-pipeline status."
        )
    return company


def _note(root: Path, name: str) -> BuildNote | None:
    """The note of a company's build; None if there is none, or if it is damaged or another company's."""
    try:
        note = read_note(root, name)
        if note is None or note.connection != name:
            return None
        return note if note.as_of is None or datetime.fromisoformat(note.as_of).tzinfo else None
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def _is_there(root: Path, note: BuildNote, table: str) -> bool:
    """Whether the file is there with the length that was noted."""
    try:
        return parquet_file(root, table, note.connection).stat().st_size == note.tables[table].bytes
    except (OSError, KeyError):
        return False
