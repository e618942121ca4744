"""The commands that move data: sync, build, rebuild, report."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from join_pipeline.cli.output import Json, err, out, print_json, working
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings

GUARDED: Final = 3


class Mode(StrEnum):
    """The mode of a sync: how much it reads."""

    auto = "auto"
    full = "full"
    incremental = "incremental"


class Start(StrEnum):
    """Where a rebuild starts."""

    lake = "lake"
    raw = "raw"


def sync(
    mode: Annotated[
        Mode, typer.Option(help="How much to read. auto takes the cheapest mode that misses nothing.")
    ] = Mode.auto,
    accept_loss: Annotated[
        list[str] | None,
        typer.Option(help="Feed whose missing records the sync accepts as lost, for example applications."),
    ] = None,
    accept_account: Annotated[
        bool, typer.Option("--accept-account", help="Whether the sync accepts another account than the lake's.")
    ] = False,
    accept_source: Annotated[
        bool, typer.Option("--accept-source", help="Whether the lake goes on with another source than until now.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the source and write new versions to the lake. `build` makes the marts from them."""
    from join_pipeline.pipeline import sync as run
    from join_pipeline.sources.registry import open_source

    accepted = accept_loss or []
    if accepted and mode is not Mode.full:
        raise SettingsError("--accept-loss goes with --mode full: only a full listing can show a loss.")
    if accept_account and mode is not Mode.full:
        raise SettingsError("--accept-account goes with --mode full: the lake must get everything of the account.")
    if accept_source and mode is not Mode.full:
        raise SettingsError("--accept-source goes with --mode full: the lake must get everything of the source.")
    settings = load_settings()
    with counting() as progress:
        synced = run(
            settings, mode.value, accepted, progress, accept_account=accept_account, accept_source=accept_source
        )
    record = synced.record
    if as_json:
        print_json(record)
    else:
        table = Table("model", "live", "new", "changed", "returned", "deleted", title=f"{record.mode} sync")
        for name, model in record.models.items():
            table.add_row(name, *map(str, (model.live, model.new, model.changed, model.returned, model.deleted)))
        out.print(table)
        for finding in synced.findings:
            if not finding.is_ok and finding.check != "guard":
                out.print(f"[yellow]look[/] {finding.about}: {escape(finding.message)}", soft_wrap=True)
        out.print(f"{record.mode}: {record.reason}. {record.n_requests} requests. Next: join-pipeline build")
    if record.verdict == "guarded":
        for objection in record.objections:
            err.print(f"[yellow]Kept what is known[/]: {objection}.", soft_wrap=True)
        variables = open_source(settings).connection.variables
        accepting = "".join(f" --accept-loss {objection.feed}" for objection in record.objections)
        err.print(
            f"Check {variables} and the API's address. If the records are really gone, accept the loss: "
            f"join-pipeline sync --mode full{accepting}",
            soft_wrap=True,
        )
        raise typer.Exit(GUARDED)


def build(as_json: Json = False) -> None:
    """Load the lake into DuckDB, build and test the marts with dbt, publish them and write the report."""
    from join_pipeline.pipeline import build as run

    with working("building"):
        built = run(load_settings())
    _print_built(built, as_json)


def rebuild(
    start: Annotated[
        Start, typer.Option("--from", help="Where to start. raw maps the kept raw payloads again first.")
    ] = Start.lake,
    as_json: Json = False,
) -> None:
    """Delete the warehouse and build it again from the lake. It needs no network."""
    from join_pipeline.pipeline import rebuild as run

    with working("rebuilding"):
        built = run(load_settings(), from_raw=start is Start.raw)
    _print_built(built, as_json)


def report(as_json: Json = False) -> None:
    """Write the report, one HTML file, from the published file."""
    from join_pipeline.pipeline import report as run

    with working("writing the report"):
        written = run(load_settings())
    if as_json:
        print_json(written)
        return
    out.print(escape(str(written.path)), soft_wrap=True)
    out.print(f"{written.n_bytes / 1e6:.1f} MB; sections: {', '.join(written.sections)}.", soft_wrap=True)


def _print_built(built: Any, as_json: bool) -> None:
    if as_json:
        print_json(built)
        return
    table = Table("published table", "rows")
    for one in built.published.tables:
        table.add_row(one.name, str(one.rows))
    out.print(table)
    out.print(escape(str(built.published.path)), soft_wrap=True)
    out.print(escape(str(built.report.path)), soft_wrap=True)
    tests = [node for node in built.nodes if node.kind in {"test", "unit_test"}]
    warned = [node for node in tests if node.status == "warn"]
    out.print(f"{len(tests)} dbt tests, {len(warned)} with a warning.")
    for node in warned:
        out.print(f"[yellow]warning[/] {node.unique_id}: {escape(node.message)}", soft_wrap=True)


@contextmanager
def counting() -> Iterator[Any]:
    """Yield a progress callback that shows a line per feed."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed} records"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(feed: str, records: int) -> None:
            if feed not in tasks:
                tasks[feed] = progress.add_task(feed, total=None)
            progress.update(tasks[feed], completed=records)

        yield show
