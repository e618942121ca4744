"""The user's own figures: the hiring plan, service levels and costs. Read and check them, and copy them for dbt.

Belongs here: what each of these files may hold. Not here: how numbers and days are written (cells), words for names
(maps), how the figures are compared with what happened (dbt_project).
"""

import contextlib
import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.csv_files import CsvRow, csv_rows, file_text, name_key
from join_pipeline.errors import SettingsError
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.sql import without_patterns
from join_pipeline.settings import Settings, env_name
from join_pipeline.transform.cells import cost_of, currency_of, day_of, month_of, name_of, whole_of, word_of

MOST_NAMES: Final = 20
MOST_ROWS: Final = 20_000
"""What a report still shows: years of months of hundreds of sources."""
MOST_HIRES: Final = 100_000
MOST_DAYS: Final = 3650
MILESTONES: Final = ("SCREENING", "INTERIM", "OFFER")
"""Nobody waits at HIRED, so no days are allowed there."""
_SHOWN: Final = 40

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, how a cell of it is read, the name of what is copied, whether it may be empty."""

    name: str
    read: Callable[[str], str]
    copied: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class UserTable:
    """A table: the setting that names its file, its columns, and `check`, which refuses rows that exclude each other.

    `check` gets what was read, by the names of the copy, with each row's line. `test` is the dbt test that warns of
    names that the ATS does not have, and `unknown` the query that lists them.
    """

    setting: str
    columns: tuple[Column, ...]
    check: Callable[[list[tuple[int, dict[str, str]]]], None]
    test: str | None = None
    unknown: str = ""
    advice: str = ""

    @property
    def copied(self) -> tuple[str, ...]:
        return ("line_number", *(column.copied for column in self.columns))


class _LineError(ValueError):
    """A fault of one line; the file is named by the caller."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"line {line}{said}")


def _once(*names: str) -> Callable[[list[tuple[int, dict[str, str]]]], None]:
    """Refuse a second row with the same values in these columns."""

    def check(rows: list[tuple[int, dict[str, str]]]) -> None:
        seen: dict[tuple[str, ...], int] = {}
        for line, row in rows:
            key = tuple(name_key(row[name]) for name in names)
            if key in seen:
                raise _LineError(
                    line,
                    f": the same {' and '.join(name.removesuffix('_on') for name in names)} as in line {seen[key]}",
                )
            seen[key] = line

    return check


def _plan(rows: list[tuple[int, dict[str, str]]]) -> None:
    """Refuse a line for both or neither, and two lines of one name whose times overlap: a hire would count twice.

    It also says from when on hires count if the file does not. For a job, all of its hires do; for a category, those
    of the year in which they are wanted.
    """
    seen: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for line, row in rows:
        kind = "job" if row["job"] else "category"
        if bool(row["job"]) == bool(row["category"]):
            raise _LineError(line, ": needs a job or a category, and not both")
        due_on = row["due_on"]
        if not row["counts_from_on"] and kind == "category":
            row["counts_from_on"] = f"{due_on[:4]}-01-01"
        from_on = row["counts_from_on"]
        if from_on > due_on:
            raise _LineError(line, f", column since: {from_on} is after {due_on}, by when the hires are wanted")
        others = seen.setdefault((kind, name_key(row[kind])), [])
        for other, other_from_on, other_due_on in others:
            if from_on <= other_due_on and other_from_on <= due_on:
                raise _LineError(
                    line,
                    f": the same {kind} as in line {other}, and their times overlap. Give the later one a `since` "
                    f"after {min(due_on, other_due_on)}",
                )
        others.append((line, from_on, due_on))


TABLES: Final = (
    UserTable(
        "hiring_plan_csv",
        (
            Column("job", name_of, "job", is_optional=True),
            Column("category", name_of, "category", is_optional=True),
            Column("hires", whole_of(0, MOST_HIRES), "n_wanted"),
            Column("by", day_of(is_end=True), "due_on"),
            Column("since", day_of(is_end=False), "counts_from_on", is_optional=True),
        ),
        _plan,
        test="plans_are_known",
        unknown=(
            "SELECT DISTINCT coalesce(job, category) FROM {schema}.mart_plan_line "
            "WHERE scope = 'line' AND n_jobs = 0 ORDER BY ALL"
        ),
        advice="No hire counts for them until the ATS has such a job. Write names as the ATS does, or a job's id",
    ),
    UserTable(
        "service_level_csv",
        (Column("milestone", word_of(MILESTONES), "milestone"), Column("days", whole_of(1, MOST_DAYS), "days_allowed")),
        _once("milestone"),
    ),
    UserTable("published_tags_csv", (Column("tag", name_of, "tag_name"),), _once("tag_name")),
    UserTable(
        "cost_csv",
        (
            Column("source", name_of, "source"),
            Column("month", month_of, "month_on"),
            Column("cost", cost_of, "cost"),
            Column("currency", currency_of, "currency", is_optional=True),
        ),
        _once("source", "month_on", "currency"),
        test="costs_are_known",
        unknown=(
            "SELECT DISTINCT source FROM {schema}.mart_cost_per_hire "
            "WHERE scope = 'source' AND NOT is_known ORDER BY ALL"
        ),
        advice="No application came from them. Write names as the ATS does",
    ),
)


def table_vars(settings: Settings) -> dict[str, str | None]:
    """The path of each copy for dbt by its var, or None where the file is not set."""
    return {
        one.setting: without_patterns(str(_copy(settings, one))) if getattr(settings, one.setting) else None
        for one in TABLES
    }


def copy_tables(settings: Settings) -> None:
    """Check each file that is set, and copy it as plain CSV. Raises `SettingsError` with file, line and column."""
    for one in TABLES:
        path: Path | None = getattr(settings, one.setting)
        if path is not None:
            text = io.StringIO()
            writer = csv.DictWriter(text, one.copied, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writeheader()
            writer.writerows(checked_table(one, path))
            write_whole(_copy(settings, one), text.getvalue().encode())


def checked_table(one: UserTable, path: Path) -> list[Row]:
    """Read and check a file. Returns its rows by the names of the copy; an empty text is no value.

    Raises `SettingsError` with file, line and column.
    """
    where = f"{env_name(one.setting)}: {path}"
    names = [column.name for column in one.columns]
    required = tuple(column.name for column in one.columns if not column.is_optional)
    rows: list[tuple[int, dict[str, str]]] = []
    for row in csv_rows(file_text(path, where), required, where, is_exact=False, known=names):
        if len(rows) == MOST_ROWS:
            raise SettingsError(f"{where}, line {row.line}: has more than {MOST_ROWS:,} rows.")
        rows.append((row.line, _read(one, row, where)))
    try:
        one.check(rows)
    except _LineError as error:
        raise SettingsError(f"{where}, {error}.") from None
    return [{"line_number": str(line), **row} for line, row in rows]


def unknown_names(database: Path, schema: str) -> dict[str, str]:
    """A message for each dbt test that found names which the ATS does not have, by the test's name."""
    told = {}
    with contextlib.closing(duckdb.connect(database, read_only=True)) as con:
        for one in TABLES:
            with contextlib.suppress(duckdb.CatalogException):
                found = con.execute(one.unknown.format(schema=schema)).fetchall() if one.test else []
                if one.test and found:
                    names = ", ".join(f"“{_shown(name)}”" for (name,) in found[:MOST_NAMES])
                    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
                    told[one.test] = f"The ATS has no {names}{more}, which {env_name(one.setting)} names. {one.advice}."
    return told


def _read(one: UserTable, row: CsvRow, where: str) -> dict[str, str]:
    """One row by the names of the copy."""
    made = {}
    for column in one.columns:
        cell = row.cells.get(column.name, "")
        at = f"{where}, line {row.line}, column {column.name}"
        if not name_key(cell) and not column.is_optional:
            raise SettingsError(f"{at}: is empty.")
        try:
            made[column.copied] = column.read(cell) if name_key(cell) else ""
        except ValueError as error:
            raise SettingsError(f"{at}: {error}.") from None
    return made


def _copy(settings: Settings, one: UserTable) -> Path:
    return settings.builds / "maps" / f"{one.setting.removesuffix('_csv')}.csv"


def _shown(name: str) -> str:
    """A name on one line: what steers a terminal is replaced."""
    text = "".join(one if one.isprintable() else "\ufffd" for one in name)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
