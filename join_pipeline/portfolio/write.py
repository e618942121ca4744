"""Write portfolio.duckdb: read all companies' Parquet files, and replace the file at once.

A company that is built meanwhile is read again, so that its figures are of one build. One whose files can't be read is
left out and told. Belongs here: reading and writing. Not here: SQL and comments (tables).
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, foreign
from join_pipeline.lake.files import appearing
from join_pipeline.portfolio.companies import BUILD, Company, changed_since, companies
from join_pipeline.portfolio.page import page
from join_pipeline.portfolio.tables import COMMENTS, READ, sql_of
from join_pipeline.settings import Settings
from join_pipeline.warehouse.parquet import parquet_file
from join_pipeline.warehouse.publish import STORAGE_VERSION

ROUNDS: Final = 3
"""How often a company is read whose files are replaced meanwhile."""


# which companies a person who made the file likes to see
_SLOWEST: Final = """
    SELECT companies.connection AS company, n_open_at_least AS open, n_stuck AS stuck, n_overdue AS overdue,
        round(slow.days_p50, 1) AS days_to_hire, strftime(as_of, '%Y-%m-%d') AS as_of
    FROM companies INNER JOIN who_waits_by_company AS waits USING (connection)
    LEFT JOIN who_is_slow_by_company AS slow ON slow.connection = companies.connection AND metric = 'time_to_hire'
    WHERE milestone = 'all' ORDER BY days_to_hire DESC NULLS LAST, company LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The file, its page, every company with its state, the rows of each table, and the metrics with benchmarks."""

    path: Path
    report: Path
    n_bytes: int
    companies: tuple[Company, ...]
    rows: dict[str, int]
    benchmarks: tuple[str, ...]

    @property
    def n_read(self) -> int:
        return sum(company.state != "left out" for company in self.companies)

    def figures(self) -> dict[str, Any]:
        """The figures for display."""
        return {
            "path": self.path,
            "companies": self.n_read,
            "left_out": len(self.companies) - self.n_read,
            "benchmarks": ", ".join(self.benchmarks) or "none",
        }

    def slowest(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """The columns and rows of the companies that take longest to hire."""
        with contextlib.closing(duckdb.connect(self.path, read_only=True)) as con:
            found = con.execute(_SLOWEST)
            return tuple(column[0] for column in found.description or ()), found.fetchall()


def write_portfolio(settings: Settings, listed: Sequence[str], now: datetime) -> Portfolio:
    """Make the file and its page anew from the companies that can be read. Raises `BuildError` if there is none."""
    found = companies(settings.parquet, listed, list(READ), now, settings.stale_after_days)
    target = settings.portfolio
    with appearing(target, 0o444) as aside, contextlib.closing(duckdb.connect()) as con:
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET memory_limit = ?", [settings.memory_limit])
            for name, read in READ.items():
                con.execute(f"CREATE TEMP TABLE {name} ({read.declared})")
            found = _read(con, settings.parquet, found)
            if all(company.state == "left out" for company in found.values()):
                raise BuildError(f"No company has Parquet files that can be read. {BUILD.format('NAME')}")
            rows, told = _write(con, aside, list(found.values()), settings.k)
        except duckdb.Error as error:
            raise BuildError(f"{target.name} was not made, and the old one stays ({foreign(error)}).") from None
    with appearing(settings.portfolio_report, 0o444) as aside:
        aside.write_text(page(target, settings.report_language), encoding="utf-8")
    size = target.stat().st_size
    return Portfolio(target, settings.portfolio_report, size, tuple(found.values()), rows, told)


def _read(con: duckdb.DuckDBPyConnection, root: Path, found: Mapping[str, Company]) -> dict[str, Company]:
    """Read every company that is not left out. Returns all of them, with those left out that could not be read."""
    read = dict(found)
    names = [name for name, company in found.items() if company.state != "left out"]
    for _ in range(ROUNDS):
        damaged = _load(con, root, names)
        for name in damaged:
            read[name] = read[name].without("A file of it is damaged. Build it with --force.")
        notes = {name: company.note for name in names if name not in damaged and (company := read[name]).note}
        changed = changed_since(root, {name: note for name, note in notes.items() if note})
        for name, note in changed.items():
            read[name] = Company(name, read[name].state, read[name].message, note)
        names = list(changed)
        if not names:
            return read
    _forget(con, names)
    for name in names:
        read[name] = read[name].without("It was built while it was read. Run it again.")
    return read


def _load(con: duckdb.DuckDBPyConnection, root: Path, names: Sequence[str]) -> set[str]:
    """Read these companies in place of what was read of them. Returns those that have a damaged file."""
    try:
        _load_whole(con, root, names)
    except duckdb.Error:  # one of many files, so each is tried by itself
        _forget(con, names)
        damaged = {name for name in names if not _is_sound(con, root, name)}
        _load_whole(con, root, [name for name in names if name not in damaged])
        return damaged
    return set()


def _load_whole(con: duckdb.DuckDBPyConnection, root: Path, names: Sequence[str]) -> None:
    _forget(con, names)
    for table, read in READ.items() if names else ():
        files = [str(parquet_file(root, table, name)) for name in names]
        con.execute(f"INSERT INTO {table} SELECT {read.selected} FROM {_PARQUET} WHERE {read.where}", [files])


def _is_sound(con: duckdb.DuckDBPyConnection, root: Path, name: str) -> bool:
    try:
        for table, read in READ.items():
            file = [str(parquet_file(root, table, name))]
            con.execute(f"SELECT {read.selected} FROM {_PARQUET} WHERE {read.where}", [file]).fetchall()
    except duckdb.Error:
        return False
    return True


def _forget(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    for table in READ:
        con.execute(f"DELETE FROM {table} WHERE list_contains(?, connection)", [list(names)])


# without its type, a company named 2024 would be a number
_PARQUET: Final = (
    "read_parquet(?, hive_partitioning = true, hive_types = {'connection': VARCHAR}, union_by_name = true)"
)


def _write(
    con: duckdb.DuckDBPyConnection, aside: Path, found: Sequence[Company], k: int
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Make the tables. Returns their numbers of rows, and the metrics that have benchmarks."""
    con.execute(
        """CREATE TEMP TABLE company (connection VARCHAR, state VARCHAR, message VARCHAR, as_of VARCHAR,
        sync_id VARCHAR, schema_version VARCHAR, release VARCHAR, k BIGINT)"""
    )
    con.executemany("INSERT INTO company VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [_row(company) for company in found])
    con.execute(f"ATTACH {_text(str(aside))} AS portfolio (STORAGE_VERSION '{STORAGE_VERSION}')")
    con.execute("USE portfolio")
    rows = {}
    for name, sql in sql_of(k).items():
        con.execute(f"CREATE TABLE {name} AS {sql}")
        about, columns = COMMENTS[name]
        con.execute(f"COMMENT ON TABLE {name} IS {_text(about)}")
        for column, said in columns.items():
            con.execute(f"COMMENT ON COLUMN {name}.{column} IS {_text(said)}")
        rows[name] = int(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
    told = con.execute("SELECT metric FROM benchmarks WHERE NOT is_suppressed ORDER BY ALL").fetchall()
    con.execute("USE memory")
    con.execute("DETACH portfolio")
    return rows, tuple(metric for (metric,) in told)


def _row(company: Company) -> list[Any]:
    note = company.note
    noted = [note.as_of, note.sync_id, note.schema_version, note.release, note.k] if note else [None] * 5
    return [company.connection, company.state, company.message, *noted]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
