"""The state at an instant: every way to it gives the same, and it equals a replay of the truth."""

import json
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.sandbox import payloads
from join_pipeline.sandbox.company import make_company
from join_pipeline.sandbox.config import DEFAULT_NOW, SandboxConfig
from join_pipeline.sandbox.instants import DAY, from_datetime, iso, iso_column
from join_pipeline.sandbox.overlay import Written
from join_pipeline.sandbox.state import VISIBLE_STATUSES, State
from join_pipeline.sandbox.truth import truth
from join_pipeline.sandbox.world import World
from join_pipeline.sandbox.write_endpoints import shift

NOW = from_datetime(DEFAULT_NOW)
COMPANY = make_company(11, 300)
NOTHING = Written(COMPANY.n_applications, COMPANY.arrivals.n_candidates)
INSTANTS = st.integers(NOW - 600 * DAY, NOW + 600 * DAY)


def at(*instants: int, announces_changes: bool = True) -> State:
    state = State(COMPANY, NOTHING, announces_changes=announces_changes)
    for instant in instants:
        state.move(instant)
    return state


def content(state: State) -> tuple[list[int], ...]:
    kept = (
        "code",
        "updated",
        "changes",
        "live",
        "job_status",
        "job_updated",
        "job_created",
        "job_titles",
        "job_prices",
    )
    return tuple(getattr(state, name).tolist() for name in kept)


@given(st.lists(INSTANTS, min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_the_state_depends_on_the_instant_alone(instants):
    assert content(at(*instants)) == content(at(instants[-1]))


@given(INSTANTS, st.integers(0, 400))
@settings(deadline=None, max_examples=60)
def test_changed_since_finds_what_a_look_at_every_record_finds(instant, days):
    state, since = at(instant), instant - days * DAY
    assert state.listing(None, since).tolist() == [row for row in state.live.tolist() if state.updated[row] >= since]


@given(INSTANTS)
@settings(deadline=None, max_examples=30)
def test_a_version_changes_whenever_something_can_be_seen_to_change(instant):
    state = at(instant)
    before, version = content(state), state.version
    state.move(instant + DAY)
    assert (content(state) == before) == (state.version == version)


def test_last_updated_is_the_instant_of_the_last_change():
    state = at(NOW)
    log = COMPANY.log.take(COMPANY.log.at <= NOW)
    last = np.zeros(COMPANY.n_applications, np.int64)
    np.maximum.at(last, log.application, log.at)
    assert state.updated.tolist() == last.tolist()


def test_silent_changes_move_the_stage_but_not_last_updated():
    silent, loud = at(NOW, announces_changes=False), at(NOW)
    assert silent.code.tolist() == loud.code.tolist()
    assert (silent.updated <= loud.updated).all()
    moved = COMPANY.log.take((COMPANY.log.at <= NOW) & (COMPANY.log.before != COMPANY.log.after))
    quiet = np.setdiff1d(moved.application, COMPANY.log.take(COMPANY.log.before == COMPANY.log.after).application)
    assert silent.updated[quiet].tolist() == COMPANY.arrivals.created[quiet].tolist()
    assert (silent.updated[quiet] < loud.updated[quiet]).sum() > 50


def replay(lines: str) -> tuple[dict, dict, dict]:
    """Applications, jobs and tags as the truth's events leave them."""
    applications: dict[str, dict] = {}
    jobs: dict[str, dict] = {}
    tags: dict[str, list[str]] = {}
    for event in map(json.loads, lines.splitlines()):
        record, before, after = event["record"], event["from"], event["to"]
        match event["type"], record.partition("/")[0]:
            case "CREATED", "applications":
                applications[record] = {"stage": after["stage"], "outcome": "pending", "job": after["jobId"]}
            case "CREATED", "jobs":
                jobs[record] = dict(after)
            case "STAGE_CHANGED", _:
                assert applications[record]["stage"] == before
                applications[record]["stage"] = after
            case "OUTCOME_CHANGED", _:
                outcome = {"APPLIED": "pending", "ACTIVE": "pending", "OFFER": "pending"}
                assert outcome.get(before, before) == applications[record]["outcome"]
                applications[record]["outcome"] = outcome.get(after, after)
            case "DELETED", kind:
                del (applications if kind == "applications" else jobs)[record]
            case "JOB_CHANGED", _:
                assert all(jobs[record].get(key, value) == value for key, value in before.items())
                jobs[record] |= after
            case "TAG_ADDED", _:
                tags.setdefault(record, []).append(after)
            case "TAG_REMOVED", _:
                tags[record].remove(before)
    return applications, jobs, tags


@pytest.mark.parametrize("days", [-400, -37, 0, 5, 300])
def test_the_state_is_what_the_truth_replays_to(days):
    config = SandboxConfig(seed=11, applications=300, now=DEFAULT_NOW + timedelta(days=days))
    world = World(config, "http://127.0.0.1:1")
    state = world.look()
    lines = b"".join(truth(world, state.now)).decode()
    ats = [json.loads(line)["at"] for line in lines.splitlines()]
    assert ats == sorted(ats)
    applications, jobs, tags = replay(lines)
    shown = [world.payloads.application(state, row) for row in state.listing().tolist()]
    assert {f"applications/{payload['id']}" for payload in shown} == set(applications)
    for payload in shown:
        known = applications[f"applications/{payload['id']}"]
        stage = payload["currentStage"]
        assert known["stage"] == {"id": stage.id, "name": stage.name, "index": stage.index}
        assert known["job"] == payload["job"]["id"]
        assert known["outcome"] == (payload["state"] if payload["state"] in ("HIRED", "REJECTED") else "pending")
        assert (payload["candidate"]["tags"] or []) == tags.get(f"candidates/{payload['candidate']['id']}", [])
    listed = [
        world.postings.payload(state, int(job), with_description=False) for job in state.job_listing(VISIBLE_STATUSES)
    ]
    assert {f"jobs/{job['id']}" for job in listed} == set(jobs)
    for job in listed:
        known_job = jobs[f"jobs/{job['id']}"]
        assert (job["title"], job["status"]) == (known_job["title"], known_job["status"])
        assert job["salary"] == known_job.get("salary", job["salary"])


def test_kept_payloads_are_those_that_would_be_built_anew():
    kept = World(SandboxConfig(seed=11, applications=300), "http://127.0.0.1:1")
    for days in (0, 1, 9, 3, 200, -50):
        kept.clock.set(NOW + days * DAY)
        state = kept.look()
        anew = World(
            SandboxConfig(seed=11, applications=300, now=DEFAULT_NOW + timedelta(days=days)), "http://127.0.0.1:1"
        )
        rows = state.listing()
        assert kept.payloads.applications(state, rows) == anew.payloads.applications(anew.look(), rows)


def test_written_applications_lie_among_those_of_the_timeline_on_one_page():
    month_before = DEFAULT_NOW - timedelta(days=30)
    world = World(SandboxConfig(seed=11, applications=300, now=month_before), "http://127.0.0.1:1")
    shift(world)
    world.clock.set(NOW)
    state = world.look()
    rows = state.listing()
    [place] = np.flatnonzero(rows >= COMPANY.n_applications).tolist()
    assert 0 < place < len(rows) - 1
    records = world.payloads.applications(state, rows)
    assert [json.loads(record)["id"] for record in records] == (rows + 1).tolist()
    assert records == [msgspec.json.encode(world.payloads.application(state, row)) for row in rows.tolist()]


def test_more_records_than_are_kept_are_those_that_would_be_built_anew(monkeypatch):
    world = World(SandboxConfig(seed=11, applications=300), "http://127.0.0.1:1")
    state = world.look()
    rows = state.listing()
    anew = [msgspec.json.encode(world.payloads.application(state, row)) for row in rows.tolist()]
    monkeypatch.setattr(payloads, "_CACHED_RECORDS", 60)
    for start in (0, 25, 50, 30, 10, 0):  # pages that overlap: some kept, some not, with and without room for them
        page = slice(start, start + 50)
        assert world.payloads.applications(state, rows[page]) == anew[page]


@given(st.lists(st.integers(-(10**12), 4 * 10**12)), st.booleans())
def test_a_column_of_instants_is_written_like_each_of_them(moments, has_milliseconds):
    written = iso_column(np.array(moments, np.int64), has_milliseconds=has_milliseconds)
    assert written == [iso(moment, has_milliseconds=has_milliseconds) for moment in moments]
