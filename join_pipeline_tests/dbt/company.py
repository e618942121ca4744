"""A small warehouse.duckdb by hand: tests give syncs and versions, and get the tables that load would write.

Belongs here: what dbt reads, made from few words. Not here: JOIN, the lake, or how versions come about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

PROJECT = Path(__file__).parents[2] / "dbt_project"
SOURCES = PROJECT / "models" / "staging" / "ats"
STAGES = ("Screening", "Interview", "Case study", "Offer", "Hired")
OUTCOMES = {"APPLIED": "PENDING", "ACTIVE": "PENDING", "OFFER": "PENDING", "HIRED": "HIRED", "REJECTED": "DECLINED"}
STATES = ({"state": "APPLIED", "is_initial": True}, {"state": "OFFER", "milestone": "OFFER", "is_initial": False})
START = datetime(2026, 1, 5, tzinfo=UTC)

Row = dict[str, Any]


def day(days: float) -> datetime:
    """The instant so many days after the company's first one, a Monday."""
    return START + timedelta(days=days)


@dataclass(frozen=True)
class Seen:
    """What one sync saw of an application: `updated` is lastUpdatedAt, in days; `gone` is a tombstone."""

    sync: int
    stage: str | None = "Screening"
    state: str | None = "APPLIED"
    updated: float | None = None
    gone: bool = False
    reason: str | None = None


@dataclass
class Company:
    """Syncs by number and applications by name. Everything is given in days since `START`."""

    sync_rows: dict[int, Row] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    counts: list[Row] = field(default_factory=list)
    stage_names: dict[str, str] = field(default_factory=dict)

    def sync(self, number: int, at: float, mode: str = "full", **changed: Any) -> None:
        """A sync that starts at `at`, fetches for half an hour and ends."""
        self.sync_rows[number] = {
            "sync_id": f"s{number:04}",
            "mode": mode,
            "verdict": "committed",
            "started_at": day(at),
            "proves_at": day(at),
            "finished_at": day(at) + timedelta(minutes=31),
            "as_of": day(at) + timedelta(minutes=30),
            "is_applications_whole": True,
            "previous_sync_id": None,
            "n_requests": 10,
            "n_unannounced": 0,
            "mapping_version": 1,
            **changed,
        }

    def syncs(self, *days: float, mode: str = "full") -> None:
        """Syncs 1, 2, 3, … at these days."""
        for number, at in enumerate(days, start=1):
            self.sync(number, at, mode)

    def job(self, name: str, *, sync: int = 1, stages: Sequence[str] = STAGES, **columns: Any) -> None:
        self._write("jobs", name, sync, {"name": name, "status": "OPEN", "custom_fields": "{}", **columns})
        for index, stage in enumerate(stages):
            if stage not in {row["id"] for row in self.rows.get("application_stages", [])}:
                self.stage(stage, index, sync=sync)
            link = {"job_id": name, "stage_id": stage, "index": index}
            self._write("job_application_stages", f"{name}/{stage}", sync, link)

    def stage(self, stage: str, index: int, *, sync: int = 1, name: str | None = None) -> None:
        self._write("application_stages", stage, sync, {"name": name or stage, "global_index": index})

    def application(
        self,
        name: str,
        *seen: Seen,
        applied: float | None,
        job: str = "Nurse",
        candidate: str | None = None,
        candidate_created: float | None = None,
        source: str = "indeed",
    ) -> None:
        """An application by its versions. Its job and its candidate are made where they are missing."""
        if job not in {row["id"] for row in self.rows.get("jobs", [])}:
            self.job(job)
        candidate = candidate or f"c-{name}"
        if candidate not in {row["id"] for row in self.rows.get("candidates", [])}:
            made = {
                "source": source,
                "remote_created_at": None if candidate_created is None else day(candidate_created),
            }
            self._write("candidates", candidate, seen[0].sync, made)
        for one in seen:
            columns = {
                "outcome": OUTCOMES.get(one.state or ""),
                "current_stage_id": one.stage,
                "job_id": job,
                "candidate_id": candidate,
                "remote_created_at": None if applied is None else day(applied),
                "remote_updated_at": day(one.updated) if one.updated is not None else None,
                "source": source,
                "is_premium_source": False,
                "state": one.state,
            }
            if one.updated is None and applied is not None:
                columns["remote_updated_at"] = day(applied)
            reason = one.reason or ("deleted" if one.gone else "observed")
            self._write("applications", name, one.sync, columns, gone=one.gone, reason=reason)

    def link(self, model: str, key: str, /, *, sync: int = 1, gone: bool = False, **columns: Any) -> None:
        """A version of a record of any other model."""
        self._write(model, key, sync, columns, gone=gone)

    def _write(
        self,
        model: str,
        name: str,
        sync: int,
        columns: Mapping[str, Any],
        *,
        gone: bool = False,
        reason: str = "observed",
    ) -> None:
        at = self.sync_rows[sync]["started_at"]
        row = {
            "id": name,
            "remote_id": name,
            "changed_at": at,
            "remote_deleted_at": at if gone else None,
            "observed_at": at + timedelta(minutes=10),
            "sync_id": f"s{sync:04}",
            "content_hash": f"{name}-{sync}",
            "reason": reason,
        }
        self.rows.setdefault(model, []).append({**row, **columns})

    def write(self, path: Path) -> None:
        """All of it, as warehouse.duckdb."""
        with duckdb.connect(str(path)) as connection:
            connection.execute("set timezone = 'UTC'")
            tables = create_tables(connection)
            for model, rows in self.rows.items():
                newest = {row["id"]: row for row in sorted(rows, key=lambda row: row["sync_id"])}
                insert(connection, f"ats_history.{model}", tables[f"ats_history.{model}"], rows)
                insert(connection, f"ats.{model}", tables[f"ats.{model}"], list(newest.values()))
                if columns := tables.get(f"ats_personal.{model}"):
                    insert(connection, f"ats_personal.{model}", columns, list(newest.values()))
                if model in {"applications", "candidates", "users", "tags"}:
                    # load gives one also to a tag that links alone name
                    links = self.rows.get("candidate_tags", []) if model == "tags" else []
                    ids = dict.fromkeys([*newest, *(link["tag_id"] for link in links)])
                    names = [{"model": model, "id": name, "pseudonym": f"p-{name}"} for name in ids]
                    insert(connection, "ats.pseudonyms", tables["ats.pseudonyms"], names)
            syncs = list(self.sync_rows.values())
            insert(connection, "ats_history.syncs", tables["ats_history.syncs"], syncs)
            insert(connection, "ats_history.sync_counts", tables["ats_history.sync_counts"], self.counts)
            insert(
                connection,
                "ats.as_of",
                tables["ats.as_of"],
                [max(syncs, key=lambda row: row["as_of"])] if syncs else [],
            )


def create_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Tables as dbt's sources declare them, empty but for what JOIN's states mean; column names by table."""
    tables: dict[str, list[str]] = {}
    for file in sorted(SOURCES.glob("*__sources.yml")):
        for source in yaml.safe_load(file.read_text())["sources"]:
            connection.execute(f"create schema if not exists {source['schema']}")
            for table in source["tables"]:
                name = f"{source['schema']}.{table['name']}"
                columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
                connection.execute(f"create table {name} ({columns})")
                tables[name] = [column["name"] for column in table["columns"]]
    insert(connection, "ats.application_states", tables["ats.application_states"], STATES)
    return tables


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    if rows:
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"insert into {table} values ({marks})",
            [[row.get(column) for column in columns] for row in rows],
        )
