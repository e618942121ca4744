"""The component `join_pipeline.JoinCompanies`: several companies in somebody's Dagster project, told in YAML.

Belongs here: its attributes, and handing them over. Not here: what is built of them (defs).
"""

from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

from join_pipeline.connections.edited import text_of_companies
from join_pipeline.defs import build_definitions
from join_pipeline.errors import PipelineError
from join_pipeline.lake.files import write_whole
from join_pipeline.settings import kinds, load_settings


class JoinCompanies(dg.Component, dg.Model, dg.Resolvable):
    """Companies on JOIN, each a partition: from the API to a published DuckDB file, with history, marts and checks."""

    connections: Annotated[
        dict[str, dict[str, Any] | None],
        Field(default_factory=dict, description="Companies by name, each with its settings and `secrets`"),
    ]
    connections_file: Annotated[str | None, Field(description="A connections.toml in place of `connections`")] = None
    data: Annotated[str | None, Field(description="The data folder; default: JOIN_PIPELINE_DATA")] = None
    key_prefix: Annotated[list[str], Field(default_factory=list, description="What the keys of all assets begin with")]
    group_prefix: Annotated[str, Field(description="What the names of all groups begin with")] = ""
    name: Annotated[
        str | None, Field(description="What jobs, sensors and schedules begin with; default: key_prefix")
    ] = None
    schedules: Annotated[bool, Field(description="Whether the schedules are switched on from the start")] = False
    retries: Annotated[int, Field(ge=0, description="How often Dagster retries a run that failed")] = 0
    pool: Annotated[str | None, Field(description="A pool for all steps, whose limit your Dagster sets")] = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the definitions. Paths are relative to the folder of the component's YAML."""
        try:
            return self._built(context.path)
        except PipelineError as error:
            raise dg.DagsterInvalidDefinitionError(str(error)) from None

    def _built(self, folder: Path) -> dg.Definitions:
        if bool(self.connections) == bool(self.connections_file):
            raise dg.DagsterInvalidDefinitionError("Give connections or connections_file, and not both.")
        settings = load_settings(**({"data": folder / self.data} if self.data else {}))
        file = folder / self.connections_file if self.connections_file else self._written(folder, settings.data)
        if not file.is_file():
            raise dg.DagsterInvalidDefinitionError(f"connections_file: {file} is not there.")
        return build_definitions(
            settings,
            connections=file,
            key_prefix=self.key_prefix,
            group_prefix=self.group_prefix,
            name=self.name,
            is_scheduled=self.schedules,
            retries=self.retries,
            own_pool=self.pool,
        )

    def _written(self, folder: Path, data: Path) -> Path:
        """The companies of the YAML as a file: runs and sensors read it at each look. It holds no secret."""
        path = data.absolute() / f"connections-{self.name or '_'.join(self.key_prefix) or 'yaml'}.toml"
        content = text_of_companies(self.connections, folder, kinds()).encode()
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, content)
        return path
