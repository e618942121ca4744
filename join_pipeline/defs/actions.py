"""Writing to JOIN and fetching files, as jobs. A person's data goes by reference: no config, log or metadata has any.

None is retried by Dagster. Each creation is carried out once, however often it is asked for; who asked should know.
"""

from typing import Final

import dagster as dg
from pydantic import Field

from join_pipeline.actions.request_files import ACTIONS
from join_pipeline.defs.metadata import step
from join_pipeline.settings import Settings


class CreateConfig(dg.Config):
    """What to create."""

    name: str = Field(description="Name of a JSON file of mode 0600 in <data>/<connection>/actions/requests")
    key: str | None = Field(default=None, description="Tells this creation from others; nothing of a person")


class FetchConfig(dg.Config):
    """What to fetch: of one of the two, by our id or by remote: and JOIN's."""

    name: str = Field(description="Name of a folder in <data>/<connection>/actions/attachments, to save into")
    application_id: str | None = None
    candidate_id: str | None = None


def _job(name: str, config_type: type[dg.Config]) -> dg.JobDefinition:
    run, doc = ACTIONS[name]

    def act(context: dg.OpExecutionContext, config: dg.Config, settings: dg.ResourceParam[Settings]) -> None:
        with step():
            context.add_output_metadata(run(settings, **config.model_dump()))

    act.__annotations__["config"] = config_type
    op = dg.op(name=f"{name}_at_join", description=doc)(act)
    return dg.GraphDefinition(name, node_defs=[op]).to_job(description=doc, tags={"dagster/max_retries": "0"})


ACTION_JOBS: Final = [_job(name, FetchConfig if name == "fetch_attachments" else CreateConfig) for name in ACTIONS]
