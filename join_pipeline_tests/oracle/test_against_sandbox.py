"""The oracle's two halves agree: what the sandbox lists, and what its event log says."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

import httpx
import pandas as pd
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.oracle.marts import (
    cohorts,
    counts_by_status,
    observed_applications,
    observed_changes,
    true_applications,
)
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.truth import Event, read_truth
from join_pipeline_tests.oracle.world import World

CONFIG = SandboxConfig(port=0, applications=400, jobs=200, rate_limit=None)
OTHER_GUESSES = replace(
    CONFIG,
    shows_questions=False,
    shows_hiring_team=True,
    has_milliseconds=False,
    state_keys=("hiringState",),
    page_size=20,
)
STATUS = {"PENDING": "OPEN", "HIRED": "HIRED", "DECLINED": "DECLINED"}


@dataclass(frozen=True)
class Look:
    world: World
    events: list[Event]

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        return expected_tables(self.world, "join:here")


@pytest.fixture(scope="module", params=[CONFIG, OTHER_GUESSES], ids=["as assumed", "other guesses"])
def look(request) -> Iterator[Look]:
    with running(request.param) as url:
        yield Look(World.read(f"{url}/v2", CONFIG.token), read_truth(url))


def test_listed_applications_are_those_that_truly_are_there(look):
    listed = look.tables["applications"].set_index("remote_id")
    happened = true_applications(look.events, CONFIG.now).set_index("application")
    there = happened[~happened["is_deleted"]].loc[listed.index]
    assert len(there) == (~happened["is_deleted"]).sum() > 300
    assert listed["outcome"].map(STATUS).tolist() == there["status"].tolist()
    told = pd.to_datetime(listed["remote_created_at"])
    assert (abs(told - there["applied_at"]) < pd.Timedelta(seconds=1)).all()
    assert listed["source"].tolist() == there["source"].tolist()
    stages = look.tables["application_stages"].set_index("id")["name"]
    assert listed["current_stage_id"].map(stages).tolist() == there["stage"].tolist()
    jobs = look.tables["jobs"].set_index("id")["remote_id"]
    assert listed["job_id"].map(jobs).tolist() == there["job"].tolist()


def test_tags_are_those_that_were_added_and_not_removed(look):
    carried: dict[str, list[str]] = {}
    for event in look.events:
        if event["type"] == "TAG_ADDED":
            carried.setdefault(event["record"].split("/")[1], []).append(event["to"])
        if event["type"] == "TAG_REMOVED":
            carried[event["record"].split("/")[1]].remove(event["from"])
    present = set(look.tables["candidates"]["remote_id"])
    links = {f"{candidate}/{tag}" for candidate, tags in carried.items() if candidate in present for tag in tags}
    assert set(look.tables["candidate_tags"]["remote_id"]) == links
    assert len(links) > 50


@pytest.mark.parametrize(
    ("model", "column", "parent"),
    [
        ("jobs", "contact_id", "users"),
        ("applications", "job_id", "jobs"),
        ("applications", "candidate_id", "candidates"),
        ("applications", "current_stage_id", "application_stages"),
        ("candidate_tags", "candidate_id", "candidates"),
        ("candidate_tags", "tag_id", "tags"),
        ("job_application_stages", "job_id", "jobs"),
        ("job_application_stages", "stage_id", "application_stages"),
        ("job_screening_questions", "job_id", "jobs"),
        ("job_screening_questions", "question_id", "screening_questions"),
        ("job_hiring_team", "job_id", "jobs"),
        ("job_hiring_team", "user_id", "users"),
    ],
)
def test_references_have_a_row(look, model, column, parent):
    meant = set(look.tables[model][column].dropna())
    assert meant
    assert meant <= set(look.tables[parent]["id"])


def test_ids_are_unique_and_the_world_is_rich(look):
    for table in look.tables.values():
        assert table["id"].is_unique
        assert not table.empty
    assert set(look.tables["jobs"]["status"]) == {"OPEN", "ARCHIVED", "DRAFT"}
    assert {"UNKNOWN", "SINGLE_SELECT", "NUMBER"} <= set(look.tables["screening_questions"]["format_type"])
    assert look.tables["jobs"]["contact_id"].isna().any()


def test_what_syncs_see_agrees_with_what_happened(look):
    """A sync at the end sees the true state of all that it sees; each noticed change lies within its bounds."""
    syncs = [moment.to_pydatetime() for moment in pd.date_range(end=CONFIG.now, periods=60, freq="D")]
    happened = true_applications(look.events, CONFIG.now).set_index("application")
    seen = observed_applications(look.events, syncs).set_index("application")
    alive = seen[~seen["is_deleted"]]
    assert alive["status"].tolist() == happened.loc[alive.index, "status"].tolist()
    assert (seen["n_stage_changes"] <= happened.loc[seen.index, "n_stage_changes"]).all()
    changes = observed_changes(look.events, syncs)
    assert set(changes["kind"]) == {"OUTCOME", "STAGE", "DELETION"}
    assert ((changes["lo"] < changes["true_at"]) & (changes["true_at"] <= changes["hi"])).all()


def test_cohorts_cover_everybody_and_fall_along_the_milestones(look):
    known = true_applications(look.events, CONFIG.now)
    funnel = cohorts(known, "Europe/Zurich")
    screening = funnel[funnel["milestone"] == "SCREENING"]
    assert screening["n_applications"].sum() == len(known)
    for _, cohort in funnel.groupby("cohort_month"):
        assert all(one >= other for one, other in pairwise(cohort["n_reached_assumed"]))
        assert (cohort["n_reached_observed"] <= cohort["n_reached_assumed"]).all()
    hired = funnel[funnel["milestone"] == "HIRED"]["n_reached_observed"].sum()
    ever = {event["record"] for event in look.events if event["type"] == "OUTCOME_CHANGED" and event["to"] == "HIRED"}
    assert hired == len(ever) > 0
    assert sum(counts_by_status(known).values()) == len(known)


def test_an_earlier_instant_of_the_same_world_is_read_as_it_was(look):
    """The truth up to an instant is the truth that the sandbox tells at that instant."""
    earlier = datetime(2025, 10, 1, tzinfo=UTC)
    with running(CONFIG) as url:
        httpx.post(f"{url}/control/clock", json={"now": earlier.isoformat()}, trust_env=False).raise_for_status()
        listed = World.read(f"{url}/v2", CONFIG.token).applications
    happened = true_applications(look.events, earlier)
    there = happened[~happened["is_deleted"]]
    assert {str(payload["id"]) for payload in listed} == set(there["application"])
    assert Counter(payload["currentStage"]["name"] for payload in listed) == Counter(there["stage"])
