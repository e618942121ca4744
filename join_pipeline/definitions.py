"""The Dagster entry: `workspace.yaml` and `dagster … -m join_pipeline.definitions` load this."""

import dagster as dg

from join_pipeline.defs import build_definitions
from join_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions of the environment's connection when Dagster loads them, not at import."""
    return build_definitions(load_settings())
