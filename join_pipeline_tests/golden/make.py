"""Writes the golden lakes of this release: `python -m join_pipeline_tests.golden.make --to FOLDER`.

Belongs here: the life of the two companies, and what their lakes must contain. Not here: what later releases make of
them (test_golden_lakes). A lake that is committed is never written anew: each change of the format, or of a
mapping, adds its own.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import msgspec
import pyarrow.parquet as pq

from join_pipeline.errors import ContractError
from join_pipeline.lake.compaction import MOST_VERSION_FILES
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import FORMAT, FileKind, SyncRecord
from join_pipeline.sandbox.kombo.config import Off
from join_pipeline.sandbox.kombo.lists import Lists
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source
from join_pipeline_tests.golden.company import CONNECTION, Company, Switch, apply, begun, read
from join_pipeline_tests.golden.golden_lakes import ARCHIVE, NOWHERE, pack
from join_pipeline_tests.golden.reader import expectation, versions
from join_pipeline_tests.simulation.account import Account

WEEK = timedelta(days=7)
N_SYNCS = 65  # one more than there may be records: the last sync folds the old ones
BEGINS = datetime(2025, 3, 10, tzinfo=UTC)
FIRST_SYNC = BEGINS + timedelta(hours=2)  # Kombo syncs at midnight: what it says is two hours old
# days for which raw is kept: first so many that 16 version files come together, at last so few that the lake is small
LONG, SHORT, N_SHORT = 200, 22, 16


@dataclass(frozen=True)
class Week:
    """One week's sync, and what is out of order meanwhile."""

    mode: Literal["full", "incremental"] = "incremental"
    loses: tuple[int, int | None] = (0, 0)  # of the applications, by age: these are neither listed nor found
    faults: Mapping[str, float] = field(default_factory=dict)
    models_off: dict[str, Off] = field(default_factory=dict)
    max_second_looks: int = 1000


SPOILED = {"missing_field": 1.0, "unknown_enum": 1.0}
NAMELESS = {"missing_id": 1.0}  # a record is set aside only if nobody can know which one it is
# by the number of the sync; of the others every fourth is full
COMMON = {
    20: Week("full", loses=(0, 2)),  # they are deleted, and at the next full sync they have returned
    60: Week("incremental"),
    61: Week("full", loses=(0, 2), faults=SPOILED),
    63: Week("full"),
    64: Week("full", loses=(2, 4), max_second_looks=0),  # their second looks are pending at the end
}
WEEKS: dict[str, dict[int, Week]] = {  # and in week 62 more is lost than the guard believes
    "join": COMMON | {61: Week("full", loses=(0, 2), faults=SPOILED | NAMELESS), 62: Week("full", loses=(-26, None))},
    # not in week 61: Kombo tells deletions, and these would lack their ids
    "kombo": COMMON | {62: Week("full", models_off={"applications": "deleted"}), 63: Week("full", faults=NAMELESS)},
}
COMPANIES = {
    "join": Company(source="join", seed=16, applications=60, jobs=5, begins=BEGINS, now=BEGINS),
    "kombo": Company(source="kombo", seed=38, applications=60, jobs=4, begins=BEGINS, now=BEGINS),
}


def make(source: str, to: Path) -> None:
    """One lake with what is needed to read its company again, and what is expected of it."""
    company = COMPANIES[source]
    golden = to / f"format-{FORMAT}-mapping-{_mapping(company)}-{source}"
    if golden.exists():
        raise SystemExit(
            f"{golden} is there already, and a golden lake is never written anew: it is what that format was."
        )
    with tempfile.TemporaryDirectory() as folder, begun(company) as account:
        data = Path(folder)
        records = list(_live(company, account, data))
        lake = data / CONNECTION / "lake"
        _refuse_poor(lake, records)
        opened_lake = open_lake(lake)
        opened_lake.remove_unlisted(opened_lake.newest())  # those of the sync before are half of the size
        golden.mkdir(parents=True)
        pack(lake, golden / ARCHIVE)
        (golden / "expected.json").write_text(json.dumps(expectation(lake), indent=1) + "\n")
    (golden / "company.json").write_bytes(msgspec.json.format(msgspec.json.encode(company), indent=1) + b"\n")


def _mapping(company: Company) -> int:
    return open_source(company.settings(NOWHERE, Path())).mapping_version


def _live(company: Company, account: Account, data: Path) -> Iterator[SyncRecord]:
    """All syncs, week by week."""
    for number in range(N_SYNCS):
        week = WEEKS[company.source].get(number) or Week("incremental" if number % 4 else "full")
        # the last one soon after the one before, so that nothing is missing that the company itself has deleted
        company.now = FIRST_SYNC + number * WEEK if number < N_SYNCS - 1 else company.now + timedelta(hours=1)
        account.set_clock(company.now)
        before = company.switches[-1].models_off if company.switches else {}
        if company.source == "kombo" and week.models_off != before:
            company.switches.append(Switch(at=company.now, models_off=week.models_off))
            apply(account, company.switches[-1])
        settings = company.settings(
            account.url,
            data,
            raw_days=LONG if number < N_SYNCS - N_SHORT else SHORT,
            max_second_looks=week.max_second_looks,
        )
        account.world.set_faults(dict(week.faults))
        with _losing(account, week.loses):
            yield _read(account, settings, week.mode)


def _read(account: Account, settings: Settings, mode: Literal["full", "incremental"]) -> SyncRecord:
    """One sync. Kombo's first answer tells how the integration is: where a fault spoils that the sync is run again."""
    for _ in range(20):
        with contextlib.suppress(ContractError):
            return read(account, settings, mode)
    raise AssertionError("no sync was whole in twenty attempts")


@contextlib.contextmanager
def _losing(account: Account, lost: tuple[int, int | None]) -> Iterator[None]:
    """These applications are hidden, by JOIN and by Kombo."""
    rows = account.world.state.listing()[slice(*lost)].tolist()
    keys = [row + 1 for row in rows]
    ids = {account.kombo.replica.ids.of("applications", key) for key in keys}
    account.world.state.hide(keys)
    with mock.patch.object(Lists, "_entries", _entries_but(ids)):
        yield
    account.world.state.hide()


def _entries_but(ids: Collection[str]) -> Any:
    real = Lists._entries

    def entries(lists: Lists, model: str) -> list[Any]:
        return [entry for entry in real(lists, model) if entry.id not in ids]

    return entries


def _refuse_poor(lake: Path, records: list[SyncRecord]) -> None:
    """A lake that lacks any of this proves too little."""
    newest = open_lake(lake).newest()
    rows = [row for rows in versions(lake).values() for row in rows]
    has = {
        "compaction": any(file.kind is FileKind.MERGED for files in newest.files.models.values() for file in files),
        "a merge of 16 version files and more": any(
            len(paths) == 1 and len(before.files.models.get(name, [])) == MOST_VERSION_FILES
            for before, after in pairwise(records)
            for name, paths in after.files.models.items()
        ),
        "files beside a compacted one": any(len(paths) > 1 for paths in newest.files.models.values()),
        "folded records": (lake / "syncs" / "log.parquet").exists(),
        "a return": any(row["reason"] == "returned" for row in rows),
        "deletions since raw is kept": any(
            model.deleted for record in records[-SHORT // 7 :] for model in record.models.values()
        ),
        "a guarded sync": any(record.verdict == "guarded" for record in records),
        "applications set aside": any(
            pq.read_metadata(lake / file.path).num_rows for file in newest.files.quarantine.get("applications", [])
        ),
        "raw of several syncs": len(newest.files.raw["applications"]) > 2,
        "pending looks": bool(newest.pending),
    }
    if lacking := [name for name, is_there in has.items() if not is_there]:
        raise AssertionError(f"{lake} lacks {', '.join(lacking)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="the folder in which the lakes' folders are made")
    for one in COMPANIES:
        make(one, parser.parse_args().to)
