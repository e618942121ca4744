"""The commands for a trial without a JOIN account: sandbox, demo."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from join_pipeline.cli.output import err, out
from join_pipeline.cli.verbosity import is_quiet
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="Seed of the company.")] = 7,
    applications: Annotated[int, typer.Option(min=0, help="Number of applications until 2026-06-01.")] = 5000,
    now: Annotated[str, typer.Option(help="Start of the sandbox's clock, ISO 8601.")] = "2026-06-01T00:00:00Z",
    speed: Annotated[float, typer.Option(min=0, help="Simulated seconds per second; 0 stops the clock.")] = 0.0,
    page_size: Annotated[int, typer.Option(min=1, max=50, help="Records in the largest page.")] = 50,
    rate_limit: Annotated[str, typer.Option(help="Rate limit, requests/seconds, or none.")] = "60/60",
    fault: Annotated[list[str] | None, typer.Option(help="Fault, name=rate, for example rate_limited=0.01.")] = None,
) -> None:
    """Serve a made-up company with an imitation of JOIN's API, on this machine only. The token is `sandbox-token`."""
    from join_pipeline.sandbox import SandboxConfig, serve

    try:
        config = SandboxConfig(
            port=port,
            seed=seed,
            applications=applications,
            now=datetime.fromisoformat(now),
            speed=speed,
            page_size=page_size,
            rate_limit=_rate(rate_limit),
            faults=dict(_fault(text) for text in fault or ()),
        )
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"The sandbox can't start with these options: {error}.") from None

    try:
        serve(config, ready=_print_ready)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SettingsError(f"Port {port} can't be opened ({reason}). --port 0 takes any free one.") from None


def _print_ready(url: str) -> None:
    print(f"sandbox ready at {url} (API: {url}/v2, Kombo: {url}/kombo/v1)", flush=True)  # noqa: T201


def demo(
    applications: Annotated[int, typer.Option(min=0, help="Number of applications of the made-up company.")] = 5000,
    data: Annotated[Path | None, typer.Option(help="Data folder. Default: JOIN_PIPELINE_DATA.")] = None,
) -> None:
    """Sync sixty days of a made-up company and build the marts. It empties `<data>/sandbox` first."""
    from join_pipeline.sandbox import demo as demos
    from join_pipeline.sources.registry import open_source

    folder = data or load_settings(connection=demos.CONNECTION).data
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal or is_quiet()) as progress:
        days = progress.add_task("syncing day by day", total=demos.DAYS)
        made = demos.run_demo(
            folder,
            applications,
            open_source,
            on_day=lambda day: progress.update(days, completed=day),
            on_dagster=lambda: progress.update(days, description="one Dagster run: sync, load, dbt, publish"),
        )
    _print_demo(made)


def _print_demo(made: Any) -> None:
    from join_pipeline.sandbox.demo import funnel, time_to_hire

    table = Table("milestone", "reached", "of all who applied", title="Funnel, all cohorts")
    for milestone, n, share in funnel(made.settings):
        table.add_row(milestone, "–" if n is None else f"{n:.0f}", "–" if share is None else f"{share:.1%}")
    out.print(table)
    table = Table("hires seen", "lower quartile", "median", "upper quartile", title="Time to hire in days, hires only")
    for n, lower, median, upper, lo, hi in time_to_hire(made.settings):
        shown = f"{median:.1f}  (between {lo:.1f} and {hi:.1f})" if n else "–"
        table.add_row(str(n), f"{lower:.1f}" if n else "–", shown, f"{upper:.1f}" if n else "–")
    out.print(table)
    out.print(f"{made.n_syncs} syncs, {made.n_requests} requests, {made.n_versions} versions of records.\n")
    out.print(f"Lake       {escape(str(made.settings.lake))}", soft_wrap=True)
    out.print(f"For you    {escape(str(made.settings.published))}", soft_wrap=True)
    out.print(f"           {escape(str(made.settings.report))}", soft_wrap=True)
    out.print(
        "\nNext: `make dev` shows the run in Dagster on http://127.0.0.1:3000 · open the files above, with DuckDB "
        "and with a browser · connect your own JOIN account: README, “Connect JOIN”"
    )


def _rate(text: str) -> tuple[int, float] | None:
    if text == "none":
        return None
    requests, _, seconds = text.partition("/")
    return int(requests), float(seconds)


def _fault(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    return name, float(rate)
