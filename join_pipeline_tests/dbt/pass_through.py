"""Measures how far pass-through lies from what came 200 days later (`make coverage`; docs/evidence.md has its figures).

Belongs here: the same companies as they are known on a day and 200 days later, and the two rates beside what came. Not
here: bounds and intervals (coverage). A seventh of the applications never gets an answer.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.sampling import Schedule, draw, write

KNOWN_UNTIL, LATER, FIRST_SYNC = 120.0, 320.0, 20.0
APPLICATIONS = 8000
AGES = (30, 60, 90)
TOLD = """
    select milestone, age_days, moved_on, moved_on_low, moved_on_high, n_subjects from recruiting.mart_pass_through
    where scope = 'overall'
"""
MATURE = """
    select milestone, sum(n_moved_on) / sum(n_moved_on + n_out) as mature from recruiting.fct_funnel_cohort
    where scope = 'overall' and cohort_grain = 'month' and milestone <> 'HIRED' group by milestone
"""
# of those who came to the milestone while the first build's syncs ran, and 90 days or more before the later one's end
CAME = """
    select upper(replace(question, 'leave_', '')) as milestone,
        count(*) filter (where event in ('MOVED', 'HIRED') and exit_days <= {age}) / count(*) as came
    from recruiting.fct_time_to_event
    where question like 'leave_%' and is_at_risk and coalesce(entry_days, 0) <= 0 and origin_at < timestamptz '{until}'
    group by question
"""


@dataclass(frozen=True)
class Errors:
    """Of one company, milestone and age: what was told and what came."""

    milestone: str
    age: int
    told: float
    mature: float
    came: float
    is_within: bool


def built(folder: Path, seed: int, until: float) -> Build:
    schedule = Schedule.every(1, FIRST_SYNC, until, full_every=1)
    sample = draw(seed, APPLICATIONS, schedule, horizon=LATER, jobs=12, forgotten=1 / 7)
    write(sample, folder / "warehouse.duckdb")
    select = [one for model in ("+mart_pass_through", "+fct_funnel_cohort") for one in ("--select", model)]
    return dbt(folder, "build", *select, "--exclude-resource-type", "unit_test", "test")


def errors(seed: int) -> Iterator[Errors]:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        known, later = built(Path(one), seed, KNOWN_UNTIL), built(Path(other), seed, LATER)
        until = known.row("select followed_until as until from intermediate.int_follow_up")["until"].isoformat()
        mature = {row["milestone"]: row["mature"] for row in known.rows(MATURE)}
        came = {
            (row["milestone"], age): row["came"]
            for age in AGES
            for row in later.rows(CAME.format(age=age, until=until))
        }
        for row in known.rows(TOLD):
            milestone, age, true = row["milestone"], row["age_days"], came[row["milestone"], row["age_days"]]
            is_within = row["moved_on_low"] <= true <= row["moved_on_high"]
            yield Errors(milestone, age, row["moved_on"], mature[milestone], true, is_within)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=5)
    told = [one for seed in range(parser.parse_args().companies) for one in errors(seed)]
    print("| milestone | days | came | told | its error | mature rate | its error | interval holds |\n|" + "---|" * 8)
    for milestone, age in sorted({(one.milestone, one.age) for one in told}):
        mine = [one for one in told if (one.milestone, one.age) == (milestone, age)]
        rates = {name: np.array([getattr(one, name) for one in mine]) for name in ("came", "told", "mature")}
        shown = [rates["came"].mean()]
        for name in ("told", "mature"):
            shown += [rates[name].mean(), abs(rates[name] - rates["came"]).mean()]
        cells = " | ".join(f"{rate:.3f}" for rate in shown)
        print(f"| {milestone} | {age} | {cells} | {sum(one.is_within for one in mine)} of {len(mine)} |", flush=True)


if __name__ == "__main__":
    main()
