"""Export: a workbook of the views that answer questions, with a sheet of columns and one of definitions.

Belongs here: which sheets there are, and their words in each language. Not here: cells (workbook), one query (query).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import msgspec

from join_pipeline.errors import BuildError, foreign
from join_pipeline.settings import Settings
from join_pipeline.warehouse.query import opened
from join_pipeline.warehouse.workbook import Sheet, checked_target, names_of_sheets, write_workbook

Language = Literal["en", "de"]
VIEWS: Final = "SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' ORDER BY ALL"
COLUMNS: Final = """SELECT table_name, column_name, comment FROM duckdb_columns()
    WHERE schema_name = 'main' AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)
    ORDER BY table_name, column_index"""


@dataclass(frozen=True, slots=True)
class Exported:
    """The written workbook: its path, its size in bytes, and the number of rows of each sheet."""

    path: Path
    n_bytes: int
    sheets: dict[str, int]


def export(settings: Settings, path: Path, language: Language = "en", *, force: bool = False) -> Exported:
    """Write all views to a workbook. Raises `BuildError` if nothing is published, `SettingsError` for a bad path."""
    checked_target(path, force=force)
    words = _words(language)
    with opened(settings) as con:
        try:
            as_of = con.execute("SELECT max(as_of) FROM dim_sync").fetchall()[0][0]
            about = [
                (words["as_of"], as_of),
                (words["time_zone"], settings.time_zone),
                (words["file"], settings.published.name),
            ]
            sheets = list(_sheets(con, words, about, language))
            n_bytes = write_workbook(settings, path, sheets, language=language, force=force)
        except duckdb.Error as error:
            raise BuildError(
                f"{settings.published} can't be read ({foreign(error)}). `join-pipeline build --force` makes it again."
            ) from None
    return Exported(path.absolute(), n_bytes, {sheet.name: sheet.n_rows[0] for sheet in sheets})


def header_of(column: str, words: dict[str, str]) -> str:
    """The header of a column: its words in the language, else its own name in words."""
    return words.get(column) or column.replace("_", " ")


def _sheets(
    con: duckdb.DuckDBPyConnection, words: dict[str, str], about: list[tuple[Any, ...]], language: Language
) -> Iterator[Sheet]:
    views = [name for (name,) in con.execute(VIEWS).fetchall()]
    titles = [words["about"], *(header_of(view, words) for view in views), words["columns"], words["definitions"]]
    names = list(names_of_sheets(titles))
    contents = [(words["sheet"] + f" {name}", view) for name, view in zip(names[1:], views, strict=False)]
    head = (words["what"], words["value"])
    yield Sheet(names[0], head, ("what", "value"), [*about, *contents])
    for name, view in zip(names[1:], views, strict=False):
        yield _sheet(con, name, f'FROM "{view}"', words)
    comments = [(header_of(view, words), header_of(column, words), column, said) for view, column, said in _said(con)]
    head3 = (words["sheet"], words["column"], words["name"], words["meaning"])
    yield Sheet(names[-2], head3, ("sheet", "column", "name", "meaning"), comments)
    yield _definitions(con, names[-1], words, language)


def _said(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    return con.execute(COLUMNS).fetchall()


def _sheet(con: duckdb.DuckDBPyConnection, name: str, query: str, words: dict[str, str]) -> Sheet:
    cursor = con.execute(query)
    columns = [column[0] for column in cursor.description or ()]
    return Sheet(name, [header_of(column, words) for column in columns], columns, cursor.fetchall())


def _definitions(con: duckdb.DuckDBPyConnection, name: str, words: dict[str, str], language: Language) -> Sheet:
    """The definitions that are published. They are in English, so another language lays its own words over them."""
    sheet = _sheet(con, name, "FROM metric_definition", words)
    told = {} if language == "en" else read_definitions(language)
    english = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
    definitions = sorted((one | told.get(one["id"], {}) for one in english), key=lambda one: one["name"].casefold())
    return replace(sheet, rows=[[one[column] for column in sheet.columns] for one in definitions])


def read_definitions(language: Language) -> dict[str, dict[str, str]]:
    """The words of another language than English for the columns of `metric_definition`, by a metric's id."""
    definitions: dict[str, dict[str, str]] = _read(language, f"definitions.{language}.json")
    return definitions


def _words(language: Language) -> dict[str, str]:
    """The words of a language, by name of view, column and part of the workbook. English has few: names are English."""
    words: dict[str, str] = _read(language, f"{language}.json")
    return words


def _read(language: Language, name: str) -> Any:
    file = Path(str(resources.files("join_pipeline.warehouse"))) / "words" / name
    with contextlib.suppress(FileNotFoundError):
        return msgspec.json.decode(file.read_bytes())
    raise BuildError(f"The words of the language {language} are missing. Install join-pipeline again.")
