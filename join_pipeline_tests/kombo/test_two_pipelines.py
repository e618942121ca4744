"""Two pipelines on one company for 60 days, one by JOIN and one by Kombo, get the same tables of models.

And bounds of when things happened that hold what is true, and never contradict each other.

What is one record to both is told by its remote id: ids differ by source. Only columns that both can know are compared.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS
from join_pipeline.settings import Settings
from join_pipeline.sources.kombo.options import KomboOptions
from join_pipeline_tests.dbt.coverage import CLAIMS, DURATIONS
from join_pipeline_tests.kombo.accounts import KOMBO, Account, Row, account, newest, parsed
from join_pipeline_tests.kombo.instants import Told, told
from join_pipeline_tests.oracle.truth import read_truth, timelines
from join_pipeline_tests.syncing import run_sync

END = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 60
STEP = 4  # days
OFTEN = replace(KOMBO, sync_hours=9.5)  # Kombo's own syncs: up to so many hours before the pipeline's
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


# a sync takes a moment: what one pipeline fetches last, the other fetches so much earlier or later
MOMENT = timedelta(minutes=1)


pytestmark = pytest.mark.slow  # make test plays random histories by Kombo


@dataclass(frozen=True)
class Lived:
    """60 days, what differed at any of them, and what both tell in the end of when things happened."""

    company: Account
    differences: list[str]
    by_join: list[Told]
    by_kombo: list[Told]

    @property
    def pairs(self) -> list[tuple[Told, Told]]:
        """What both tell as often of the same application, JOIN's first: what came and went Kombo may have missed."""
        theirs, ours = ({one.key: one for one in told_by} for told_by in (self.by_join, self.by_kombo))
        often = [Counter(one.key[:3] for one in told_by) for told_by in (self.by_join, self.by_kombo)]
        return [(one, ours[key]) for key, one in theirs.items() if often[0][key[:3]] == often[1][key[:3]]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with account(tmp_path_factory.mktemp("two"), END - timedelta(days=DAYS), 150, OFTEN) as company:
        differences = []
        for n in range(int(DAYS / STEP) + 1):
            company.move(END - timedelta(days=DAYS - n * STEP))
            if n % 2 == 0:  # in between Kombo is late, as it is
                company.force()
            run_sync(company.join())
            run_sync(company.kombo())
            if n % 2 == 0:
                differences += [f"day {n * STEP}: {line}" for line in differing(company.join(), company.kombo())]
        lines = timelines(read_truth(company.url))
        by_join, by_kombo = (told(settings.lake, lines) for settings in (company.join(), company.kombo()))
        yield Lived(company, differences, by_join, by_kombo)


def test_both_know_the_same_eleven_tables_whenever_kombo_is_up_to_date(lived: Lived) -> None:
    assert lived.differences == []


def test_syncs_were_of_both_kinds(lived: Lived) -> None:
    records = open_lake(lived.company.kombo().lake).records()
    modes = [record.mode for record in records]
    assert (modes.count("full"), modes.count("incremental")) == (8, 8)
    for model in ("applications", "candidates", "candidate_tags", "jobs"):
        assert sum(record.models[model].changed + record.models[model].deleted for record in records) > 0, model
    assert sum(record.models["applications"].deleted for record in records) > 0
    assert {record.n_unannounced for record in records} == {0}
    assert not any(figures.quarantined for record in records for figures in record.feeds.values())


def test_what_truly_happened_lies_within_the_bounds_of_both(lived: Lived) -> None:
    for told_by in (lived.by_join, lived.by_kombo):
        assert [one for one in told_by if not one.holds] == []
        counted = Counter(one.claim for one in told_by)
        assert set(counted) == {*CLAIMS, *DURATIONS}
        assert counted["events"] > 200
        assert min(counted.values()) >= 10


def test_both_tell_of_the_same_and_their_bounds_never_contradict(lived: Lived) -> None:
    assert len(lived.pairs) >= 0.95 * max(len(lived.by_join), len(lived.by_kombo))
    assert [pair for pair in lived.pairs if not pair[0].overlaps(pair[1])] == []
    assert [pair for pair in lived.pairs if pair[0].true != pair[1].true] == []


def test_kombo_bounds_as_widely_or_more_widely(lived: Lived) -> None:
    """Its answers are old, so lo is earlier; it has no update times, so hi is later; creation times are candidates'."""
    moment = MOMENT / timedelta(days=1)
    assert [pair for pair in lived.pairs if pair[1].width < pair[0].width - moment] == []
    wider = Counter(join.claim for join, kombo in lived.pairs if kombo.width > join.width + moment)
    assert set(wider) == {*CLAIMS, *DURATIONS}
    instants = [pair for pair in lived.pairs if pair[0].claim in CLAIMS]
    assert [pair for pair in instants if pair[0].hi > pair[1].hi + MOMENT] == []
    proved = [pair for pair in instants if pair[0].lo is not None and pair[1].lo is not None]
    assert [pair for pair in proved if pair[1].lo > pair[0].lo] == []
    # where JOIN's lo is a sync's start, so is Kombo's, less the age of its answers; where it is a creation, the same
    staleness = timedelta(hours=lived.company.kombo().of(KomboOptions).kombo_staleness_hours)
    apart = Counter(round((join.lo - kombo.lo) / timedelta(hours=1)) for join, kombo in proved)
    assert apart[0] > 20
    assert apart[round(staleness / timedelta(hours=1))] > 20
    sources = {one.evidence for one in lived.by_join}, {one.evidence for one in lived.by_kombo}
    assert "source" in sources[0]
    assert "source" not in sources[1]
    assert {"candidate_created", "bounded"} < sources[1]


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
