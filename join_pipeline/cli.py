"""`join-pipeline …`: parse arguments, call one function, print.

Belongs here: words for people, JSON for scripts, exit codes. Not here: anything that a program could want to call.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.settings import load_settings

GUARDED = 3
INTERRUPTED = 130

app = typer.Typer(
    help="Recruiting data out of the JOIN ATS: history, funnel and time to hire in DuckDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@app.command()
def sync(
    mode: Annotated[
        str, typer.Option(help="auto, full or incremental. auto takes the cheapest that is right.")
    ] = "auto",
    accept_loss: Annotated[
        list[str] | None, typer.Option(help="Feed whose missing records are to be believed (applications, jobs).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read JOIN and keep what is new in the lake. `build` makes the marts from it."""
    from join_pipeline.sync.run import run_sync

    asked = _one_of("--mode", mode, ("auto", "full", "incremental"))
    accepted = [_one_of("--accept-loss", feed, ("applications", "jobs")) for feed in accept_loss or ()]
    if accepted and asked != "full":
        raise SettingsError("--accept-loss goes with --mode full: only a full listing can show a loss.")
    settings = load_settings()
    with _counting() as progress:
        record = run_sync(settings, asked, accept_loss=accepted, progress=progress)
    if as_json:
        _print_json(record)
    else:
        table = Table("model", "live", "new", "changed", "returned", "deleted", title=f"{record.mode} sync")
        for name, model in record.models.items():
            table.add_row(name, *map(str, (model.live, model.new, model.changed, model.returned, model.deleted)))
        out.print(table)
        out.print(f"{record.mode}: {record.reason}. {record.n_requests} requests. Next: join-pipeline build")
    if record.verdict == "guarded":
        for objection in record.objections:
            err.print(f"[yellow]Kept what is known[/]: {objection}.", soft_wrap=True)
        accepting = "".join(f" --accept-loss {objection.split(':')[0]}" for objection in record.objections)
        err.print(
            f"Check JOIN_API_TOKEN and JOIN_API_URL. If so much is gone indeed, accept it: "
            f"join-pipeline sync --mode full{accepting}",
            soft_wrap=True,
        )
        raise typer.Exit(GUARDED)


@app.command()
def build(as_json: Json = False) -> None:
    """Load the lake into DuckDB, build and test the marts with dbt, publish for readers."""
    from join_pipeline.pipeline import build as run

    with _working("building"):
        built = run(load_settings())
    _print_built(built, as_json)


@app.command()
def rebuild(
    start: Annotated[str, typer.Option("--from", help="lake, or raw: map the kept raw payloads again first.")] = "lake",
    as_json: Json = False,
) -> None:
    """Delete the warehouse and build it anew from the lake. Needs no network."""
    from join_pipeline.pipeline import rebuild as run

    from_raw = _one_of("--from", start, ("lake", "raw")) == "raw"
    with _working("rebuilding"):
        built = run(load_settings(), from_raw=from_raw)
    _print_built(built, as_json)


@app.command()
def status(
    last: Annotated[int, typer.Option(min=1, help="How many syncs to show.")] = 10, as_json: Json = False
) -> None:
    """What the last syncs did, and how fresh the data is."""
    from join_pipeline.status import read_status

    found = read_status(load_settings(), last)
    if as_json:
        _print_json(found)
        return
    columns = ("started (UTC)", "mode", "seconds", "requests", "versions", "deleted", "verdict")
    # 80 columns hold it: no frame
    table = Table(*columns, title=f"{found.connection}: last {len(found.syncs)} of {found.n_syncs} syncs", box=None)
    for line in found.syncs:
        figures = (line.seconds, line.requests, line.new_versions, line.deletions)
        table.add_row(f"{line.started_at:%Y-%m-%d %H:%M}", line.mode, *map(str, figures), line.verdict)
    out.print(table)
    for line in found.syncs[:1]:
        why = "; ".join(line.objections) or line.reason
        out.print(f"last sync  {line.sync_id}: {why}; {line.quarantined} records set aside", soft_wrap=True)
    out.print(f"as of      {_instant(found.as_of)}")
    out.print(f"published  {_instant(found.published_at)}  {escape(str(found.published or ''))}", soft_wrap=True)
    for feed, n in found.pending_looks.items():
        out.print(f"pending    {n} missing {feed} wait for their second look")
    if any(line.unannounced_changes for line in found.syncs):
        out.print("[yellow]lastUpdatedAt did not announce some changes: only full syncs can be trusted.[/]")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, token, JOIN, data folder, lake and published file; say what to do."""
    from join_pipeline.doctor import examine

    findings = examine(load_settings())
    if as_json:
        _print_json(findings)
    else:
        marks = {"ok": "[green]ok[/]", "warning": "[yellow]look[/]", "failed": "[red]failed[/]"}
        for finding in findings:
            mark = Text.from_markup(marks[finding.verdict])
            mark.align("left", 7)
            out.print(mark, f"{finding.check:<15} {escape(finding.message)}", soft_wrap=True)
    if any(finding.verdict == "failed" for finding in findings):
        raise typer.Exit(1)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="Another seed is another company.")] = 7,
    applications: Annotated[int, typer.Option(min=0, help="Applications made up to 2026-06-01.")] = 5000,
    now: Annotated[str, typer.Option(help="What its clock says, ISO 8601.")] = "2026-06-01T00:00:00Z",
    speed: Annotated[float, typer.Option(min=0, help="Simulated seconds a second; 0: the clock stands still.")] = 0.0,
    page_size: Annotated[int, typer.Option(min=1, max=50, help="Largest page.")] = 50,
    rate_limit: Annotated[str, typer.Option(help="Requests/seconds, or none.")] = "60/60",
    fault: Annotated[list[str] | None, typer.Option(help="name=rate, for example rate_limited=0.01.")] = None,
) -> None:
    """Serve a made-up company behind a JOIN look-alike, on this machine only. The token is `sandbox-token`."""
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
    except ValueError as error:
        raise SettingsError(f"The sandbox can't be made so: {error}.") from None

    try:
        serve(config, ready=lambda url: print(f"sandbox ready at {url} (API: {url}/v2)", flush=True))  # noqa: T201
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SettingsError(f"Port {port} can't be taken ({reason}). Another one: --port 0.") from None


@app.command()
def demo(
    applications: Annotated[int, typer.Option(min=0, help="Size of the made-up company.")] = 5000,
    data: Annotated[Path | None, typer.Option(help="Data folder; default JOIN_PIPELINE_DATA.")] = None,
) -> None:
    """Sixty days of a made-up company, from nothing to the marts. Empties and fills `<data>/sandbox`."""
    from join_pipeline import demo as demos

    folder = data or load_settings(connection=demos.CONNECTION).data
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress:
        days = progress.add_task("syncing day by day", total=demos.DAYS)
        made = demos.run_demo(
            folder,
            applications,
            on_day=lambda day: progress.update(days, completed=day),
            on_dagster=lambda: progress.update(days, description="one Dagster run: sync, load, dbt, publish"),
        )
    _print_demo(made)


def _print_demo(made: Any) -> None:
    from join_pipeline.demo import funnel, time_to_hire

    table = Table("milestone", "reached", "of all who applied", title="Funnel, all cohorts")
    for milestone, n, share in funnel(made.settings):
        table.add_row(milestone, f"{n:.0f}", f"{share:.1%}")
    out.print(table)
    table = Table("hires seen", "lower quartile", "median", "upper quartile", title="Time to hire in days, hires only")
    for n, lower, median, upper, lo, hi in time_to_hire(made.settings):
        shown = f"{median:.1f}  (between {lo:.1f} and {hi:.1f})" if n else "–"
        table.add_row(str(n), f"{lower:.1f}" if n else "–", shown, f"{upper:.1f}" if n else "–")
    out.print(table)
    out.print(f"{made.n_syncs} syncs, {made.n_requests} requests, {made.n_versions} versions of records kept.\n")
    out.print(f"Lake       {escape(str(made.settings.lake))}", soft_wrap=True)
    out.print(f"For you    {escape(str(made.settings.published))}", soft_wrap=True)
    out.print(
        "\nNext: `make dev` shows the run in Dagster on http://127.0.0.1:3000 · open the file above with DuckDB · "
        "connect your own JOIN account: README, “Connecting JOIN”"
    )


def _print_built(built: Any, as_json: bool) -> None:
    if as_json:
        _print_json(built)
        return
    table = Table("published table", "rows")
    for one in built.published.tables:
        table.add_row(one.name, str(one.rows))
    out.print(table)
    out.print(escape(str(built.published.path)), soft_wrap=True)
    tests = [node for node in built.nodes if node.kind in {"test", "unit_test"}]
    warned = [node for node in tests if node.status == "warn"]
    out.print(f"{len(tests)} dbt tests, {len(warned)} with a warning.")
    for node in warned:
        out.print(f"[yellow]warning[/] {node.unique_id}: {escape(node.message)}", soft_wrap=True)


def _print_json(value: Any) -> None:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    sys.stdout.write(text + "\n")


@contextmanager
def _counting() -> Iterator[Any]:
    """A progress callback that shows a line per feed."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed} records"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(feed: str, records: int) -> None:
            if feed not in tasks:
                tasks[feed] = progress.add_task(feed, total=None)
            progress.update(tasks[feed], completed=records)

        yield show


@contextmanager
def _working(what: str) -> Iterator[None]:
    with Progress(SpinnerColumn(), TextColumn(what), TimeElapsedColumn(), console=err, transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def _one_of(option: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise SettingsError(f"{option} takes {', '.join(known)}, not {value!r}.")
    return value


def _rate(text: str) -> tuple[int, float] | None:
    if text == "none":
        return None
    requests, _, seconds = text.partition("/")
    return int(requests), float(seconds)


def _fault(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    return name, float(rate)


def _instant(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M %Z}" if value else "never"


def main() -> None:
    """The entry point: every error that is understood ends in one line and its exit code.

    Typer itself answers wrong usage with 2 and an interruption with 130.
    """
    os.umask(0o077)  # dbt and DuckDB make files of their own
    try:
        app()
    except PipelineError as error:
        err.print("[red]Error[/]:", end=" ")
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print("Interrupted. Nothing is half-done: run it again.")
        raise


if __name__ == "__main__":
    main()
