"""Which lists a sync reads: each once, the first time; then what proves that the first reading was complete."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from join_pipeline.sandbox import SandboxConfig
from join_pipeline_tests.simulation.account import STILL, Account, opened
from join_pipeline_tests.simulation.history import Step
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import hurried, settings_for
from join_pipeline_tests.syncing import run_sync


@dataclass(frozen=True)
class Company:
    """An account that stands still, and the data folder of its pipeline."""

    account: Account
    data: Path

    def sync(self, mode: str = "auto") -> Observed:
        step = Step(mode=mode)
        with self.account.mortal.living(), self.account.exposing({}, STILL, step.pages_in_flight):
            settings = settings_for(self.account.url, self.data, step)
            run_sync(settings, step.mode, sleep=self.account.sleep, monotonic=self.account.monotonic)
        return Observed(self.data / "simulated" / "lake")


@contextmanager
def company(applications: int, jobs: int) -> Iterator[Company]:
    config = SandboxConfig(port=0, applications=applications, jobs=jobs, page_size=50, rate_limit=None)
    with tempfile.TemporaryDirectory() as folder, hurried(), opened(config, seed=1) as account:
        yield Company(account, Path(folder))


def listings(lake: Observed, feed: str) -> set[str]:
    """The listings of the last sync that had records."""
    return {raw.listing for raw in lake.raw(lake.newest.sync_id, [feed])}


def lists_of_statuses(lake: Observed) -> set[str]:
    """The lists of the statuses that the last sync's jobs have."""
    return {f"status={raw.payload['status']}" for raw in lake.raw(lake.newest.sync_id, ["jobs"]) if raw.payload}


def test_the_first_sync_reads_once_and_the_next_full_one_proves_it() -> None:
    with company(applications=300, jobs=12) as it:
        first = it.sync()
        statuses = lists_of_statuses(first)
        sparing = {"all-1"} | (statuses & {"status=DRAFT"})  # the plain list leaves drafts out
        assert len(statuses) > 1
        assert (listings(first, "applications"), listings(first, "jobs")) == ({"all-1"}, sparing)
        assert first.newest.last_full is None
        assert "not proved yet" in first.newest.reason

        by_hand = it.sync("incremental")
        assert by_hand.newest.last_full is None, "a list of changes proves nothing about the others"

        second = it.sync()
        assert (second.newest.mode, listings(second, "jobs")) == ("full", {"all-1"} | statuses)
        assert second.newest.last_full is not None
        assert "not proved yet" not in second.newest.reason
        assert first.current("applications") == second.current("applications")

        third = it.sync()
        assert (third.newest.mode, listings(third, "jobs")) == ("incremental", sparing)
        newest = max(raw.payload["lastUpdatedAt"] for raw in first.raw(feeds=["applications"]) if raw.payload)
        assert third.newest.feeds["applications"].listed_since == datetime.fromisoformat(newest)
        assert third.newest.n_requests < second.newest.n_requests - len(statuses)


def test_a_list_of_one_page_is_one_answer_and_proves_itself() -> None:
    with company(applications=40, jobs=3) as it:
        assert it.sync().newest.last_full is not None
        assert it.sync().newest.mode == "incremental"


def test_lists_that_lack_a_known_job_are_not_believed_about_the_statuses_that_they_show() -> None:
    with company(applications=300, jobs=12) as it:
        it.sync()
        known = it.sync()
        statuses = lists_of_statuses(known)
        by_status = [
            [raw.key for raw in known.raw(known.newest.sync_id, ["jobs"]) if raw.listing == status]
            for status in sorted(statuses - {"status=DRAFT"})
        ]
        same = max(by_status, key=len)
        assert len(same) > 1, "the plain list shows this status still"
        it.account.world.state.hide([], [int(same[0])])
        after = it.sync("incremental")
        assert listings(after, "jobs") == {"all-1", "look"} | statuses
        assert same[0] not in {row["remote_id"] for row in after.current("jobs")}
