"""The app of a Celery worker: `celery -A join_pipeline.fleet.celery_app worker -Q shard0 -c 1 --prefetch-multiplier 1`.

The app of `dagster_celery` knows one queue only. Celery itself reads `CELERY_BROKER_URL` and `CELERY_RESULT_BACKEND`.
Belongs here: the worker's own settings. Not here: what it runs (dagster_celery).
"""

from typing import Final

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

KEPT_SECONDS: Final = 2 * 86_400
"""How long the state of a task is kept. A run that lasts longer would be taken for lost: `max_runtime_seconds`."""


app: Final = make_app(  # type: ignore[no-untyped-call]
    {
        "config_source": {
            "broker_connection_retry_on_startup": True,
            "result_expires": KEPT_SECONDS,
            "worker_cancel_long_running_tasks_on_connection_loss": False,
            "worker_prefetch_multiplier": 1,
        }
    }
)
"""It connects to nothing yet."""
app.conf.task_queues = None  # those of -Q
app.conf.task_routes = None
create_execute_job_task(app)
create_resume_job_task(app)
