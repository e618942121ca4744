"""Measures what hiding small groups costs, and what the files of two days tell together.

    python -m benchmarks.small_groups cost --applications 5000 200000
    python -m benchmarks.small_groups days --apart 7

Belongs here: seconds, and shares of groups. Not here: whether one file tells a small group (the tests).
"""

import argparse
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx

from benchmarks.company import TOKEN
from benchmarks.marts import fill, settings_of
from join_pipeline.pipeline import build
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import load_settings
from join_pipeline.suppression.inventory import CHECKED
from join_pipeline.suppression.tables import suppress
from join_pipeline.transform.run import build_marts, ensure_manifest
from join_pipeline_tests.privacy.attacker import attack, attack_marts, attack_two
from join_pipeline_tests.syncing import run_sync

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
SYNCED_ON_DAYS = (0, 20, 40)
ALSO_READ = (
    "dim_job",
    "dim_source",
    "fct_application",
    "fct_survival",
    "fct_turnbull",
    "mart_follow_up",
    "mart_pipeline_ageing",
    "mart_trust",
)


def cost(applications: int) -> None:
    """Build the marts of a made-up company, and time the step that is before publishing."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(Path(folder))
        fill(settings, applications)
        ensure_manifest(settings)
        build_marts(settings)
        time_suppression(settings.warehouse, settings.k, f"{applications:,} applications")


def time_suppression(warehouse: Path, k: int, name: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        for table in {*(one.name for one in CHECKED), *ALSO_READ}:
            con.execute(f"CREATE TABLE {table} AS FROM warehouse.recruiting.{table}")
        wall, cpu = time.perf_counter(), time.process_time()
        suppress(con, k, "Europe/Berlin")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{name}: {cpu:.1f} CPU s, {wall:.1f} s", flush=True)
        for subject, n, n_of in con.execute(
            "SELECT subject, n, n_of FROM mart_trust WHERE check_name = 'hidden groups' ORDER BY ALL"
        ).fetchall():
            print(f"  {subject}: {n:,} of {n_of:,}")


def days(apart: int, applications: int, jobs: int) -> None:
    """Publish the files of two days, and attack each and both."""
    config = SandboxConfig(port=0, applications=applications, jobs=jobs, now=START, rate_limit=None)
    with tempfile.TemporaryDirectory() as folder, running(config) as url:
        data = Path(folder)
        settings = load_settings(
            data=data,
            connection="sandbox",
            integration_id="join:benchmark",
            pseudonym_key="a key for benchmarks only",
            join_api_token=TOKEN,
            join_api_url=f"{url}/v2",
        )
        files = []
        for day in (*SYNCED_ON_DAYS, SYNCED_ON_DAYS[-1] + apart):
            now = {"now": (START + timedelta(days=day)).isoformat()}
            httpx.post(f"{url}/control/clock", json=now, trust_env=False).raise_for_status()
            run_sync(settings, "full")
            if day >= SYNCED_ON_DAYS[-1]:
                build(settings)
                files.append(data / f"{day}.duckdb")
                shutil.copy(settings.published, files[-1])
        for name, (n, told) in {
            "marts, each hiding for itself": attack_marts(settings.warehouse, settings.k),
            "the earlier file": attack(files[0], settings.k),
            "the later file": attack(files[1], settings.k),
            f"both, {apart} days apart": attack_two(*files, settings.k),
        }.items():
            print(f"{name}: {len(told)} of {n} small groups told", flush=True)
        n, n_grown, n_little = growth(*files, settings.k)
        print(f"{n} groups are in both files; {n_grown} have grown, {n_little} of them by fewer than {settings.k}")


def growth(before: Path, after: Path, k: int) -> tuple[int, int, int]:
    """Groups that both files show, those of them that have grown, and those that have grown by fewer than k."""
    cohorts = "SELECT * FROM {name}.fct_funnel_cohort WHERE milestone_rank = 1 AND n_cohort IS NOT NULL"
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{before}' AS earlier (READ_ONLY)")
        con.execute(f"ATTACH '{after}' AS later (READ_ONLY)")
        found = con.execute(
            f"""SELECT count(*), count(*) FILTER (later.n_cohort > earlier.n_cohort),
                count(*) FILTER (later.n_cohort - earlier.n_cohort BETWEEN 1 AND {k - 1})
            FROM ({cohorts.format(name="earlier")}) AS earlier
            INNER JOIN ({cohorts.format(name="later")}) AS later USING (cohort_grain, cohort_on, scope, scope_key)"""
        ).fetchall()
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["cost", "days"])
    parser.add_argument("--applications", type=int, nargs="+", default=[5_000])
    parser.add_argument("--apart", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=10)
    asked = parser.parse_args()
    for applications in asked.applications:
        if asked.what == "cost":
            cost(applications)
        else:
            days(asked.apart, applications, asked.jobs)


if __name__ == "__main__":
    main()
