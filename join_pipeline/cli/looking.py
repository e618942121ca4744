"""The commands that look and change nothing: status, doctor."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape

from join_pipeline.cli.telling import Json, instant, out, print_findings, print_json
from join_pipeline.settings import load_settings


def status(
    last: Annotated[int, typer.Option(min=1, help="How many syncs to show.")] = 10, as_json: Json = False
) -> None:
    """What the last syncs did, and how fresh the data is."""
    from join_pipeline.status import read_status

    found = read_status(load_settings(), last)
    if as_json:
        print_json(found)
        return
    out.print(f"[bold]{escape(found.connection)}[/]: last {len(found.syncs)} of {found.n_syncs} syncs")
    # 80 columns hold it, and the reason has a line of its own
    out.print("[bold]started (UTC)     mode         verdict    seconds requests  versions  deleted[/]")
    for line in found.syncs:
        figures = f"{line.seconds:>7.0f} {line.requests:>8,} {line.new_versions:>9,} {line.deletions:>8,}"
        _say(f"{line.started_at:%Y-%m-%d %H:%M}  {line.mode:<12} {line.verdict:<9} {figures}")
        _say(f"    {'; '.join(line.objections) or line.reason}")
    out.print()
    age = f", {_duration(found.age_seconds)} ago" if found.age_seconds is not None else ""
    _say(f"as of       {instant(found.as_of)}{age}")
    _say(f"published   {instant(found.published_at)}  {found.published or ''}")
    _say(f"last full   {instant(found.last_full_at)}")
    _say(f"live        {_listed({name: f'{n:,}' for name, n in found.live_records.items()})}")
    _say(f"watermarks  {_listed({feed: instant(at) for feed, at in found.watermarks.items()})}")
    _say(f"pending     {_listed({f'missing {feed}': n for feed, n in found.pending_looks.items()})}")
    _say(f"set aside   {_listed(found.set_aside)}")
    if any(line.unannounced_changes for line in found.syncs):
        out.print("[yellow]lastUpdatedAt did not announce some changes: only full syncs can be trusted.[/]")


def _say(text: str) -> None:
    """One line as it is, however narrow the terminal."""
    out.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)


def _listed(figures: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {figure}" for name, figure in figures.items()) or "none"


def _duration(seconds: float) -> str:
    """How long, in the largest unit that fits."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def doctor(as_json: Json = False) -> None:
    """Check settings, token, JOIN, data folder, lake and published file; say what to do."""
    from join_pipeline.doctor import examine

    findings = examine(load_settings())
    if as_json:
        print_json(findings)
    else:
        print_findings(findings)
    if any(finding.verdict == "failed" for finding in findings):
        raise typer.Exit(1)
