"""Rows as JOIN's payloads show them, for the tests of its reconcile."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.unit.sync.tables import BEFORE, NOW, Found, Row, Rows, Tables

JOIN = source_of("join", load_settings(data=Path()))
DELETED = {"remote_deleted_at": BEFORE}


def reconciled(given: Tables, **tables: Any) -> Found:
    return given.reconciled(JOIN, **tables)


def application(n: int, **columns: Any) -> Row:
    """The n-th application. Nothing that it names is there unless it is told."""
    return {"id": f"a{n}", "remote_id": str(n), "remote_created_at": BEFORE, "remote_updated_at": BEFORE} | columns


def shown(row: Row, *, tags: Sequence[str] | None = None, **candidate: Any) -> dict[str, Rows]:
    """The payload of an application: itself, and its candidate, with tags where its key is there."""
    parent = {"parent_updated_at": row["remote_updated_at"], "parent_id": int(row["remote_id"])}
    who = row["candidate_id"]
    return {
        "applications": [row],
        "candidates": [{"id": who, "shows_tags": tags is not None} | parent | candidate],
        "tags": [{"id": tag, "name": tag} for tag in tags or ()],
        "candidate_tags": [tagged(who, tag) for tag in tags or ()],
    }


def tagged(candidate: str, tag: str, **columns: Any) -> Row:
    return {"id": f"{candidate}/{tag}", "candidate_id": candidate, "tag_id": tag} | columns


def job(key: str, **columns: Any) -> Row:
    return {"id": key, "remote_id": key, "status": "OPEN", "remote_created_at": BEFORE} | columns


def shown_job(row: Row, *, team: Sequence[str] = (), updated_at: datetime = BEFORE, key: int = 1) -> dict[str, Rows]:
    """The payload of a job: itself and its people, each told apart by the job that shows them."""
    parent = {"parent_updated_at": updated_at, "parent_id": key}
    return {
        "jobs": [row],
        "users": [{"id": user, "first_name": f"{user}, by {row['id']}"} | parent for user in team],
        "job_hiring_team": [member(row["id"], user) for user in team],
    }


def member(of: str, user: str, **columns: Any) -> Row:
    return {"id": f"{of}/{user}", "job_id": of, "user_id": user} | columns


def place(of: str, stage: str, index: int | None = 0, **columns: Any) -> Row:
    return {"id": f"{of}/{stage}", "job_id": of, "stage_id": stage, "index": index} | columns


def asked(of: str, question: str, **columns: Any) -> Row:
    return {"id": f"{of}/{question}", "job_id": of, "question_id": question, "index": 0} | columns


def no(model: str, *ids: str, at: datetime = NOW) -> Rows:
    """Looks by a record's own id that found nothing."""
    return [{"model": model, "id": name, "remote_id": name, "observed_at": at} for name in ids]


def all_gone(found: Found) -> set[tuple[str, str]]:
    return {(model, name) for model, rows in found.gone.items() for name in rows}
