"""The demo: it syncs sixty days of a made-up company, from an empty folder to the marts.

Belongs here: running a sandbox in a process of its own, and the pipeline against it. Not here: printing (cli).
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import httpx

from join_pipeline.errors import BuildError, PipelineError, machines_reason
from join_pipeline.lake.files import locked, unwritable, write_whole
from join_pipeline.lake.lake import open_lake
from join_pipeline.settings import Settings, load_settings, process_environment
from join_pipeline.sources.base import Source
from join_pipeline.sync.run import run_sync

CONNECTION: Final = "sandbox"
TOKEN: Final = "sandbox-token"  # noqa: S105  it opens nothing but the sandbox
END: Final = datetime(2026, 6, 1, 6, tzinfo=UTC)
DAYS: Final = 60
LOG_END: Final = 200_000
FULL_EVERY_DAYS: Final = 7  # only full syncs see deletions, and nightly ones would only make the demo longer


@dataclass(frozen=True, slots=True)
class Demo:
    """The result of the demo."""

    settings: Settings
    dagster_home: Path
    n_syncs: int
    n_requests: int
    n_versions: int


def run_demo(
    data: Path,
    applications: int,
    source_of: Callable[[Settings], Source],
    on_day: Callable[[int], None],
    on_dagster: Callable[[], None],
) -> Demo:
    """Weekly full syncs and daily incremental ones, then one Dagster run from the last sync to the published file.

    `source_of` gives the source of the demo's settings. `on_day` is called after each day's sync, `on_dagster` before
    the run.
    """
    with sandbox_process(applications) as url, httpx.Client(base_url=url, trust_env=False) as control:
        settings = load_settings(
            join_api_token=TOKEN,
            join_api_url=f"{url}/v2",
            data=data,
            connection=CONNECTION,
            integration_id="join:sandbox",
        )
        with locked(settings.home):
            for folder in ("lake", "builds", "published"):
                shutil.rmtree(settings.home / folder, ignore_errors=True)
            settings.warehouse.unlink(missing_ok=True)
        for day in range(DAYS + 1):
            now = END - timedelta(days=DAYS - day)
            control.post("/control/clock", json={"now": now.isoformat()}).raise_for_status()
            if day < DAYS:
                run_sync(source_of(settings), settings, "full" if day % FULL_EVERY_DAYS == 0 else "incremental")
                on_day(day + 1)
        on_dagster()
        dagster_home = make_dagster_home(settings)
        _dagster_run(settings, dagster_home)
    records = open_lake(settings.lake).records()
    return Demo(
        settings=settings,
        dagster_home=dagster_home,
        n_syncs=len(records),
        n_requests=sum(record.n_requests for record in records),
        n_versions=sum(model.versions for record in records for model in record.models.values()),
    )


@contextmanager
def sandbox_process(applications: int) -> Iterator[str]:
    """Run a sandbox without rate limit in a process of its own, and yield its base URL. It ends with the block."""
    command = [sys.executable, "-m", "join_pipeline.cli", "sandbox", "--port", "0", "--rate-limit", "none"]
    command += ["--applications", str(applications), "--now", END.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own command
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http" not in line:
                raise PipelineError("The sandbox did not start. Run `join-pipeline sandbox` to see why.")
            yield line[line.index("http") :].split()[0]
        finally:
            process.terminate()


def make_dagster_home(settings: Settings) -> Path:
    """`DAGSTER_HOME`, with an instance configuration that sends no telemetry."""
    home = settings.data.absolute() / "dagster"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(home, error) from None
    package = Path(__file__).parents[1]
    bundled = package / "_dagster.yaml"
    source = bundled if bundled.exists() else package.parent / "dagster.yaml"
    write_whole(home / "dagster.yaml", source.read_bytes())
    return home


def _dagster_run(settings: Settings, dagster_home: Path) -> None:
    """Run the job `sync` in a process of its own, so that this package's room imports no Dagster."""
    log = dagster_home / "demo.log"
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "join_pipeline.definitions", "-j", "sync"]
    environment = process_environment(settings) | {"DAGSTER_HOME": str(dagster_home)}
    try:
        with log.open("wb") as output:
            code = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode  # noqa: S603
    except OSError as error:
        raise unwritable(log, error) from None
    if code:
        raise BuildError(_why(log, dagster_home))


def _why(log: Path, dagster_home: Path) -> str:
    """What to say of a run that failed. Dagster keeps its runs in SQLite files of `DAGSTER_HOME`."""
    reason = machines_reason(log.read_text(encoding="utf-8", errors="replace")[-LOG_END:])
    if reason is None:
        return f"The Dagster run failed. Its log is {log}."
    return f"The Dagster run failed, because {reason}. Check {dagster_home}, and run it again. Its log is {log}."


def funnel(settings: Settings) -> list[tuple[Any, ...]]:
    """Each milestone with the applications that reached it and their share of all applications."""
    return _rows(
        settings,
        """SELECT milestone, n_reached_assumed, n_reached_assumed / max(n_reached_assumed) OVER () AS share
        FROM (
            SELECT milestone, milestone_rank, sum(n_reached_assumed) AS n_reached_assumed FROM fct_funnel_cohort
            WHERE scope = 'overall' AND cohort_grain = 'month' GROUP BY ALL
        ) ORDER BY milestone_rank""",
    )


def time_to_hire(settings: Settings) -> list[tuple[Any, ...]]:
    """The number of observed hires, and the quartiles of their days to hire."""
    return _rows(
        settings,
        """SELECT count(*), quantile_cont(days_to_hire, 0.25), median(days_to_hire), quantile_cont(days_to_hire, 0.75),
            median(days_to_hire_lo), median(days_to_hire_hi)
        FROM fct_time_to_hire WHERE NOT is_historic""",
    )


def _rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(settings.published, read_only=True) as con:
        return con.execute(query).fetchall()
