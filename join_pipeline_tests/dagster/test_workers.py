"""Runs on other machines: who judges them, which queue they take, and what is a lost worker."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.run_coordinator import QueuedRunCoordinator

from join_pipeline.connections.lost_runs import (
    QUEUE_TAG,
    busy,
    end_lost_runs,
    end_lost_runs_of,
    hand_over,
    in_its_queue,
    is_elsewhere,
    of_run,
)
from join_pipeline.connections.trigger import pending_trigger, set_trigger
from join_pipeline.defs.automation import JOBS
from join_pipeline.errors import SettingsError
from join_pipeline.fleet import celery_app, celery_launcher
from join_pipeline.fleet.celery_launcher import PATIENCE_SECONDS, PatientCeleryRunLauncher
from join_pipeline.fleet.queues import CompanyQueueCoordinator, queue_of
from join_pipeline.lake.files import locked
from join_pipeline.lake.run_locks import FOLDER, run_ids, run_lock
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import ELSEWHERE, settings_for

TASK = "dagster-celery/task_id"


@dg.job(name="sync")
def sync() -> None: ...


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return settings_for("http://127.0.0.1:9", tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(overrides=ELSEWHERE) as instance:
        yield instance


def test_a_run_on_another_machine_is_never_judged_by_locks_of_this_one(
    here: Settings, instance: dg.DagsterInstance
) -> None:
    run = instance.create_run_for_job(sync, status=dg.DagsterRunStatus.STARTED)
    context = dg.build_sensor_context(instance)
    records = instance.get_run_records()
    for now in (1e12, 2e12):
        assert "run monitoring ends those" in end_lost_runs(here, context, records, JOBS, lambda now=now: now)  # type: ignore[misc]
        end_lost_runs_of([(here, records)], context, JOBS, lambda now=now: now)  # type: ignore[misc]
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.STARTED


def test_a_lock_of_this_machine_says_nothing_of_a_company_on_another(
    here: Settings, instance: dg.DagsterInstance
) -> None:
    assert is_elsewhere(instance)
    assert busy(here, [], JOBS, instance) is None
    assert not here.home.exists(), "a look makes no folder of a company that lives elsewhere"
    with locked(here.home):
        assert busy(here, [], JOBS, instance) is None
    with dg.instance_for_test() as local, locked(here.home):
        assert not is_elsewhere(local)
        assert "Another command works" in str(busy(here, [], JOBS, local))


def test_a_run_forgets_the_locks_of_runs_that_were_killed_on_its_machine(
    here: Settings, instance: dg.DagsterInstance
) -> None:
    (here.home / FOLDER).mkdir(parents=True)
    (here.home / FOLDER / "killed").write_text("999999")
    run = SimpleNamespace(run_id="mine")
    with run_lock(here.home, "works"), contextlib.contextmanager(of_run)(here, run, instance):
        assert run_ids(here.home) == ["mine", "works"]
    with dg.instance_for_test() as local:
        (here.home / FOLDER / "killed").write_text("999999")
        with contextlib.contextmanager(of_run)(here, run, local):
            assert run_ids(here.home) == ["killed", "mine"], "here the sensor looks at it twice first"


def test_webhooks_are_handed_over_to_a_run_on_another_machine(here: Settings, instance: dg.DagsterInstance) -> None:
    set_trigger(here.home)
    with dg.instance_for_test() as local:
        hand_over(here.home, local)
    assert pending_trigger(here.home)
    hand_over(here.home, instance)
    assert pending_trigger(here.home) is None


def test_a_run_that_came_by_another_queue_is_refused(here: Settings, instance: dg.DagsterInstance) -> None:
    pinned = here.model_copy(update={"queue": "shard1"})
    for tags in ({}, {QUEUE_TAG: "shard0"}):
        with pytest.raises(SettingsError, match="with the tag dagster-celery/queue: shard1"):
            in_its_queue(pinned, SimpleNamespace(tags=tags), instance)
    assert in_its_queue(pinned, SimpleNamespace(tags={QUEUE_TAG: "shard1"}), instance) is pinned
    assert in_its_queue(here, SimpleNamespace(tags={QUEUE_TAG: "shard1"}), instance) is here
    with dg.instance_for_test() as local:
        assert in_its_queue(pinned, SimpleNamespace(tags={}), local) is pinned


def test_what_is_launched_by_hand_gets_the_queue_of_its_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    file = tmp_path / "connections.toml"
    file.write_text('[acme]\nqueue = "shard1"\n[acme.secrets]\njoin_api_token = {environment = "NOT_HERE"}\n[globex]\n')
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTIONS_TOML", str(file))
    assert [queue_of(name) for name in ("acme", "globex", None)] == ["shard1", None, None]
    monkeypatch.setenv("JOIN_PIPELINE_QUEUE", "shard7")
    assert [queue_of(name) for name in ("acme", "globex", None)] == ["shard1", "shard7", "shard7"]

    assert isinstance(instance.run_coordinator, CompanyQueueCoordinator)
    queued: list[str] = []  # Dagster's own queue wants a run that a code server made
    monkeypatch.setattr(QueuedRunCoordinator, "submit_run", lambda _, asked: queued.append(asked.dagster_run.run_id))
    monkeypatch.delenv("JOIN_PIPELINE_QUEUE")
    for name, given, expected in (
        ("acme", {}, "shard1"),
        ("acme", {QUEUE_TAG: "mine"}, "mine"),
        ("globex", {}, "dagster"),
    ):
        run = instance.create_run_for_job(sync, tags={"dagster/partition": name} | given)
        instance.run_coordinator.submit_run(SimpleNamespace(dagster_run=run))  # type: ignore[arg-type]
        assert queued.pop() == run.run_id
        assert instance.get_run_by_id(run.run_id).tags[QUEUE_TAG] == expected  # type: ignore[union-attr]


class Tasks:
    """Stands for Celery: one task, and the workers that answer."""

    def __init__(self, state: str, info: Any, answers: Any) -> None:
        self.id, self.state, self.info, self.answers = "one", state, info, answers
        self.control = SimpleNamespace(inspect=lambda **_: SimpleNamespace(query_task=lambda _: self.answers))

    def AsyncResult(self, _task_id: str) -> "Tasks":  # noqa: N802  Celery's name
        return self


AT_WORK, ITS_WORKER = {"w1": {"one": ["active", {}]}}, {"hostname": "w1", "pid": 7}


@pytest.mark.parametrize(
    ("tasks", "at_once", "later"),
    [
        (Tasks("STARTED", ITS_WORKER, AT_WORK), "RUNNING", "RUNNING"),
        (Tasks("STARTED", ITS_WORKER, {"w1": {}}), "NOT_FOUND", "NOT_FOUND"),
        (Tasks("STARTED", ITS_WORKER, None), "RUNNING", "NOT_FOUND"),
        (Tasks("PENDING", None, AT_WORK), "RUNNING", "RUNNING"),
        (Tasks("PENDING", None, {"w1": {}}), "RUNNING", "NOT_FOUND"),
        (Tasks("SUCCESS", 0, {"w1": {}}), "RUNNING", "NOT_FOUND"),
        (Tasks("FAILURE", RuntimeError(), None), "FAILED", "FAILED"),
    ],
    ids=["works", "was started anew", "is silent", "Redis forgot", "nobody has it", "ended untold", "failed"],
)
def test_a_run_is_lost_when_its_worker_does_not_have_it(
    tasks: Tasks, at_once: str, later: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher: Any = instance.run_launcher
    assert isinstance(launcher, PatientCeleryRunLauncher)
    monkeypatch.setattr(launcher, "celery", tasks)
    now = 0.0
    monkeypatch.setattr(celery_launcher.time, "monotonic", lambda: now)
    run = instance.create_run_for_job(sync, status=dg.DagsterRunStatus.STARTED, tags={TASK: "one"})
    assert launcher.check_run_worker_health(run).status is WorkerStatus[at_once]
    now = PATIENCE_SECONDS + 1
    assert launcher.check_run_worker_health(run).status is WorkerStatus[later]


def test_a_worker_that_was_silent_and_answers_again_has_all_its_time_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher: Any = instance.run_launcher
    tasks = Tasks("STARTED", ITS_WORKER, None)
    monkeypatch.setattr(launcher, "celery", tasks)
    run = instance.create_run_for_job(sync, status=dg.DagsterRunStatus.STARTED, tags={TASK: "one"})
    for now, answers in ((0, None), (40, AT_WORK), (80, None), (120, None)):
        monkeypatch.setattr(celery_launcher.time, "monotonic", lambda now=now: now)
        tasks.answers = answers
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


def test_a_lost_worker_is_retried_and_a_canceled_run_or_a_failed_step_is_not(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op
    def refused() -> None:
        raise dg.Failure("The token is wrong.", allow_retries=False)

    @dg.job
    def company() -> None:
        refused()

    def will_retry(run_id: str) -> str | None:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return run.tags.get("dagster/will_retry")

    failed = company.execute_in_process(instance=instance, raise_on_error=False)
    assert will_retry(failed.run_id) == "false"
    lost = instance.create_run_for_job(company, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(lost, "Detected run worker status NOT_FOUND. Marking run as failed.")
    assert will_retry(lost.run_id) == "true"

    def revoke(*, terminate: bool) -> None:
        revoked.append(terminate)

    revoked: list[bool] = []
    tasks = SimpleNamespace(AsyncResult=lambda _: SimpleNamespace(revoke=revoke))
    monkeypatch.setattr(instance.run_launcher, "celery", tasks)
    run = instance.create_run_for_job(company, status=dg.DagsterRunStatus.STARTED, tags={TASK: "one"})
    assert instance.run_launcher.terminate(run.run_id)
    assert revoked == [True]
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELING  # type: ignore[union-attr]
    assert not instance.run_launcher.terminate(lost.run_id)


def test_the_app_of_a_worker_takes_any_queue_and_knows_a_runs_tasks() -> None:
    app = celery_app.app
    assert {"execute_job", "resume_job"} <= set(app.tasks)
    app.amqp.queues.select(["shard0"])
    assert set(app.amqp.queues.consume_from) == {"shard0"}
    assert app.conf.result_expires > 86_400
