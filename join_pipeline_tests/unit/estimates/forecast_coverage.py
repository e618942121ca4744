"""Measures how often forecasts of hires hold, over companies drawn at random (`make coverage`; docs/evidence.md).

Belongs here: forecasts of drawn companies beside what came, and the shares of intervals that hold. Not here: drawing
companies (pipelines), what is asserted (test_forecast).
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np

from join_pipeline.estimates.backtest import backtest, intervals
from join_pipeline.estimates.forecast import HORIZONS, MOST_DRAWS, fit, forecast
from join_pipeline.estimates.pipeline_history import HIRED
from join_pipeline_tests.unit.estimates.pipelines import Law, draw

BATCH = 25
MINIMUM = 10
"""As the mart has it: so many hires in the past, and so many who wait in a job."""
FIRST_SEED = 5000
"""The forecast's constants were chosen on companies of smaller seeds."""
LAWS = {
    "seasons, freezes, closings": Law(),
    "no seasons, no freezes": Law(season=0.001, freezes=0.0),
    "jobs stay open after a hire": Law(closes_by_hire=0.0),
    "a long history of larger companies": Law(days=900, jobs=70),
}


@dataclass(frozen=True)
class Judged:
    """A forecast and the hires that came. `level`: where these lie among the draws; equal ones are split at random."""

    scope: str
    horizon: int
    expected: float
    chance: float
    hired: int
    level: float
    is_within: tuple[bool, ...]


def judged(seed: int, companies: int, law: Law) -> list[Judged]:
    """Forecasts of companies and of their jobs, as far as the marts tell them."""
    random = np.random.default_rng(seed)
    told = []
    for drawn in draw(seed, companies, law):
        if (drawn.history.exit == HIRED).sum() < MINIMUM or not drawn.history.is_waiting.any():
            continue
        _, calibration = backtest(drawn.history)
        made = forecast(fit(drawn.history), calibration, MOST_DRAWS)
        for place, horizon in enumerate(HORIZONS):
            came = drawn.future.hires_of(drawn.history, horizon)
            cases = [("overall", made.total[:, place], int(came.sum()))]
            cases += [
                ("job", made.by_job[:, row, place], int(came[job]))
                for row, job in enumerate(made.jobs)
                if made.n_waiting[row] >= MINIMUM
            ]
            for scope, draws, hired in cases:
                level = (draws < hired).mean() + random.random() * (draws == hired).mean()
                within = tuple(low <= hired <= high for low, high in intervals(draws))
                told.append(Judged(scope, horizon, draws.mean(), (draws > 0).mean(), hired, float(level), within))
    return told


def measured(companies: int, law: Law, workers: int = 2) -> list[Judged]:
    """The same of many companies, by several processes."""
    batches = companies // BATCH
    with ProcessPoolExecutor(workers) as pool:
        return list(
            chain.from_iterable(pool.map(judged, range(FIRST_SEED, FIRST_SEED + batches), repeat(BATCH), repeat(law)))
        )


def lines(told: Sequence[Judged]) -> Iterator[str]:
    """Rows of a table: by scope and horizon, of forecasts of at least one hire, and of chances where it is less."""
    for scope in ("overall", "job"):
        for horizon in HORIZONS:
            mine = [one for one in told if (one.scope, one.horizon) == (scope, horizon) and one.expected >= 1]
            level = np.array([one.level for one in mine])
            numbers = (
                np.mean([one.expected for one in mine]),
                np.mean([one.hired for one in mine]),
                *(100 * np.mean([one.is_within for one in mine], axis=0)),
                *(100 * np.mean(abs(level - 0.5) <= share / 2) for share in (0.8, 0.95)),
            )
            shown = " | ".join([*(f"{number:.2f}" for number in numbers[:2]), *(f"{one:.1f} %" for one in numbers[2:])])
            yield f"| {scope} | {horizon} | {len(mine):,} | {shown} |"
    for horizon in HORIZONS:
        few = [one for one in told if (one.scope, one.horizon) == ("job", horizon) and one.expected < 1]
        chance, came = 100 * np.mean([one.chance for one in few]), 100 * np.mean([one.hired > 0 for one in few])
        yield f"| job, less than one expected | {horizon} | {len(few):,} | chance {chance:.1f} % | came {came:.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--law", choices=LAWS, action="append")
    given = parser.parse_args()
    for name in given.law or LAWS:
        told = measured(given.companies, LAWS[name])
        print(f"\n{name}; {given.companies} companies\n")
        print("| scope | days | forecasts | expected | came | in 80 % | in 95 % | level 80 % | level 95 % |")
        print("|---|---|---|---|---|---|---|---|---|")
        print("\n".join(lines(told)), flush=True)


if __name__ == "__main__":
    main()
