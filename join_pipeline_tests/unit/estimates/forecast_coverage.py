"""Measures how often forecasts' intervals hold the hires that came, over companies drawn at random."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from join_pipeline.estimates.backtest import backtest, intervals
from join_pipeline.estimates.forecast import HORIZONS, MOST_DRAWS, fit, forecast
from join_pipeline_tests.unit.estimates.pipelines import Law, draw

BATCH = 25


def batch(seed, n=BATCH, law=None):
    out = []
    rnd = np.random.default_rng(seed)
    for drawn in draw(seed, n, law or Law()):
        if (drawn.history.exit == 3).sum() < 10:
            continue
        past, cal = backtest(drawn.history)
        f = forecast(fit(drawn.history), cal, MOST_DRAWS)
        for p, h in enumerate(HORIZONS):
            truth = drawn.future.hires_of(drawn.history, h)
            y = int(truth.sum())
            x = f.total[:, p]
            pit = (x < y).mean() + rnd.random() * (x == y).mean()
            inn = []
            for lo, hi in intervals(x):
                inn += [bool(lo <= y <= hi)]
            out.append(("overall", h, f.n_waiting.sum(), x.mean(), x.std(), y, pit, *inn, cal.level[p], cal.variance[p]))
            for j, job in enumerate(f.jobs):
                if f.n_waiting[j] < 10:
                    continue
                x = f.by_job[:, j, p]
                y = int(truth[job])
                pit = (x < y).mean() + rnd.random() * (x == y).mean()
                inn = []
                for lo, hi in intervals(x):
                    inn += [bool(lo <= y <= hi)]
                out.append(("job", h, f.n_waiting[j], x.mean(), x.std(), y, pit, *inn, 0, 0))
    return out


if __name__ == "__main__":
    import sys, time
    t = time.time()
    n = int(sys.argv[1])
    law = Law(**eval("dict(" + (sys.argv[2] if len(sys.argv) > 2 else "") + ")"))
    rows = []
    with ProcessPoolExecutor(2) as pool:
        for r in pool.map(batch, range(n // BATCH), [BATCH] * (n // BATCH), [law] * (n // BATCH)):
            rows += r
    print(time.time() - t)
    for s, least in (("overall", 0), ("overall", 2), ("job", 0), ("job", 1), ("job", 1.5)):
        for h in HORIZONS:
            a = np.array([r[2:] for r in rows if r[0] == s and r[1] == h and r[3] >= least], float)
            rnd = np.random.default_rng(0)
            print(s, least, h, len(a), "n_wait %.0f exp %.2f sd %.2f act %.2f" % tuple(a[:, [0, 1, 2, 3]].mean(0)), "pit80 %.3f pit95 %.3f in80 %.3f in95 %.3f" % (((a[:, 4] > .1) & (a[:, 4] < .9)).mean(), ((a[:, 4] > .025) & (a[:, 4] < .975)).mean(), a[:, 5].mean(), a[:, 6].mean()),
              "low %.3f high %.3f" % ((a[:, 4] < .1).mean(), (a[:, 4] > .9).mean()), "z2 %.3f" % (((a[:, 3] - a[:, 1]) ** 2).mean() / (a[:, 2] ** 2).mean()), "lev %.2f var %.3f" % (a[:, 7].mean(), a[:, 8].mean()))
