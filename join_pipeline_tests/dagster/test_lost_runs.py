"""Which unfinished runs are lost: those whose process is gone, and never one that works, waits or begins."""

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from join_pipeline.connections.lost_runs import (
    APART_SECONDS,
    COMING_UP,
    LOST,
    OpenRun,
    end_lost_runs,
    failure_line,
    lost_runs,
)
from join_pipeline.defs.automation import JOBS, UNFINISHED
from join_pipeline.lake.files import locked
from join_pipeline.lake.run_locks import FOLDER, look_at, run_lock
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for

STATUS = dg.DagsterRunStatus
EVERY = 20.0
LONG = 1000.0


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return settings_for("http://127.0.0.1:9", tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


def left_free(settings: Settings, run_id: str) -> None:
    """What a run that was killed leaves: its lock's file, which nobody holds."""
    path = settings.home / FOLDER / run_id
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("999999")


def looks(settings: Settings, run: OpenRun, *instants: float) -> list[bool]:
    """Whether the run is lost at each of several looks."""
    found, noted = [], None
    for now in instants:
        lost, noted = lost_runs(settings, [run], noted, now)
        found.append(lost == [run.run_id])
    return found


def test_a_run_whose_lock_is_free_is_lost_at_the_second_look(here: Settings) -> None:
    left_free(here, "one")
    for status in COMING_UP:
        run = OpenRun("one", status, since=0.0, is_ours=False)
        assert looks(here, run, 1, 2, 1 + APART_SECONDS) == [False, False, True]


def test_a_run_that_holds_its_lock_is_never_lost(here: Settings) -> None:
    with run_lock(here.home, "one"):
        for status in COMING_UP:
            assert not any(looks(here, OpenRun("one", status, 0.0, is_ours=True), *range(0, 10**6, 10**5)))


def test_a_look_at_a_lock_that_is_held_again_begins_anew(here: Settings) -> None:
    run = OpenRun("one", "STARTED", 0.0, is_ours=True)
    left_free(here, "one")
    _, noted = lost_runs(here, [run], None, LONG)
    with run_lock(here.home, "one"):
        lost, noted = lost_runs(here, [run], noted, LONG + EVERY)
    left_free(here, "one")
    assert lost == []
    assert lost_runs(here, [run], noted, LONG + 2 * EVERY)[0] == []


@pytest.mark.parametrize("status", COMING_UP)
def test_a_run_without_a_lock_yet_has_time_to_begin(here: Settings, status: str) -> None:
    run, patience = OpenRun("one", status, since=LONG, is_ours=True), COMING_UP[status]
    early = [LONG + part * patience for part in (0.1, 0.4, 0.7, 0.95)]
    assert looks(here, run, *early, LONG + patience, LONG + patience + EVERY) == [False] * 5 + [True]


def test_a_run_without_a_lock_that_is_not_ours_or_may_be_in_a_step_is_left_alone(here: Settings) -> None:
    assert not any(looks(here, OpenRun("one", "STARTED", 0.0, is_ours=False), LONG, 2 * LONG, 3 * LONG))
    assert not any(looks(here, OpenRun("one", "QUEUED", 0.0, is_ours=True), LONG, 2 * LONG, 3 * LONG))
    with locked(here.home):
        assert not any(looks(here, OpenRun("one", "STARTED", 0.0, is_ours=True), LONG, 2 * LONG, 3 * LONG))


@pytest.mark.parametrize("noted", [None, "", "{", "[]", "1", '{"one": "x"}', '{"one": null}', json.dumps({"one": 9e9})])
def test_a_note_that_cannot_be_read_or_lies_in_the_future_begins_anew(here: Settings, noted: str | None) -> None:
    left_free(here, "one")
    run = OpenRun("one", "STARTED", 0.0, is_ours=True)
    lost, after = lost_runs(here, [run], noted, LONG)
    assert lost == []
    assert lost_runs(here, [run], after, LONG + EVERY)[0] == ["one"]


@pytest.mark.parametrize("seed", range(30))
def test_over_random_lives_the_killed_are_lost_soon_and_the_living_never(here: Settings, seed: int) -> None:
    """A run imports for up to 90 s, opens for up to 10, works and waits, lets go up to 10 s before its end is noted."""
    chance = random.Random(seed)
    imported = chance.uniform(1, 90)
    opened = imported + chance.uniform(0, 10)
    let_go = opened + chance.uniform(0, 600)
    noted_end = let_go + chance.uniform(0, 10)
    killed = chance.choice([None, chance.uniform(0, noted_end)])
    held = contextlib.ExitStack()
    now, cursor, last = 0.0, None, None
    with held:
        while True:
            now += EVERY + chance.uniform(0, 3)
            alive = killed is None or now < killed
            reached = now if alive or killed is None else killed
            if alive and reached >= opened and last is None:
                last = held.enter_context(run_lock(here.home, "run")) or "held"
            if alive and reached >= let_go:
                held.close()
            if not alive and opened <= reached < let_go:
                held.close()
                left_free(here, "run")
            if alive and now >= noted_end:
                return  # Dagster lists it no more
            status, since = ("STARTED", imported) if reached >= imported else ("STARTING", 0.0)
            lost, cursor = lost_runs(here, [OpenRun("run", status, since, is_ours=True)], cursor, now)
            assert not (lost and alive), "a living run was given up"
            if lost:
                break
            assert killed is None or now < max(killed + 3 * EVERY, since + COMING_UP[status] + 3 * EVERY)


def test_dagster_is_told_and_the_lock_is_forgotten(here: Settings, instance: dg.DagsterInstance) -> None:
    @dg.job(name="sync")
    def job() -> None: ...

    states = (STATUS.STARTED, STATUS.STARTING, STATUS.NOT_STARTED, STATUS.CANCELING, STATUS.SUCCESS)
    runs = {status: instance.create_run_for_job(job, status=status).run_id for status in states}
    alive = instance.create_run_for_job(job, status=STATUS.STARTED).run_id
    context = dg.build_sensor_context(instance)
    left_free(here, runs[STATUS.STARTED])
    left_free(here, "of-another-time")
    with run_lock(here.home, alive):
        for now in (
            0.0,
            EVERY,
            2 * EVERY,
            3 * EVERY,
        ):  # the clock is before the runs: too early or too late is judged alike
            records = instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
            end_lost_runs(here, context, records, JOBS, lambda now=now: now)  # type: ignore[misc]
        after = {status: instance.get_run_by_id(run_id).status for status, run_id in runs.items()}  # type: ignore[union-attr]
        assert instance.get_run_by_id(alive).status is STATUS.STARTED  # type: ignore[union-attr]
    assert after == {
        STATUS.STARTED: STATUS.FAILURE,
        STATUS.STARTING: STATUS.FAILURE,
        STATUS.NOT_STARTED: STATUS.FAILURE,
        STATUS.CANCELING: STATUS.CANCELED,
        STATUS.SUCCESS: STATUS.SUCCESS,
    }
    messages = [event.message for event in instance.all_logs(runs[STATUS.STARTED])]
    assert any(LOST in message for message in messages)
    assert look_at(here.home, "of-another-time") == look_at(here.home, runs[STATUS.STARTED]) == "none"


def test_a_run_of_another_code_location_is_not_ours(here: Settings) -> None:
    def record(location: str) -> SimpleNamespace:
        origin = SimpleNamespace(repository_origin=SimpleNamespace(code_location_origin=at(location)))
        run = SimpleNamespace(run_id=location, status=STATUS.STARTED, job_name="sync", remote_job_origin=origin)
        return SimpleNamespace(dagster_run=run, update_timestamp=SimpleNamespace(timestamp=lambda: 0.0))

    def at(location: str) -> SimpleNamespace:
        return SimpleNamespace(location_name=location)

    ended: list[str] = []
    instance = SimpleNamespace(get_run_by_id=ended.append)
    context = SimpleNamespace(instance=instance, code_location_origin=at("ours"), cursor=None)
    context.update_cursor = lambda cursor: setattr(context, "cursor", cursor)
    for now in (LONG, 2 * LONG):
        end_lost_runs(here, context, [record("ours"), record("theirs")], JOBS, lambda now=now: now)  # type: ignore[misc]
    assert ended == ["ours"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("This run has been marked as failed from outside the execution context.", LOST),
        (LOST, LOST),
        ("Exceeded maximum runtime of 86400 seconds.", "Exceeded maximum runtime of 86400 seconds."),
        (None, "no step had begun"),
    ],
)
def test_a_failure_without_a_step_says_why(message: str | None, said: str) -> None:
    run = SimpleNamespace(job_name="sync", run_id="one")
    assert failure_line(run, SimpleNamespace(message=message), []) == f"sync failed (run one): {said}"


def test_a_failure_says_a_reason_of_several_steps_once() -> None:
    def step(key: str, said: str | None, error: str) -> SimpleNamespace:
        own = SimpleNamespace(description=said) if said else None
        why = SimpleNamespace(message=error, cause=None)
        return SimpleNamespace(step_key=key, step_failure_data=SimpleNamespace(error=why, user_failure_data=own))

    steps = [
        step("extract", "The token is wrong.", "dagster.Failure: The token is wrong."),
        step("load", "The token is wrong.", "dagster.Failure: The token is wrong."),
        step("build", None, "dagster._core.errors.DagsterExecutionInterruptedError"),
    ]
    line = failure_line(SimpleNamespace(job_name="sync", run_id="one"), SimpleNamespace(message="unused"), steps)
    assert line.startswith(
        "sync failed (run one): extract: The token is wrong.; build: The process of this run was told"
    )
    assert line.count("token") == 1
    assert "Dagster" not in line
