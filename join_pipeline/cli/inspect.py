"""The commands that look at a connection: status, doctor."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape

from join_pipeline.cli.output import Json, instant, out, print_findings, print_json
from join_pipeline.settings import load_settings


def status(
    last: Annotated[int, typer.Option(min=1, help="How many syncs to show.")] = 10, as_json: Json = False
) -> None:
    """Show what the last syncs did and how fresh the data is."""
    from join_pipeline.connections.status import read_status
    from join_pipeline.sources.registry import open_source
    from join_pipeline.sync.completeness import NOT_PROVED

    settings = load_settings()
    found = read_status(settings, last)
    if as_json:
        print_json(found)
        return
    out.print(f"[bold]{escape(found.connection)}[/]: last {len(found.syncs)} of {found.n_syncs} syncs")
    # the reason has a line of its own, so that the table fits into 80 columns
    out.print("[bold]started (UTC)     mode         verdict    seconds requests  versions  deleted[/]")
    for line in found.syncs:
        figures = f"{line.seconds:>7.0f} {line.requests:>8,} {line.new_versions:>9,} {line.deletions:>8,}"
        _print_line(f"{line.started_at:%Y-%m-%d %H:%M}  {line.mode:<12} {line.verdict:<9} {figures}")
        _print_line(f"    {'; '.join(map(str, line.objections)) or line.reason}")
    out.print()
    age = f", {_duration(found.age_seconds)} ago" if found.age_seconds is not None else ""
    _print_line(f"as of       {instant(found.as_of)}{age}")
    _print_line(f"published   {instant(found.published_at)}  {found.published or ''}")
    if found.bucket is not None:
        _print_line(f"lake        {found.bucket}")
    _print_line(f"last full   {NOT_PROVED if found.syncs and not found.last_full_at else instant(found.last_full_at)}")
    _print_line(f"live        {_listed({name: f'{n:,}' for name, n in found.live_records.items()})}")
    _print_line(f"watermarks  {_listed({feed: instant(at) for feed, at in found.watermarks.items()})}")
    _print_line(f"pending     {_listed({f'missing {feed}': n for feed, n in found.pending_looks.items()})}")
    _print_line(f"set aside   {_listed(found.set_aside)}")
    for name, message in found.odd_records.items():
        _print_line(f"odd records {name}: {message}")
    _print_line(f"odd shapes  {_listed(found.syncs[0].odd_parts if found.syncs else {})}")
    if found.erasure:
        _print_line(f"erasure     {found.erasure}")
    if any(line.unannounced_changes for line in found.syncs):
        word = open_source(settings).since_word
        out.print(f"[yellow]{word} did not announce some changes, so only full syncs can be trusted.[/]")


def _print_line(text: str) -> None:
    """Print one line without wrapping it."""
    out.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)


def _listed(figures: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {figure}" for name, figure in figures.items()) or "none"


def _duration(seconds: float) -> str:
    """A duration as text, in the largest unit of which it has at least two."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def doctor(
    whole_lake: Annotated[
        bool, typer.Option("--lake", help="Check every file, key and reference of the lake instead. Sends no request.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check settings, credentials, source, data folder, lake and published file, and say what to do."""
    from join_pipeline.connections.doctor import examine, examine_lake
    from join_pipeline.sources.registry import open_source

    settings = load_settings()
    findings = examine_lake(settings) if whole_lake else examine(open_source(settings), settings)
    if as_json:
        print_json(findings)
    else:
        print_findings(findings)
    if any(finding.verdict == "failed" for finding in findings):
        raise typer.Exit(1)
