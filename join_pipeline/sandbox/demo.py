"""The demo: it syncs sixty days of a made-up company, from an empty folder to the marts.

Belongs here: running a sandbox in a process of its own, and the pipeline against it. Not here: printing (cli).
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import httpx

from join_pipeline.connections.dagster_home import dagster_home, launching
from join_pipeline.connections.listed import DEMO
from join_pipeline.errors import BuildError, PipelineError, SettingsError, machines_reason
from join_pipeline.lake.files import locked, make_folder, unflushed, write_whole
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox.figures import example_figures
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.base import Source
from join_pipeline.sync.plan import AskedMode
from join_pipeline.sync.run import run_sync

CONNECTION: Final = DEMO
TOKEN: Final = "sandbox-token"  # noqa: S105  it opens nothing but the sandbox
SEED: Final = "join:sandbox"
END: Final = datetime(2026, 6, 1, 6, tzinfo=UTC)
DAYS: Final = 60
FIRST: Final = END - timedelta(days=100)
"""The first sync, of somebody who tried it. The daily ones begin forty days later. So a forecast of ninety days knows
what became of those who waited then."""
COST_MONTHS: Final = 17  # the company's applications begin about 18 months before its end
FIGURES: Final = {
    "hiring_plan_csv": "hiring-plan.csv",
    "service_level_csv": "service-levels.csv",
    "cost_csv": "costs.csv",
}
"""The example files of the user's own figures by their setting; they lie in `<data>/sandbox/figures`."""
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
    """A first sync, forty days later sixty days of weekly full syncs and daily incremental ones, then one Dagster run.

    `source_of` gives the source of the demo's settings. `on_day` is called after each day's sync, `on_dagster` before
    the run.
    """
    with sandbox_process(applications) as url, httpx.Client(base_url=url, trust_env=False) as control:
        settings = load_settings(
            join_api_token=TOKEN,
            join_api_url=f"{url}/v2",
            data=data,
            connection=CONNECTION,
            integration_id=SEED,
            lake_url=None,
            **figure_files(data),
        )
        _refuse_company(settings)
        with locked(settings.home):
            for folder in ("lake", "builds", "published"):
                shutil.rmtree(settings.home / folder, ignore_errors=True)
            settings.warehouse.unlink(missing_ok=True)
        _write_figures(settings, control)  # the clock is at the end still
        home = dagster_home(settings.data)
        log = home / "demo.log"
        with unflushed(), launching(settings, log) as launch:  # it loads what it needs while the days are played
            _sync_at(FIRST, "full", source_of(settings), settings, control)
            for day in range(DAYS):
                mode: AskedMode = "full" if day % FULL_EVERY_DAYS == 0 else "incremental"
                _sync_at(END - timedelta(days=DAYS - day), mode, source_of(settings), settings, control)
                on_day(day + 1)
            _set_clock(END, control)
            on_dagster()
            if launch("sync"):
                raise BuildError(_why(log, home))
    records = open_lake(settings.lake).records()
    return Demo(
        settings=settings,
        dagster_home=home,
        n_syncs=len(records),
        n_requests=sum(record.n_requests for record in records),
        n_versions=sum(model.versions for record in records for model in record.models.values()),
    )


def _refuse_company(settings: Settings) -> None:
    """Raise `SettingsError` if what the demo would delete is not a demo's."""
    if settings.lake.exists() and (found := open_lake(settings.lake).integration_id) != SEED:
        raise SettingsError(
            f"{settings.home} is not the demo's: its lake belongs to {found}, so nothing was deleted. "
            "Move that folder away, or choose another one with --data."
        )


def figure_files(data: Path) -> dict[str, Path]:
    """Where the demo's own figures lie, by the setting that names the file."""
    return {setting: data.absolute() / CONNECTION / "figures" / name for setting, name in FIGURES.items()}


def _write_figures(settings: Settings, control: httpx.Client) -> None:
    """Write a plan, service levels and costs that fit the company: two of its open jobs are in the plan by title."""
    answer = control.get("/v2/jobs", params={"status": "ONLINE"}, headers={"Authorization": TOKEN})
    titles = sorted({job["title"] for job in answer.raise_for_status().json()})
    first = END.year * 12 + END.month - 1 - COST_MONTHS
    months = [date(month // 12, month % 12 + 1, 1) for month in range(first, first + COST_MONTHS + 1)]
    make_folder(settings.home / "figures")
    for setting, text in example_figures(months, titles[:2]).items():
        write_whole(figure_files(settings.data)[setting], text.encode())


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


def _sync_at(now: datetime, mode: AskedMode, source: Source, settings: Settings, control: httpx.Client) -> None:
    _set_clock(now, control)
    run_sync(source, settings, mode)


def _set_clock(now: datetime, control: httpx.Client) -> None:
    control.post("/control/clock", json={"now": now.isoformat()}).raise_for_status()


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
