"""Random histories of a company and its pipeline, with faults and deaths: everything that must hold does hold.

A seed is a history. `make test` plays the first ones of each source, `make test-all` the others. One that fails is
played again by `python -m join_pipeline_tests.simulation.soak --seed N`. `make soak` plays 5,000 of them, and a whole
year; `--source kombo` those in which the pipeline asks Kombo.
"""

import pytest

from join_pipeline_tests.simulation.bucket_play import play_on_bucket
from join_pipeline_tests.simulation.history import history_of
from join_pipeline_tests.simulation.kombo_history import kombo_history_of
from join_pipeline_tests.simulation.kombo_play import play_by_kombo
from join_pipeline_tests.simulation.play import play
from join_pipeline_tests.simulation.year import live

HISTORIES, OF_THEM_QUICKLY = 160, 20
BY_KOMBO, OF_THESE_QUICKLY = 20, 3
ON_A_BUCKET, OF_THOSE_QUICKLY = 12, 2


def seeds(n: int, n_quick: int) -> list[object]:
    """So many seeds; those after the first ones are slow."""
    return [pytest.param(seed, marks=[pytest.mark.slow] if seed >= n_quick else []) for seed in range(n)]


@pytest.mark.parametrize("seed", seeds(HISTORIES, OF_THEM_QUICKLY))
def test_a_random_history_refutes_nothing(seed: int) -> None:
    assert play(history_of(seed)).n_syncs > 0


@pytest.mark.parametrize("seed", seeds(BY_KOMBO, OF_THESE_QUICKLY))
def test_a_random_history_by_kombo_refutes_nothing(seed: int) -> None:
    assert play_by_kombo(kombo_history_of(seed)).n_syncs > 0


@pytest.mark.parametrize("seed", seeds(ON_A_BUCKET, OF_THOSE_QUICKLY))
def test_a_random_history_of_two_machines_on_a_bucket_refutes_nothing(seed: int) -> None:
    played = play_on_bucket(history_of(seed))
    assert played.n_slots > played.n_syncs > 0


@pytest.mark.slow
def test_after_45_days_all_is_as_it_should_be_and_the_lake_is_small() -> None:
    year = live(days=45, syncs_a_day=3)
    assert year.complaints == []
    assert year.n_full >= 45
    assert year.n_events["FIRST_SEEN"] > 0
