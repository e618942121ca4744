"""The commands that read the published file: query, export."""

import csv
import io
import sys
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from join_pipeline.cli.arguments import text_content
from join_pipeline.cli.output import Json, is_utf8, neutral, out, print_json
from join_pipeline.cli.tables import print_rows
from join_pipeline.cli.verbosity import say
from join_pipeline.errors import InputError, SettingsError
from join_pipeline.settings import load_settings

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
SHOWN: Final = 100
DELIMITERS: Final = {",": ",", ";": ";", "|": "|", "\t": "\t", "\\t": "\t", "tab": "\t"}
BOM: Final = "\ufeff"

Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]


class Decimals(StrEnum):
    """What stands before decimals."""

    POINT = "."
    COMMA = ","


class Language(StrEnum):
    """The language of a workbook."""

    en = "en"
    de = "de"


def query(
    sql: Annotated[str, typer.Argument(help="Query in DuckDB's SQL; - reads standard input.")],
    limit: Annotated[
        int | None, typer.Option(min=0, help="Most rows; 0: all. Default: 100 in the table, all elsewhere.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
    delimiter: Annotated[str, typer.Option(help="What separates the columns of CSV: , or ; or | or tab.")] = ",",
    decimal: Annotated[Decimals, typer.Option(help="What stands before decimals in CSV.")] = Decimals.POINT,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a mark by which Excel knows UTF-8.")] = False,
    xlsx: Annotated[Path | None, typer.Option(help="Write the rows to this new workbook of Excel.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Run one read-only query on the published file. It delays no sync and no publish.

    An example is `join-pipeline query "FROM where_do_applications_wait"`. Instants are UTC; in a workbook they are in
    the company's time zone. A German Excel opens what `--csv --delimiter ";" --decimal , --bom` prints.
    """
    from join_pipeline.warehouse.query import answering

    if as_csv + as_json + (xlsx is not None) > 1:
        raise SettingsError("Give one of --json, --csv and --xlsx.")
    if not as_csv and (delimiter != "," or decimal is not Decimals.POINT or bom):
        raise SettingsError("--delimiter, --decimal and --bom go with --csv.")
    if force and xlsx is None:
        raise SettingsError("--force goes with --xlsx.")
    separator = _separator(delimiter, decimal)
    settings = load_settings()
    asked = text_content("query", "-") if sql == "-" else sql
    with answering(settings, asked) as answer:
        rows = islice(answer.rows, limit or None)
        if as_json:
            print_json(_records(answer.columns, rows))
        elif as_csv:
            print_csv(answer.columns, rows, separator, decimal, bom=bom)
        elif xlsx is not None:
            from join_pipeline.warehouse.workbook import Sheet, write_workbook

            about = f"Times are those of {settings.time_zone}."
            sheet = Sheet("query", answer.columns, answer.columns, rows)
            write_workbook(settings, xlsx, [sheet], force=force, about=about)
            out.print(escape(str(xlsx.absolute())), soft_wrap=True)
            say(f"{sheet.n_rows[0]:,} rows. {about}")
        else:
            most = SHOWN if limit is None else limit
            print_rows(answer.columns, islice(answer.rows, most or None))
            if most and next(answer.rows, None) is not None:
                more = f"… and more: --limit 0 shows all, --csv and --json print all. Shown: {most:,}."
                out.print(more, markup=False, highlight=False, soft_wrap=True)


def export(
    xlsx: Annotated[Path, typer.Option(help="The new workbook of Excel.")],
    language: Annotated[Language, typer.Option(help="Language of headers, sheets and dates.")] = Language.en,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write all views that answer questions to a workbook of Excel, with what each column and each metric means.

    Times are in the company's time zone, JOIN_PIPELINE_TIME_ZONE.
    """
    from join_pipeline.warehouse.export import export as run

    written = run(load_settings(), xlsx, language.value, force=force)
    if as_json:
        print_json(written)
        return
    out.print(escape(str(written.path)), soft_wrap=True)
    rows = sum(written.sheets.values())
    say(f"{written.n_bytes / 1e3:,.0f} kB, {len(written.sheets)} sheets, {rows:,} rows.")


def _separator(delimiter: str, decimal: Decimals) -> str:
    if delimiter not in DELIMITERS:
        raise SettingsError("--delimiter is one of , ; | and tab.")
    if DELIMITERS[delimiter] == decimal.value:
        raise SettingsError("--decimal , needs another delimiter, such as --delimiter ';'.")
    return DELIMITERS[delimiter]


def print_csv(
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    separator: str,
    decimal: Decimals,
    *,
    bom: bool = False,
) -> None:
    """Print rows as CSV in which no cell is a formula."""
    if not is_utf8(sys.stdout) and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # a file of data is UTF-8, whatever the terminal has
    if bom:
        sys.stdout.write(BOM)
    writer = csv.writer(sys.stdout, delimiter=separator, lineterminator="\n")
    cell = _cell if decimal is Decimals.POINT else _with_comma
    writer.writerow(map(_cell, columns))
    writer.writerows(map(cell, row) for row in rows)


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would compute gets an apostrophe before it. Numbers stay numbers."""
    if not isinstance(value, str):
        return value if value is None or isinstance(value, int | float | Decimal) else _cell(str(value))
    text = neutral(value)
    return f"'{text}" if value.lstrip(" ").startswith(FORMULAS) else text


def _with_comma(value: Any) -> Any:
    """The same with a comma before decimals. A German spreadsheet takes a point for the end of thousands."""
    if not isinstance(value, float | Decimal):
        return _cell(value)
    return f"{Decimal(repr(value)) if isinstance(value, float) else value:f}".replace(".", ",")


def _records(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise InputError("query", f"two columns are called {', '.join(twice)}. JSON needs distinct names: use AS.")
    return [dict(zip(columns, row, strict=True)) for row in rows]
