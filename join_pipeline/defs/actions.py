"""Jobs that create records and fetch files. Their config names a file with the person's data, so no log has any.

Dagster retries none of them, although a repeated request creates nothing twice: the user should know of a failure.
"""

import dagster as dg
from pydantic import Field

from join_pipeline.actions.request_files import ACTIONS
from join_pipeline.component.scope import Scope
from join_pipeline.defs.metadata import step


class CreateConfig(dg.Config):
    """The config of a job that creates."""

    name: str = Field(description="Name of a JSON file of mode 0600 in <data>/<connection>/actions/requests")
    key: str | None = Field(default=None, description="Key of the request; without data of a person")


class FetchConfig(dg.Config):
    """The config of a job that fetches the files of one application or candidate. The id is ours or a remote one."""

    name: str = Field(description="Name of a folder in <data>/<connection>/actions/attachments to save into")
    application_id: str | None = None
    candidate_id: str | None = None


def action_jobs(scope: Scope) -> list[dg.JobDefinition]:
    """The jobs that act on JOIN."""
    return [_job(scope, name, FetchConfig if name == "fetch_attachments" else CreateConfig) for name in ACTIONS]


def _job(scope: Scope, name: str, config_type: type[dg.Config]) -> dg.JobDefinition:
    run, doc = ACTIONS[name]

    def act(context: dg.OpExecutionContext, config: dg.Config) -> None:
        with step():
            context.add_output_metadata(run(scope.of(context), **config.model_dump()))

    act.__annotations__["config"] = config_type
    op = dg.op(name=scope.named(f"{name}_at_join"), description=doc, required_resource_keys={scope.resource})(act)
    return dg.GraphDefinition(scope.named(name), node_defs=[op]).to_job(
        description=doc,
        tags={"dagster/max_retries": "0", **scope.tags},
        executor_def=dg.in_process_executor,
        partitions_def=scope.partitions,
    )
