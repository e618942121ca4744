"""The commands that move data: sync, run, build, rebuild, report."""

from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from join_pipeline.cli.output import Json, err, out, print_json
from join_pipeline.cli.progress import watching, working
from join_pipeline.cli.results import print_built, print_synced
from join_pipeline.cli.verbosity import say
from join_pipeline.errors import SettingsError
from join_pipeline.settings import Settings, load_settings

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


AskedMode = Annotated[Mode, typer.Option(help="How much to read. auto takes the cheapest mode that misses nothing.")]
AcceptedLoss = Annotated[
    list[str] | None,
    typer.Option(help="Feed whose missing records the sync accepts as lost, for example applications."),
]
Force = Annotated[bool, typer.Option("--force", help="Build even if nothing has changed since the last build.")]


def sync(
    mode: AskedMode = Mode.auto,
    accept_loss: AcceptedLoss = None,
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

    accepted = accept_loss or []
    if accepted and mode is not Mode.full:
        raise SettingsError("--accept-loss goes with --mode full: only a full listing can show a loss.")
    if accept_account and mode is not Mode.full:
        raise SettingsError("--accept-account goes with --mode full: the lake must get everything of the account.")
    if accept_source and mode is not Mode.full:
        raise SettingsError("--accept-source goes with --mode full: the lake must get everything of the source.")
    settings = load_settings()
    accepts = {"accept_account": accept_account, "accept_source": accept_source}
    with watching() as watch:
        synced = run(settings, mode.value, accepted, watch.records, expect=watch.expect, **accepts)
    if as_json:
        print_json(synced.record)
    else:
        print_synced(synced)
        say("Next: join-pipeline build")
    _end_if_guarded(settings, synced.record)


def run(mode: AskedMode = Mode.auto, force: Force = False, as_json: Json = False) -> None:
    """Sync, build, publish and write the report in one process: what a timer calls.

    If the sync shows nothing new and no day has turned, it builds nothing. A guarded sync is published and ends with 3.
    """
    from join_pipeline.pipeline import run as run_all

    settings = load_settings()
    synced: list[Any] = []
    try:
        with watching() as watch:
            built = run_all(
                settings, mode.value, watch.records, synced.append, expect=watch.expect, force=force, on_step=watch.step
            )
    finally:  # what was committed is told even if the build fails
        if synced and not as_json:
            print_synced(synced[0])
    if as_json:
        print_json({"sync": synced[0].record, "build": built})
    else:
        print_built(built)
    _end_if_guarded(settings, synced[0].record)


def build(force: Force = False, as_json: Json = False) -> None:
    """Load the lake into DuckDB, build and test the marts with dbt, publish them and write the report.

    If nothing has changed since the last build, neither data nor settings nor the day, it builds nothing and says so.
    """
    from join_pipeline.pipeline import build_if_needed

    with watching() as watch:
        built = build_if_needed(load_settings(), force=force, on_step=watch.step)
    print_json(built) if as_json else print_built(built)


def rebuild(
    start: Annotated[
        Start, typer.Option("--from", help="Where to start. raw maps the kept raw payloads again first.")
    ] = Start.lake,
    as_json: Json = False,
) -> None:
    """Delete the warehouse and build it again from the lake. It needs no network."""
    from join_pipeline.pipeline import rebuild as run

    with watching() as watch:
        built = run(load_settings(), from_raw=start is Start.raw, on_step=watch.step)
    print_json(built) if as_json else print_built(built)


def report(as_json: Json = False) -> None:
    """Write the report, one HTML file, from the published file."""
    from join_pipeline.pipeline import report as run

    with working("writing the report"):
        written = run(load_settings())
    if as_json:
        print_json(written)
        return
    out.print(escape(str(written.path)), soft_wrap=True)
    say(f"{written.n_bytes / 1e6:.1f} MB; sections: {', '.join(written.sections)}.", soft_wrap=True)


def _end_if_guarded(settings: Settings, record: Any) -> None:
    """End with 3 if the guard kept what is known, and say what to do."""
    if record.verdict != "guarded":
        return
    for objection in record.objections:
        err.print(f"[yellow]Kept what is known[/]: {objection}.", soft_wrap=True)
    from join_pipeline.sources.registry import open_source

    variables = open_source(settings).connection.variables
    accepting = "".join(f" --accept-loss {objection.feed}" for objection in record.objections)
    err.print(
        f"Check {variables} and the API's address. If the records are really gone, accept the loss: "
        f"join-pipeline sync --mode full{accepting}",
        soft_wrap=True,
    )
    raise typer.Exit(GUARDED)
