"""The sandbox's company: a pure function of a seed and a size, and one that looks like a real company."""

from collections import Counter

import numpy as np
import pytest

from join_pipeline.sandbox.candidates import TAGGED, UNTAGGED
from join_pipeline.sandbox.company import BEGIN, END, Company, make_company
from join_pipeline.sandbox.config import DEFAULT_NOW, SandboxConfig
from join_pipeline.sandbox.identities import candidate, contact
from join_pipeline.sandbox.instants import DAY, from_datetime
from join_pipeline.sandbox.jobs import DISCARDED, DRAFTED, OFFLINE, PUBLISHED
from join_pipeline.sandbox.journeys import ABSENT, DELETED, POSITION, REJECTED
from join_pipeline.sandbox.postings import Postings
from join_pipeline.sandbox.vocabulary.forms import SOURCES

NOW = from_datetime(DEFAULT_NOW)


def columns(company: Company) -> dict[str, np.ndarray]:
    """Every column of a company by name."""
    parts = {name: getattr(company, name) for name in ("jobs", "arrivals", "people", "log")}
    found = {f"{part}.{name}": value for part, columns in parts.items() for name, value in vars(columns).items()}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)} | {"gone": company.gone}


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(7, 5000)


@pytest.fixture(scope="module")
def postings(company) -> Postings:
    return Postings(company, SandboxConfig())


def final(company: Company, at: int) -> dict[str, np.ndarray]:
    """Masks over the applications that were created up to `at`: what has become of them."""
    code = np.full(company.n_applications, ABSENT, np.uint8)
    seen = company.log.take((company.log.at <= at) & (company.log.before != company.log.after))
    code[seen.application] = seen.after
    created = company.arrivals.created <= at
    is_hired = (code & POSITION) == company.jobs.n_custom[company.arrivals.job] + 2
    is_gone, is_rejected = code & DELETED != 0, code & REJECTED != 0
    return {
        "deleted": created & is_gone,
        "rejected": created & is_rejected & ~is_gone,
        "hired": created & is_hired & ~is_rejected & ~is_gone,
        "created": created,
    }


def test_equal_seeds_and_sizes_give_equal_companies(company):
    again = columns(make_company(7, 5000))
    assert all(np.array_equal(column, again[name]) for name, column in columns(company).items())


@pytest.mark.parametrize("other", [(8, 5000, None), (7, 5001, None), (7, 5000, 100)])
def test_another_seed_or_size_gives_another_company(company, other):
    assert not np.array_equal(make_company(*other).arrivals.created[:100], company.arrivals.created[:100])


@pytest.mark.parametrize(
    ("applications", "jobs", "expected_jobs"),
    [(0, None, 0), (0, 3, 3), (1, None, 24), (1, 1, 1), (50, 1, 1), (50, 3, 3), (999, None, 51)],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_exactly_as_many_applications_as_asked_for_are_created_up_to_the_default_now(
    seed, applications, jobs, expected_jobs
):
    company = make_company(seed, applications, jobs)
    created = company.arrivals.created
    assert (created <= NOW).sum() == applications
    assert len(company.jobs) == expected_jobs
    pace = applications * (END - DEFAULT_NOW) / (DEFAULT_NOW - BEGIN)
    assert (created > NOW).sum() == int(pace)


def test_everything_happens_in_order_and_nothing_after_a_deletion(company):
    log = company.log
    assert (np.diff(log.at) >= 0).all()
    moves = log.take(log.before != log.after)
    by_application = moves.take(np.lexsort((moves.at, moves.application)))
    same = by_application.application[1:] == by_application.application[:-1]
    assert (by_application.before[1:][same] == by_application.after[:-1][same]).all()
    assert (by_application.before[np.append(True, ~same)] == ABSENT).all()
    assert (np.diff(by_application.at)[same] > 0).all()
    assert (log.at >= company.arrivals.created[log.application]).all()
    assert (log.at <= company.gone[log.application]).all()


def test_nobody_applies_before_a_job_is_published(company):
    assert (company.arrivals.created > company.jobs.published[company.arrivals.job]).all()


def test_no_candidate_applies_twice_to_one_job_and_some_apply_to_several(company):
    pairs = Counter(zip(company.arrivals.candidate.tolist(), company.arrivals.job.tolist(), strict=True))
    assert set(pairs.values()) == {1}
    per_candidate = Counter(company.arrivals.candidate.tolist())
    assert 0.04 < sum(n > 1 for n in per_candidate.values()) / len(per_candidate) < 0.2
    assert max(per_candidate.values()) >= 3


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_outcomes_are_those_of_a_real_company(seed):
    company = make_company(seed, 5000)
    became = {name: mask.sum() / 5000 for name, mask in final(company, NOW).items()}
    assert 0.035 <= became["hired"] <= 0.07
    assert 0.55 <= became["rejected"] <= 0.70
    assert 0.08 <= became["deleted"] <= 0.12
    hired = company.jobs.n_custom[company.arrivals.job] + 2
    log = company.log.take(company.log.at <= NOW)
    hires = log.take((log.after == hired[log.application]) & (log.before != log.after))
    days = (hires.at - company.arrivals.created[hires.application]) / DAY
    assert 24 <= np.median(days) <= 37


def test_a_tenth_of_the_jobs_draws_a_third_of_the_applications(company):
    counts = np.sort(np.bincount(company.arrivals.job, minlength=len(company.jobs)))[::-1]
    assert counts[: len(counts) // 10].sum() > counts.sum() / 3
    assert 30 <= company.n_applications / len(company.jobs) <= 50


def test_offices_are_quiet_at_weekends_and_at_night(company):
    moves = company.log.take((company.log.before < DELETED) & (company.log.after < DELETED))
    moves = moves.take(moves.before != moves.after)
    weekday = (moves.at // DAY + 3) % 7
    assert (weekday >= 5).mean() < 0.08
    hour = moves.at % DAY // 3_600_000
    assert ((hour >= 6) & (hour < 19)).mean() > 0.95


def test_better_sources_hire_more(company):
    hired = final(company, NOW)["hired"]
    rate = [hired[company.arrivals.source == source].mean() for source in range(len(SOURCES))]
    products = [source.product for source in SOURCES]
    assert rate[products.index("Referral")] > 1.5 * rate[products.index("indeed (Limited)")]


def test_every_kind_of_journey_is_there(company):
    log = company.log
    before, after = log.before & POSITION, log.after & POSITION
    stays = (log.before | log.after) & (DELETED | REJECTED) == 0
    moved = log.before != log.after
    n = company.jobs.n_custom[company.arrivals.job[log.application]]
    kinds = {
        "back": stays & (after < before),
        "skipped": stays & (after > before + 1),
        "undone rejection": moved & (log.before & REJECTED != 0) & (log.after & (REJECTED | DELETED) == 0),
        "undone hire": stays & (before == n + 2) & moved,
        "withdrawn": moved & (log.after & DELETED != 0) & (log.before & REJECTED == 0),
        "deleted after a decision": moved & (log.after & DELETED != 0) & (log.before & REJECTED != 0),
    }
    counts = {name: int(mask.sum()) for name, mask in kinds.items()}
    assert all(count >= 5 for count in counts.values()), counts
    for position in range(3):  # from any stage
        assert (moved & (log.after & REJECTED != 0) & (before == position)).any()
        assert (kinds["withdrawn"] & (before == position)).any()


def test_jobs_are_drafted_paused_archived_and_thrown_away(company):
    events = Counter(company.jobs.event_kind.tolist())
    assert all(events[kind] > 0 for kind in range(DISCARDED + 1))
    history: dict[int, list[int]] = {}
    for job, kind in zip(company.jobs.event_job.tolist(), company.jobs.event_kind.tolist(), strict=True):
        history.setdefault(job, []).append(kind)
    assert set(history) == set(range(len(company.jobs)))
    assert {kinds[0] for kinds in history.values()} == {DRAFTED, PUBLISHED}
    assert any(kinds.count(OFFLINE) > 1 for kinds in history.values())
    discarded = [job for job, kinds in history.items() if DISCARDED in kinds]
    assert not np.isin(company.arrivals.job, discarded).any()


def test_pipelines_have_the_fixed_stages_and_mostly_share_their_ids(company, postings):
    ids: dict[str, set[int]] = {}
    shared = 0
    for job in range(len(company.jobs)):
        pipeline = postings.pipeline(job)
        names = [stage.name for stage in pipeline]
        assert [names[0], *names[-2:]] == ["Screening", "Offer", "Hired"]
        assert len(names) == len(set(names)) == company.jobs.n_custom[job] + 3
        assert [stage.index for stage in pipeline] == list(range(len(pipeline)))
        shared += pipeline[0].id < 1000
        for stage in pipeline:
            ids.setdefault(stage.name, set()).add(stage.id)
    assert 0.75 < shared / len(company.jobs) < 0.98
    assert {"Telefoninterview", "Probearbeiten", "Schnuppertag", "Gespräch mit Geschäftsführung"} <= set(ids)
    assert "Technical interview" in ids
    assert all(len([i for i in of if i < 1000]) == 1 for of in ids.values())


def test_tags_come_and_go_and_never_twice(company):
    people = company.people
    held: dict[int, set[int]] = {}
    for row in range(len(people.at)):
        tags = held.setdefault(int(people.candidate[row]), set())
        if people.kind[row] == TAGGED:
            assert people.tag[row] not in tags
            tags.add(int(people.tag[row]))
        elif people.kind[row] == UNTAGGED:
            tags.remove(int(people.tag[row]))
    assert (people.kind == UNTAGGED).sum() > 100
    shown = [candidate(company, index, NOW)["tags"] for index in range(500)]
    assert None in shown
    assert [] in shown
    assert any(tags and len(tags) > 1 for tags in shown)


def test_people_are_named_as_people_are_and_reachable_at_example_domains_only(company):
    persons = [candidate(company, index, NOW) for index in range(1500)]
    emails = [person["email"] for person in persons]
    assert len(set(emails)) == len(emails)
    domains = {email.partition("@")[2] for email in emails}
    contacts = [contact(company.seed, index) for index in range(60)]
    domains |= {person["email"].partition("@")[2] for person in contacts if person["email"]}
    assert domains == {"example.com", "example.org", "example.ch"}
    assert any(person["email"] is None for person in contacts)
    assert all(email.isascii() and " " not in email for email in emails)
    names = "".join(person["firstName"] + person["lastName"] for person in persons)
    assert set("äöüßéşŁ'-") <= set(names)
    assert None in {person["phoneNumber"] for person in persons}


def test_some_candidates_are_entered_twice_under_one_name(company):
    twins = company.arrivals.twin
    assert 0.003 < len(twins) / company.arrivals.n_candidates < 0.03
    for twin, original in list(twins.items())[:20]:
        one, other = candidate(company, twin, 0), candidate(company, original, 0)
        assert (one["firstName"], one["lastName"]) == (other["firstName"], other["lastName"])
        assert one["email"] != other["email"]


def test_forms_have_every_type_and_titles_need_escaping(company, postings):
    jobs = range(len(company.jobs))
    types = {question.type for job in jobs for question, _ in postings.questions(job)}
    assert types == {"TEXT", "INTEGER", "DATE", "SINGLE_CHOICE", "MULTIPLE_CHOICE", "BOOLEAN", "FILE", "VIDEO"}
    assert any("<script>" in postings.title(job, 0) for job in jobs)
    assert any(postings.title(job, 0) != postings.title(job, 1) for job in jobs)
