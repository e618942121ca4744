"""Companies whose records are odd in every column that a source fills: type-correct, and otherwise anything.

Belongs here: the odd values, and a warehouse of such rows drawn from a seed. Not here: what the marts make of them.
"""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.lake.sql import duckdb_type
from join_pipeline.models import MODELS
from join_pipeline_tests.dbt.company import START, create_tables, insert

TEXTS: Final = (
    None,
    "",
    " ",
    "all",
    "unknown",
    "other",
    "ALL",
    "null",
    "Hired",
    "hired ",
    "Screening",
    "PENDING",
    "HIRED",
    "DECLINED",
    "APPLIED",
    "OFFER",
    "REJECTED",
    "OPEN",
    "ARCHIVED",
    "DRAFT",
    "de",
    "DE",
    "{{ var('k') }}",
    "{% raw %}",
    "'; drop table x; --",
    '"quoted"',
    "back\\slash",
    "a/b/2026-01-01",
    "👩‍💻🇩🇪",
    "\u202eمرحبا",
    "ﬀ İstanbul ΤΕΛΙΚΟΣ",
    "\x01\x1b[31m\x7f",
    "line\nbreak\ttab",
    "</script><script>alert(1)</script>",
    "=1+1",
    "x" * 10_000,
)
INSTANTS: Final = (
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1989, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2199, 6, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
NUMBERS: Final = (None, 0, -1, 1, 2**63 - 1, -(2**63))
AMOUNTS: Final = (None, 0.0, -1.0, 1e308, 5e-324, float("inf"), float("nan"), 50_000.0)
JSONS: Final = (None, "{}", "[]", "null", '{"workplaceType": {"a": [1]}, "language": null}', '{"externalId": 7}')
JSON_COLUMNS: Final = ("custom_fields", "integration_fields", "format", "remote_data")
OUTCOMES: Final = ("PENDING", "HIRED", "DECLINED", None)
"""The mappings let no other word pass."""
ROLES: Final = (None, [], [None], [""], ["RECRUITER", "RECRUITER"], ["x" * 10_000, None], ["all"])
OURS: Final = frozenset(
    {"id", "changed_at", "remote_deleted_at", "observed_at", "sync_id", "content_hash", "payload_hash", "reason"}
)
"""The columns that the pipeline fills itself."""
PREFIXES: Final = {
    "applications": "a",
    "candidates": "c",
    "jobs": "j",
    "users": "u",
    "application_stages": "s",
    "screening_questions": "q",
    "tags": "t",
}
REFERENCES: Final = {
    "job_id": "jobs",
    "candidate_id": "candidates",
    "current_stage_id": "application_stages",
    "stage_id": "application_stages",
    "contact_id": "users",
    "user_id": "users",
    "tag_id": "tags",
    "question_id": "screening_questions",
    "precondition_question_id": "screening_questions",
}
LINKS: Final = {
    "candidate_tags": ("candidate_id", "tag_id"),
    "job_application_stages": ("job_id", "stage_id"),
    "job_screening_questions": ("job_id", "question_id"),
    "job_hiring_team": ("job_id", "user_id"),
}

Row = dict[str, Any]


class OddCompany:
    """Some syncs, and versions of records whose columns hold anything that fits their types."""

    def __init__(self, seed: int, *, share: float, sizes: dict[str, int] | None = None) -> None:
        self.random = random.Random(seed)
        self.share = share
        """Of the values, how many are odd."""
        self.sizes = {"applications": 120, "candidates": 60, "jobs": 8, **(sizes or {})}
        self.days = sorted(self.random.uniform(0, 200) for _ in range(6))

    def write(self, path: Path) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("set timezone = 'UTC'")
            tables = create_tables(connection)
            kinds = _kinds()
            syncs = [self._sync(number, at) for number, at in enumerate(self.days, start=1)]
            for model in (*PREFIXES, *LINKS):
                versions = self._versions(model, kinds[f"ats_history.{model}"], syncs)
                newest = {row["id"]: row for row in sorted(versions, key=lambda row: str(row["sync_id"]))}
                insert(connection, f"ats_history.{model}", tables[f"ats_history.{model}"], versions)
                for schema in ("ats", "ats_personal"):
                    if columns := tables.get(f"{schema}.{model}"):
                        insert(connection, f"{schema}.{model}", columns, list(newest.values()))
            self._pseudonyms(connection, tables["ats.pseudonyms"])
            insert(connection, "ats_history.syncs", tables["ats_history.syncs"], syncs)
            insert(connection, "ats.as_of", tables["ats.as_of"], [syncs[-1]])

    def _sync(self, number: int, days: float) -> Row:
        at = START + timedelta(days=days)
        return {
            "sync_id": f"s{number:04}",
            "mode": "full" if number % 3 else "incremental",
            "verdict": "committed" if number != 4 else "guarded",
            "started_at": at,
            "proves_at": at,
            "finished_at": at + timedelta(minutes=31),
            "as_of": at + timedelta(minutes=30),
            "is_applications_whole": True,
            "n_requests": 10,
            "n_unannounced": 0,
            "mapping_version": 1,
        }

    def _versions(self, model: str, kinds: dict[str, str], syncs: list[Row]) -> list[Row]:
        rows = []
        for key in self._keys(model):
            given = dict(zip(LINKS.get(model, ()), key.split("/"), strict=True)) if model in LINKS else {}
            seen = sorted(self.random.sample(range(len(syncs)), self.random.choice((1, 1, 2, 3))))
            was_gone = True
            for number in seen:
                at = syncs[number]["started_at"]
                is_gone = not was_gone and self.random.random() < 0.3
                row = {name: self._value(name, kind, at) for name, kind in kinds.items() if name not in OURS}
                rows.append(
                    row
                    | given
                    | {
                        "id": key,
                        "changed_at": at,
                        "remote_deleted_at": at if is_gone else None,
                        "observed_at": at + timedelta(minutes=10),
                        "sync_id": syncs[number]["sync_id"],
                        "content_hash": f"{key}-{number}",
                        "reason": "deleted" if is_gone else "observed",
                    }
                )
                was_gone = is_gone
        return rows

    def _keys(self, model: str) -> list[str]:
        if model in LINKS:
            pairs = {"/".join(self._reference(REFERENCES[name]) for name in LINKS[model]) for _ in range(20)}
            return sorted(pairs)
        return [f"{PREFIXES[model]}{number}" for number in range(self.sizes.get(model, 6))]

    def _reference(self, model: str) -> str:
        """The id of a record, or of one that no list shows."""
        if self.random.random() < self.share / 3:
            return f"{PREFIXES[model]}-missing-{self.random.randrange(3)}"
        return f"{PREFIXES[model]}{self.random.randrange(self.sizes.get(model, 6))}"

    def _value(self, name: str, kind: str, at: datetime) -> Any:
        is_odd = self.random.random() < self.share
        if name in REFERENCES:
            return None if is_odd and self.random.random() < 0.3 else self._reference(REFERENCES[name])
        if not is_odd and kind == "varchar":
            return self._usual(name)
        if not is_odd and kind == "timestamp with time zone":
            return at - timedelta(days=self.random.uniform(0, 9))
        fetched = at + timedelta(minutes=10)
        ahead = (fetched, fetched + timedelta(microseconds=1), fetched + timedelta(hours=2))
        by_kind = {
            "varchar": JSONS if name in JSON_COLUMNS else OUTCOMES if name == "outcome" else TEXTS,
            "timestamp with time zone": (*INSTANTS, *ahead),
            "bigint": NUMBERS,
            "double": AMOUNTS,
            "boolean": (True, False, None),
            "varchar[]": ROLES,
        }
        return self.random.choice(by_kind.get(kind, (None,)))

    def _usual(self, name: str) -> str:
        words = {
            **dict.fromkeys(JSON_COLUMNS, ("{}",)),
            "outcome": ("PENDING", "HIRED", "DECLINED"),
            "state": ("APPLIED", "ACTIVE", "OFFER", "HIRED", "REJECTED"),
            "status": ("OPEN", "ARCHIVED", "DRAFT"),
            "source": ("indeed", "LinkedIn", "StepStone"),
            "name": ("Screening", "Interview", "Offer", "Hired"),
        }
        return self.random.choice(words.get(name, ("some text", "another text")))

    def _pseudonyms(self, connection: duckdb.DuckDBPyConnection, columns: list[str]) -> None:
        """As load gives them: to records, and to what records refer to."""
        for model in ("applications", "candidates", "users", "tags"):
            ids = {row[0] for row in connection.execute(f"select id from ats_history.{model}").fetchall()}
            for table, names in (("applications", ("candidate_id",)), *LINKS.items(), ("jobs", ("contact_id",))):
                for name in names:
                    if REFERENCES[name] == model:
                        found = connection.execute(f"select {name} from ats_history.{table} where {name} is not null")
                        ids |= {row[0] for row in found.fetchall()}
            rows = [{"model": model, "id": one, "pseudonym": f"p-{one}"} for one in sorted(ids)]
            insert(connection, "ats.pseudonyms", columns, rows)


def _kinds() -> dict[str, dict[str, str]]:
    """The type of each column of each model's versions, by its table. Personal columns lie in tables of their own."""
    return {
        f"ats_history.{name}": {
            column.name: duckdb_type(column.type).lower().replace('"', "") for column in model.version_columns
        }
        for name, model in MODELS.items()
    }
