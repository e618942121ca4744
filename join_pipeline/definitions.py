"""The Dagster entry: `workspace.yaml` and `dagster … -m join_pipeline.definitions` load this."""

import dagster as dg

from join_pipeline.defs import build_definitions
from join_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """What the environment's connection is made of; read when Dagster loads it, not when it is imported."""
    return build_definitions(load_settings())
