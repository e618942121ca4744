"""Random histories of a company and its pipeline, with faults and deaths: nothing that must hold is refuted.

A seed is a history. One that fails is played again by `python -m join_pipeline_tests.simulation.soak --seed N`.
"""

import pytest

from join_pipeline_tests.simulation.history import history_of
from join_pipeline_tests.simulation.play import play


@pytest.mark.parametrize("seed", range(12))
def test_a_random_history_refutes_nothing(seed: int) -> None:
    assert play(history_of(seed)).n_syncs > 0
