"""Many histories, or one: `python -m join_pipeline_tests.simulation.soak --seed 17`; or a year: `… --days 365`.

`--source kombo` plays those of the other source.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

from join_pipeline_tests.simulation.history import history_of
from join_pipeline_tests.simulation.kombo_history import kombo_history_of
from join_pipeline_tests.simulation.kombo_play import play_by_kombo
from join_pipeline_tests.simulation.play import Play, play
from join_pipeline_tests.simulation.year import live

MOST_SLOWDOWN = 1.5
SOURCES: dict[str, Callable[[int], Play]] = {
    "join": lambda seed: play(history_of(seed)),
    "kombo": lambda seed: play_by_kombo(kombo_history_of(seed)),
}


def main() -> int:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=SOURCES, default="join")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--days", type=int, help="live through so many days instead, with --a-day syncs each")
    parser.add_argument("--a-day", type=int, default=24)
    asked = parser.parse_args()
    return _live(asked.days, asked.a_day) if asked.days else _play(asked)


def _live(days: int, a_day: int) -> int:
    year = live(days, a_day)
    told = (
        f"{days} days: {year.n_full} full and {len(year.seconds)} incremental syncs, {year.n_versions} versions, "
        f"at most {year.most_files} files"
    )
    slowdown = year.slowdown
    if slowdown is not None:
        told += f", the last incremental ones took {slowdown:.2f} times the tenth"
    print(told, f"events within their bounds: {dict(year.n_events)}", *year.complaints[:20], sep="\n")
    return bool(year.complaints) or (slowdown is not None and slowdown > MOST_SLOWDOWN)


def _play(asked: argparse.Namespace) -> int:
    """Play the asked histories, go on after a refuted one, and name the seeds of those at the end."""
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.histories)
    began, n_syncs, n_deaths, failed = time.monotonic(), 0, 0, []
    n_events: Counter[str] = Counter()
    for seed in seeds:
        try:
            played = SOURCES[asked.source](seed)
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
