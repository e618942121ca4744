"""A history by Kombo: that of JOIN with the same seed, except for the events and faults on Kombo's side.

Belongs here: what can happen at Kombo, and how likely it is. Not here: doing it (kombo_play), judging (kombo_checks).
"""

import random
from dataclasses import replace

from join_pipeline.sandbox.kombo.config import MODELS, KomboConfig
from join_pipeline_tests.simulation.history import History, Step, history_of

# of lists in JOIN's shape only, and of what is written to JOIN
_NOT_AT_KOMBO = frozenset({"not_a_list", "shifting"})
AT_KOMBO_ONLY = {"unknown_ids": 1.0, "repeated_cursor": 0.03}


def kombo_history_of(seed: int) -> History:
    """The history of a seed, the same on every machine."""
    chance = random.Random(f"kombo {seed}")
    history = history_of(seed)
    kombo = KomboConfig(
        rate_limit=None,
        connected_days=chance.choice((0.0, 0.0, 3.5, 20.2)),
        sync_hours=chance.choice((3.0, 6.0, 9.9)),
        has_remote_data=chance.random() < 0.8,
        has_application_times=chance.random() < 0.2,
    )
    company = replace(history.company, kombo=kombo, announces_changes=True)
    steps = tuple(_at_kombo(step, chance, number) for number, step in enumerate(history.steps))
    page_size = chance.choice((7, 25, 250))
    return replace(history, company=company, steps=steps, sizes=replace(history.sizes, page=page_size))


def _at_kombo(step: Step, chance: random.Random, number: int) -> Step:
    faults = {name: rate for name, rate in step.faults.items() if name not in _NOT_AT_KOMBO}
    own = random.Random(f"{number} {sorted(faults.items())}")
    faults |= {name: rate for name, rate in AT_KOMBO_ONLY.items() if own.random() < 0.3}
    step = replace(step, faults=faults, is_forced=chance.random() < 0.3)
    if number and chance.random() < 0.2:
        models = chance.sample(MODELS, chance.choice((1, 1, 2)))
        step = replace(step, models_off={model: chance.choice(("deleted", "refused")) for model in models})
    if not number and chance.random() < 0.1:
        step = replace(step, models_off={chance.choice(("jobs", "candidates", "users", "tags")): "refused"})
    return step
