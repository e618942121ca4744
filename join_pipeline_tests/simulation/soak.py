"""Many histories, or one: `python -m join_pipeline_tests.simulation.soak --seed 17`."""

import argparse
import sys
import time
import traceback
from collections import Counter

from join_pipeline_tests.simulation.history import history_of
from join_pipeline_tests.simulation.play import play


def main() -> int:
    """Play the asked histories, go on after a refuted one, and name the seeds of those at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.histories)
    began, n_syncs, n_deaths, failed = time.monotonic(), 0, 0, []
    n_events: Counter[str] = Counter()
    for seed in seeds:
        try:
            played = play(history_of(seed))
            n_syncs, n_deaths = n_syncs + played.n_syncs, n_deaths + played.n_deaths
            n_events += played.n_events
            if seed % 50 == 49:
                print(f"… {seed}: {n_syncs} syncs, {time.monotonic() - began:.0f} s", flush=True)
        except Exception:  # whatever it is, it refutes this history only
            failed.append(seed)
            print(seed, traceback.format_exc()[-1200:], flush=True)
    seconds = time.monotonic() - began
    print(f"events within their bounds: {dict(n_events)}")
    print(f"{len(seeds)} histories, {n_syncs} syncs, {n_deaths} deaths, {seconds:.0f} s, failed: {failed}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
