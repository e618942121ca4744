"""The commands that look and change nothing: status, doctor."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from join_pipeline.cli.telling import Json, instant, out, print_json
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
    out.print(f"as of      {instant(found.as_of)}")
    out.print(f"published  {instant(found.published_at)}  {escape(str(found.published or ''))}", soft_wrap=True)
    for feed, n in found.pending_looks.items():
        out.print(f"pending    {n} missing {feed} wait for their second look")
    if any(line.unannounced_changes for line in found.syncs):
        out.print("[yellow]lastUpdatedAt did not announce some changes: only full syncs can be trusted.[/]")


def doctor(as_json: Json = False) -> None:
    """Check settings, token, JOIN, data folder, lake and published file; say what to do."""
    from join_pipeline.doctor import examine

    findings = examine(load_settings())
    if as_json:
        print_json(findings)
    else:
        marks = {"ok": "[green]ok[/]", "warning": "[yellow]look[/]", "failed": "[red]failed[/]"}
        for finding in findings:
            mark = Text.from_markup(marks[finding.verdict])
            mark.align("left", 7)
            out.print(mark, f"{finding.check:<15} {escape(finding.message)}", soft_wrap=True)
    if any(finding.verdict == "failed" for finding in findings):
        raise typer.Exit(1)
