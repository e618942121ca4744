"""Rules of the sandbox's company: old applications go, first stages have any name, drafts open later."""

from datetime import UTC, datetime

import numpy as np
import pytest

from join_pipeline.sandbox import Drafts, Purge, SandboxConfig
from join_pipeline.sandbox.company import make_company
from join_pipeline.sandbox.instants import DAY, NEVER, from_datetime
from join_pipeline.sandbox.jobs import DRAFTED, PUBLISHED
from join_pipeline.sandbox.postings import Postings

BEGINS = datetime(2025, 6, 1, 2, tzinfo=UTC)


def test_each_night_whatever_is_older_goes_and_all_else_is_as_without_the_rule():
    without = make_company(7, 300)
    company = make_company(7, 300, purge=Purge(days=60, begins=BEGINS))
    age = company.gone - company.arrivals.created
    is_purged = company.gone != without.gone
    assert is_purged.sum() > 100
    assert (age[is_purged] >= 60 * DAY).all()
    assert (company.gone[is_purged] >= from_datetime(BEGINS)).all()
    late = company.arrivals.created + 60 * DAY > from_datetime(BEGINS)
    assert (age[is_purged & late] < 61 * DAY + DAY // 12).all()
    assert (company.gone <= without.gone).all()
    end = {application: at for at, application in zip(company.log.at, company.log.application, strict=True)}
    assert all(at <= company.gone[application] for application, at in end.items())


def test_a_rule_at_once_deletes_what_is_older_then_and_nothing_later():
    without = make_company(7, 300)
    company = make_company(7, 300, purge=Purge(days=60, begins=BEGINS, is_once=True))
    is_purged = company.gone != without.gone
    is_due = company.arrivals.created + 60 * DAY <= from_datetime(BEGINS)
    assert (is_purged == (is_due & (without.gone > from_datetime(BEGINS)))).sum() >= len(is_due) - 1
    assert (company.gone[is_purged] < from_datetime(BEGINS) + DAY // 24).all()
    assert (company.gone[~is_purged] == without.gone[~is_purged]).all()
    assert NEVER in company.gone


def test_jobs_are_drafts_as_often_and_as_long_as_asked():
    jobs = make_company(7, 2000, drafts=Drafts(share=1.0, days=30)).jobs
    drafted = {job: at for at, job, kind in zip(jobs.event_at, jobs.event_job, jobs.event_kind, strict=True)
               if kind == DRAFTED}  # fmt: skip
    assert len(drafted) == len(jobs)
    opened = jobs.event_kind == PUBLISHED
    waits = [at - drafted[job] for at, job in zip(jobs.event_at[opened], jobs.event_job[opened], strict=True)]
    assert 20 * DAY < np.median(waits) < 45 * DAY


def test_first_stages_have_the_names_that_are_set():
    config = SandboxConfig(first_stages=("Eingang", "New here"))
    postings = Postings(make_company(7, 100), config)
    assert [postings.pipeline(job)[0].name for job in range(3)] == ["Eingang", "New here", "Eingang"]
    assert len({postings.pipeline(job)[0].id for job in range(0, 20, 2)} & {101}) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Purge(days=0, begins=BEGINS),
        lambda: Purge(days=9, begins=BEGINS.replace(tzinfo=None)),
        lambda: Drafts(share=1.1),
        lambda: SandboxConfig(first_stages=()),
        lambda: SandboxConfig(first_stages=("",)),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"age|time zone|drafts|first stage"):
        wrong()
