"""The bounds of every transition, computed from versions and sync records, against when it truly happened."""

from join_pipeline_tests.simulation.memory import Memory
from join_pipeline_tests.simulation.observed import Observed


def complaints(lake: Observed, memory: Memory) -> list[str]:
    return []
