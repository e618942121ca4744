"""Two pipelines on one company for 60 days, one asks JOIN and one asks Kombo: the same eleven tables.

What is one record to both is told by its remote id: ids differ by source. Only columns that both can know are compared.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS
from join_pipeline.settings import Settings
from join_pipeline.sync.run import run_sync
from join_pipeline_tests.kombo.accounts import Account, Row, account, newest, parsed

END = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 60
STEP = 4  # days; Kombo syncs on its own every 6 hours
REFERENCES = {
    "jobs": {"contact_id": "users"},
    "applications": {"current_stage_id": "application_stages", "job_id": "jobs", "candidate_id": "candidates"},
    "candidate_tags": {"candidate_id": "candidates", "tag_id": "tags"},
    "job_application_stages": {"job_id": "jobs", "stage_id": "application_stages"},
    "job_screening_questions": {"job_id": "jobs", "question_id": "screening_questions"},
    "job_hiring_team": {"job_id": "jobs", "user_id": "users"},
}
# the instant of a sync is that of whose sync it is; and what Kombo's connector has no column for
NOT_COMPARED = {
    "jobs": {"opened_at", "integration_fields"},
    "applications": {
        "remote_created_at",
        "remote_updated_at",
        "source",
        "is_premium_source",
        "state",
        "qualified",
        "consent_status",
        "integration_external_id",
    },
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, list[str]]]:
    """60 days lived through, and what differed at any of them."""
    with account(tmp_path_factory.mktemp("two"), END - timedelta(days=DAYS), 150) as company:
        differences = []
        for n in range(int(DAYS / STEP) + 1):
            company.move(END - timedelta(days=DAYS - n * STEP))
            if n % 2 == 0:  # in between Kombo is late, as it is
                company.force()
            run_sync(company.join())
            run_sync(company.kombo())
            if n % 2 == 0:
                differences += [f"day {n * STEP}: {line}" for line in differing(company.join(), company.kombo())]
        yield company, differences


def test_both_know_the_same_eleven_tables_whenever_kombo_is_up_to_date(lived: tuple[Account, list[str]]) -> None:
    assert lived[1] == []


def test_syncs_were_of_both_kinds(lived: tuple[Account, list[str]]) -> None:
    records = open_lake(lived[0].kombo().lake).records()
    modes = [record.mode for record in records]
    assert (modes.count("full"), modes.count("incremental")) == (8, 8)
    for model in ("applications", "candidates", "candidate_tags", "jobs"):
        assert sum(record.models[model].changed + record.models[model].deleted for record in records) > 0, model
    assert sum(record.models["applications"].deleted for record in records) > 0
    assert {record.n_unannounced for record in records} == {0}
    assert not any(figures.quarantined for record in records for figures in record.feeds.values())


def differing(join: Settings, kombo: Settings) -> list[str]:
    """What the two tell differently of live records, a line each."""
    theirs, ours = comparable(newest(join, live=False)), comparable(newest(kombo, live=False))
    found = []
    for model in MODELS:
        for key in sorted(theirs[model].keys() | ours[model].keys()):
            there, here = theirs[model].get(key), ours[model].get(key)
            if there is None or here is None:
                found.append(f"{model} {key}: only {'JOIN' if here is None else 'Kombo'} knows it")
            else:
                found += [
                    f"{model} {key}: {column} is {there[column]!r} by JOIN, {here[column]!r} by Kombo"
                    for column in there
                    if there[column] != here[column]
                ]
    return found


def comparable(tables: dict[str, dict[str, Row]]) -> dict[str, dict[str, Row]]:
    """Live rows by remote id, references as remote ids, JSON without ids of our own."""

    def value(model: str, column: str, row: Row) -> Any:
        target = REFERENCES.get(model, {}).get(column)
        if target is not None:
            referred = tables[target].get(row[column])
            return referred and referred["remote_id"]
        if column == "format":
            shown = parsed(row[column])
            return shown | {"options": [option["name"] for option in shown.get("options", [])]}
        return parsed(row[column]) if column == "custom_fields" else row[column]

    return {
        model.name: {
            row["remote_id"]: {
                column.name: value(model.name, column.name, row)
                for column in model.fields
                if column.name not in {"remote_data", *NOT_COMPARED.get(model.name, ())}
            }
            for row in tables[model.name].values()
            if row["remote_deleted_at"] is None
        }
        for model in MODELS.values()
    }
