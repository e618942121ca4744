"""Which queue a run takes: that of its company, however the run was asked for.

Schedules and sensors of ours tag their runs themselves. What is launched in the UI, or for all companies at once, has
no such tag.
Belongs here: the tag. Not here: the limits of a queue (dagster.yaml), refusing a run that came by another one
(connections.lost_runs).
"""

from typing import Final

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from join_pipeline.connections.lost_runs import QUEUE_TAG
from join_pipeline.errors import SettingsError
from join_pipeline.settings import listed_connections, load_settings

PARTITION: Final = "dagster/partition"


class CompanyQueueCoordinator(QueuedRunCoordinator):
    """Dagster's own queue of runs. A run that comes into it gets the tag of its company's queue, or of the default one.

    The tag is what the limits of Dagster's queue count.
    """

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Tag the run, then put it into the queue."""
        run = context.dagster_run
        default = getattr(self._instance.run_launcher, "default_queue", None)
        queue = queue_of(run.tags.get(PARTITION)) or default
        if queue is not None and QUEUE_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {QUEUE_TAG: queue})
        return super().submit_run(context)


def queue_of(connection: str | None) -> str | None:
    """The queue of a connection; None for the launcher's default, and where the file can't tell it.

    Its secrets need not lie on this machine, so its entry is read and no more.
    """
    try:
        entry = listed_connections().get(connection or "")
        stated = entry.settings.get("queue") if entry else None
        return str(stated) if stated else load_settings().queue
    except SettingsError:
        return None
