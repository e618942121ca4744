"""A list that leaves out newer applications and shows an older one: what they share stays as the newest told it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from join_pipeline.lake.record import SyncRecord
from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.payloads import Payloads
from join_pipeline_tests.simulation.account import Account, opened
from join_pipeline_tests.simulation.history import Step
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import hurried, settings_for
from join_pipeline_tests.syncing import run_sync

Answers = list[dict[str, Any]]
SEED = 5
COMPANY = SandboxConfig(port=0, seed=SEED, applications=150, jobs=12, rate_limit=None, shows_questions=False)


@contextmanager
def a_form_that_was_turned(turned_at: str) -> Iterator[None]:
    """Applications from that instant on answer the questions of a form in the other order."""
    real: Callable[..., Answers] = Payloads._answers

    def answers(self: Payloads, row: int, job: int, created: int) -> Answers:
        told = real(self, row, job, created)
        return told[::-1] if iso(created) >= turned_at else told

    with mock.patch.object(Payloads, "_answers", answers):
        yield


def sync(account: Account, data: Path, hidden: Collection[int]) -> SyncRecord:
    """A full sync that neither lists these applications nor asks for them."""
    account.world.state.hide(list(hidden))
    step = Step(mode="full", max_second_looks=0)
    settings = settings_for(account.url, data, step)
    record = run_sync(settings, "full", sleep=account.sleep, monotonic=account.monotonic)
    account.world.state.hide()
    return record


def places(data: Path, job: int) -> dict[str, int]:
    """The questions of a job, each with its place in the form."""
    lake = Observed(data / "simulated" / "lake")
    (of,) = [row["id"] for row in lake.current("jobs") if row["remote_id"] == str(job)]
    titles = {row["id"]: row["title"] for row in lake.current("screening_questions")}
    links = lake.current("job_screening_questions")
    return {titles[row["question_id"]]: row["index"] for row in links if row["job_id"] == of}


def test_the_order_of_a_form_is_that_of_the_newest_application_listed_or_not(tmp_path: Path) -> None:
    by_job = defaultdict(list)
    with opened(COMPANY, SEED) as account:
        for one in account.read().applications:
            if len(one["screeningQuestions"]) > 2:
                by_job[one["job"]["id"]].append(one)
    few = [job for job, those in by_job.items() if len(those) < 20]  # the guard believes that these are missing
    job = max(few, key=lambda of: len(by_job[of]))
    newest = max(by_job[job], key=lambda one: (one["lastUpdatedAt"], one["id"]))
    older = {one["id"] for one in by_job[job] if one["createdAt"] < newest["createdAt"]}
    others = {one["id"] for one in by_job[job]} - older
    assert len(older) > 1
    told = [one["question"] for one in newest["screeningQuestions"]]
    turned = {question: index for index, question in enumerate(reversed(told))}

    with hurried(), a_form_that_was_turned(newest["createdAt"]), opened(COMPANY, SEED) as account:
        sync(account, tmp_path, older)
        assert places(tmp_path, job) == turned
        record = sync(account, tmp_path, others)
        assert (record.models["applications"].new, len(record.pending["applications"])) == (len(older), len(others))
        assert places(tmp_path, job) == turned
        again = sync(account, tmp_path, ())
        assert {model for model, figures in again.models.items() if figures.versions} == set()
        assert places(tmp_path, job) == turned
