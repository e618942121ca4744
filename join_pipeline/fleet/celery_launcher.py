"""Dagster's Celery launcher, with two things more: a worker that is gone is noticed, and a canceled run is no lost one.

A task's state in Redis stays STARTED for ever when its machine loses power, or when its worker is killed as a whole. So
the worker is asked whether it still has the task.
Belongs here: asking, and judging the answers. Not here: what follows from it, which Dagster's run monitoring and its
run retries do.
"""

import time
from typing import Any, Final

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

ANSWERS_WITHIN_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 60.0
"""How long a worker may be silent, or a run go on in Dagster whose task has ended, before the run counts as lost."""


class PatientCeleryRunLauncher(CeleryRunLauncher):
    """`CeleryRunLauncher` for workers that may be killed."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._doubtful_since: dict[str, float] = {}

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """How the run's worker is. Dagster asks from the run's start to its end, and fails a run that has none."""
        said = super().check_run_worker_health(run)
        if said.status is WorkerStatus.FAILED:
            return said
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        if said.status is not WorkerStatus.SUCCESS:
            worker = task.info.get("hostname") if isinstance(task.info, dict) else None
            among = [worker] if worker else None
            ask = self.celery.control.inspect(destination=among, timeout=ANSWERS_WITHIN_SECONDS)
            answers: dict[str, Any] = ask.query_task(task.id) or {}
            if any(task.id in tasks for tasks in answers.values()):
                self._doubtful_since.pop(run.run_id, None)
                return CheckRunHealthResult(WorkerStatus.RUNNING)
            # a task that ends in order tells its state first, and then its worker forgets it
            if worker in answers and task.state == "STARTED":
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its worker was killed and has been started anew")
        since = self._doubtful_since.setdefault(run.run_id, time.monotonic())
        if time.monotonic() - since < PATIENCE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "No worker has its task just now.")
        del self._doubtful_since[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND,
            f"for {PATIENCE_SECONDS:.0f} s no worker has had its task, whose state is {task.state}",
        )

    def terminate(self, run_id: str) -> bool:
        """End the run's process. Dagster hears first that this is wanted, so that it takes the run for no lost one."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)
