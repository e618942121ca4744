"""The commands that only read: status, query, doctor."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from join_pipeline.cli.arguments import text_content
from join_pipeline.cli.output import Json, instant, is_utf8, neutral, out, print_findings, print_json
from join_pipeline.errors import InputError, SettingsError
from join_pipeline.settings import load_settings

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def status(
    last: Annotated[int, typer.Option(min=1, help="How many syncs to show.")] = 10, as_json: Json = False
) -> None:
    """Show what the last syncs did and how fresh the data is."""
    from join_pipeline.connections.status import read_status
    from join_pipeline.sources.registry import open_source

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
    _print_line(f"last full   {instant(found.last_full_at)}")
    _print_line(f"live        {_listed({name: f'{n:,}' for name, n in found.live_records.items()})}")
    _print_line(f"watermarks  {_listed({feed: instant(at) for feed, at in found.watermarks.items()})}")
    _print_line(f"pending     {_listed({f'missing {feed}': n for feed, n in found.pending_looks.items()})}")
    _print_line(f"set aside   {_listed(found.set_aside)}")
    for name, message in found.odd_records.items():
        _print_line(f"odd records {name}: {message}")
    _print_line(f"odd shapes  {_listed(found.syncs[0].odd_parts if found.syncs else {})}")
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


def query(
    sql: Annotated[str, typer.Argument(help="Query in DuckDB's SQL; - reads standard input.")],
    limit: Annotated[int, typer.Option(min=0, help="Most rows to show in the table; 0 shows all.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Run one read-only query on the published file. It delays no sync and no publish.

    An example is `join-pipeline query "FROM where_do_applications_wait"`. Instants are UTC.
    """
    from join_pipeline.warehouse.query import answering

    if as_csv and as_json:
        raise SettingsError("Give --json or --csv, not both.")
    asked = text_content("query", "-") if sql == "-" else sql
    with answering(load_settings(), asked) as answer:
        if as_json:
            print_json(_records(answer.columns, answer.rows))
        elif as_csv:
            if not is_utf8(sys.stdout) and isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # a file of data is UTF-8, whatever the terminal has
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(map(_no_formula, answer.columns))
            writer.writerows(map(_no_formula, row) for row in answer.rows)
        else:
            _print_rows(answer.columns, islice(answer.rows, limit or None))
            if limit and next(answer.rows, None) is not None:
                _print_line(f"… and more: --limit 0 shows all, --csv and --json print all. Shown: {limit:,}.")


def _no_formula(value: Any) -> Any:
    """A text that a spreadsheet would compute gets an apostrophe before it. Numbers stay numbers."""
    if not isinstance(value, str):
        return value if value is None or isinstance(value, int | float | Decimal) else _no_formula(str(value))
    text = neutral(value)
    return f"'{text}" if value.lstrip(" ").startswith(FORMULAS) else text


def _records(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise InputError("query", f"two columns are called {', '.join(twice)}. JSON needs distinct names: use AS.")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _print_rows(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Print a line per row, or a line per value if the terminal is too narrow. A file or a pipe is never too narrow."""
    kept = list(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        is_number = any(type(row[place]) in {int, float} for row in kept)
        table.add_column(Text(_shown(name)), justify="right" if is_number else "left")
    for row in kept:
        table.add_row(*(Text(_shown(value)) for value in row))
    width = Console(width=1_000_000).measure(table).maximum
    if width <= out.width or not out.is_terminal:
        Console(width=max(width, out.width)).print(table)
        return
    for row in kept:
        lines = Table.grid(padding=(0, 2))
        for name, value in zip(columns, row, strict=True):
            lines.add_row(Text(_shown(name), style="bold"), Text(_shown(value), overflow="fold"))
        out.print(lines, "")


def _shown(value: Any) -> str:
    """A value on one line. Control characters are replaced, because they could steer the terminal."""
    text = "NULL" if value is None else str(round(value, 4) if isinstance(value, float) else value)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


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
