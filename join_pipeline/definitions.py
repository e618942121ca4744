"""The Dagster entry: `workspace.yaml` and `dagster … -m join_pipeline.definitions` load this."""

import dagster as dg

from join_pipeline.defs import build_definitions
from join_pipeline.settings import connections_file, listed_connections, load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions of the file of connections, or of the environment's one, when Dagster loads them.

    A code location of ours alone may have one executor for what is clicked, too.
    """
    settings = load_settings()
    is_one = "connection" in settings.model_fields_set or not listed_connections()
    ours = build_definitions(settings, connections=None if is_one else connections_file())
    return dg.Definitions.merge(ours, dg.Definitions(executor=dg.in_process_executor))
