"""The file over all companies: figures by company, quartiles over many, and companies that can't be read."""

import contextlib
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from benchmarks.portfolio import AS_OF, make
from join_pipeline.errors import BuildError
from join_pipeline.portfolio import write
from join_pipeline.portfolio.tables import COMMENTS, LEAST_COMPANIES
from join_pipeline.portfolio.write import Portfolio, write_portfolio
from join_pipeline.settings import Settings, load_settings
from join_pipeline.warehouse.parquet import note_path, parquet_file

NOW = datetime.fromisoformat(AS_OF) + timedelta(hours=1)
NAMES = [f"company-{place}" for place in range(LEAST_COMPANIES)]
Rows = list[tuple[object, ...]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path)


def rows(made: Portfolio, query: str) -> Rows:
    with contextlib.closing(duckdb.connect(made.path, read_only=True)) as con:
        return con.execute(query).fetchall()


def states(made: Portfolio) -> dict[str, str]:
    return {company.connection: company.state for company in made.companies}


def change(settings: Settings, table: str, name: str, replaced: str) -> None:
    """Write a company's table anew with other columns, in as many bytes as its note says."""
    path = parquet_file(settings.parquet, table, name)
    with contextlib.closing(duckdb.connect()) as con:
        con.execute(f"CREATE TABLE kept AS SELECT * EXCLUDE (connection) REPLACE ({replaced}) FROM '{path}'")
        con.execute(f"COPY kept TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    note = note_path(settings.parquet, name)
    noted = write.companies(settings.parquet, [name], [], NOW, 1)[name].note
    assert noted is not None
    before = f'"{table}":{{"rows":{noted.tables[table].rows},"bytes":{noted.tables[table].bytes}}}'
    after = f'"{table}":{{"rows":{noted.tables[table].rows},"bytes":{path.stat().st_size}}}'
    assert before in note.read_text()
    note.write_text(note.read_text().replace(before, after))


def test_each_company_has_its_figures(settings: Settings) -> None:
    make(settings.parquet, ["acme", "2024"])
    made = write_portfolio(settings, ["acme", "2024"], NOW)
    assert states(made) == {"acme": "ok", "2024": "ok"}
    assert rows(made, "SELECT connection, n_applications, state, k FROM companies") == [
        ("2024", 5000, "ok", 5),
        ("acme", 5000, "ok", 5),
    ]
    assert rows(made, "SELECT connection, milestone, n_open, n_stuck, n_overdue FROM who_waits_by_company") == [
        ("2024", "all", 123, 24, 15),
        *(("2024", milestone, 41, 8, 5) for milestone in ("SCREENING", "INTERIM", "OFFER")),
        ("acme", "all", 120, 24, 15),
        *(("acme", milestone, 40, 8, 5) for milestone in ("SCREENING", "INTERIM", "OFFER")),
    ]
    slow = "SELECT connection, days_p50_lo, days_p50, days_p50_hi FROM who_is_slow_by_company"
    assert rows(made, f"{slow} WHERE metric = 'time_to_hire'") == [("2024", 20, 21, 22), ("acme", 19, 20, 21)]
    assert made.slowest()[1][0][:5] == ("2024", 123, 24, 15, 21.0)
    assert rows(made, "SELECT count(*), count(p50) FROM benchmarks WHERE is_suppressed") == [(5, 0)]


def test_a_sum_with_a_hidden_part_is_a_lower_bound_only(settings: Settings) -> None:
    make(settings.parquet, ["acme"])
    offer = "scope = 'milestone' AND milestone = 'OFFER'"
    hidden = ", ".join(
        f"if({offer}, NULL, {name}) AS {name}" for name in ("n_open", "n_in_closed_job", "n_stuck", "n_certainly_stuck")
    )
    change(settings, "mart_pipeline_now", "acme", f"{hidden}, ({offer}) AS is_suppressed")
    made = write_portfolio(settings, ["acme"], NOW)
    columns = "milestone, n_open, n_open_at_least, n_stuck, share_stuck, n_overdue, is_suppressed"
    found = rows(made, f"SELECT {columns} FROM who_waits_by_company WHERE milestone IN ('all', 'OFFER')")
    assert found[0] == ("all", None, 80, None, None, None, True)
    assert found[1][:4] == ("OFFER", None, 0, None)


def test_without_allowed_days_nobody_is_overdue_and_nobody_is_in_time(settings: Settings) -> None:
    make(settings.parquet, ["acme"])
    change(settings, "mart_service_level", "acme", "'elsewhere' AS scope")
    made = write_portfolio(settings, ["acme"], NOW)
    assert rows(made, "SELECT DISTINCT n_overdue, days_allowed FROM who_waits_by_company") == [(None, None)]


def test_quartiles_are_over_companies_that_are_large_enough(settings: Settings) -> None:
    make(settings.parquet, NAMES)
    make(settings.parquet, ["small"], applications=99)
    made = write_portfolio(settings, [*NAMES, "small"], NOW)
    quartiles = statistics.quantiles([20.0 + place for place in range(LEAST_COMPANIES)], n=4, method="inclusive")
    columns = "n_companies, p25, p50, p75, p50_lo, p50_hi"
    found = rows(made, f"SELECT {columns} FROM benchmarks WHERE metric = 'time_to_hire'")
    assert found == [(LEAST_COMPANIES, *quartiles, quartiles[1] - 1, quartiles[1] + 1)]
    assert "time_to_hire" in made.benchmarks
    fewer = write_portfolio(settings, [*NAMES[1:], "small"], NOW)
    assert rows(fewer, "SELECT DISTINCT n_companies, p50, is_suppressed FROM benchmarks") == [(19, None, True)]
    assert fewer.benchmarks == ()


def test_a_company_that_hides_a_metric_or_has_fewer_than_k_cases_does_not_count(settings: Settings) -> None:
    make(settings.parquet, NAMES)
    change(settings, "mart_speed", NAMES[0], "if(metric = 'time_to_fill', NULL, days_p50) AS days_p50")
    change(settings, "mart_speed", NAMES[1], f"if(metric = 'time_to_decision', {settings.k - 1}, n) AS n")
    made = write_portfolio(settings, NAMES, NOW)
    assert made.benchmarks == ("share_stuck", "time_to_first_movement", "time_to_hire")


def missing(settings: Settings, name: str) -> None:
    note_path(settings.parquet, name).unlink()


def short(settings: Settings, name: str) -> None:
    parquet_file(settings.parquet, "mart_speed", name).write_bytes(b"PAR1")


def damaged(settings: Settings, name: str) -> None:
    path = parquet_file(settings.parquet, "mart_speed", name)
    path.write_bytes(b"x" * path.stat().st_size)


def newer(settings: Settings, name: str) -> None:
    note = note_path(settings.parquet, name)
    note.write_text(note.read_text().replace('"schema_version":"1.3"', '"schema_version":"2.0"'))


def unreadable(settings: Settings, name: str) -> None:
    note_path(settings.parquet, name).write_text("{}")


def noting(what: str, instead: str) -> Callable[[Settings, str], None]:
    def spoil(settings: Settings, name: str) -> None:
        note = note_path(settings.parquet, name)
        assert what in note.read_text()
        note.write_text(note.read_text().replace(what, instead))

    return spoil


def folder(settings: Settings, name: str) -> None:
    missing(settings, name)
    note_path(settings.parquet, name).mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing, "join-pipeline build --connection globex"),
        (unreadable, "join-pipeline build --connection globex"),
        (folder, "join-pipeline build --connection globex"),
        (noting(AS_OF, "soon"), "join-pipeline build --connection globex"),
        (noting(AS_OF, AS_OF.removesuffix("+00:00").removesuffix("Z")), "join-pipeline build --connection globex"),
        (noting('"globex"', '"acme"'), "join-pipeline build --connection globex"),
        (short, "mart_speed are not as they were built"),
        (damaged, "damaged"),
        (newer, "schema 2.0"),
    ],
)
def test_a_company_that_cant_be_read_is_told_and_stops_no_other(
    settings: Settings, spoil: Callable[[Settings, str], None], said: str
) -> None:
    make(settings.parquet, ["acme", "globex", "initech"])
    spoil(settings, "globex")
    made = write_portfolio(settings, ["acme", "globex", "initech"], NOW)
    assert states(made) == {"acme": "ok", "globex": "left out", "initech": "ok"}
    assert said in next(company.message for company in made.companies if company.connection == "globex")
    assert rows(made, "SELECT DISTINCT connection FROM who_waits_by_company ORDER BY ALL") == [("acme",), ("initech",)]
    assert rows(made, "SELECT n_applications FROM companies WHERE connection = 'globex'") == [(None,)]


def test_an_old_company_is_told_and_one_that_is_not_listed_is_left_out(settings: Settings) -> None:
    make(settings.parquet, ["acme", "gone"])
    make(settings.parquet, ["globex"], as_of="2026-10-01T00:00:00Z")
    made = write_portfolio(settings, ["acme", "globex"], NOW)
    assert states(made) == {"acme": "ok", "globex": "old", "gone": "left out"}
    assert rows(made, "SELECT DISTINCT connection FROM who_is_slow_by_company ORDER BY ALL") == [("acme",), ("globex",)]
    assert set(states(write_portfolio(settings, [], NOW))) == {"acme", "globex", "gone"}, "no file lists any"


def test_a_company_that_is_built_meanwhile_is_read_again(settings: Settings) -> None:
    make(settings.parquet, ["acme", "globex"])
    load, n_loads = write._load_whole, []

    def building(con: duckdb.DuckDBPyConnection, root: Path, names: list[str]) -> None:
        load(con, root, names)
        n_loads.append(names)
        if len(n_loads) <= n_builds:
            make(root, ["padding"] * (len(n_loads) + n_builds) + ["globex"])  # another build, with other figures

    n_builds = 1
    with mock.patch.object(write, "_load_whole", building):
        made = write_portfolio(settings, ["acme", "globex"], NOW)
    assert n_loads == [["acme", "globex"], ["globex"]]
    medians = "SELECT connection, days_p50 FROM who_is_slow_by_company WHERE metric = 'time_to_hire'"
    assert sorted(rows(made, medians)) == [("acme", 20), ("globex", 22)]
    n_builds = 3
    n_loads.clear()
    with mock.patch.object(write, "_load_whole", building):
        made = write_portfolio(settings, ["acme", "globex"], NOW)
    assert states(made)["globex"] == "left out"
    assert rows(made, medians) == [("acme", 20)]


def test_readers_keep_the_old_file_and_an_empty_portfolio_replaces_nothing(settings: Settings) -> None:
    with pytest.raises(BuildError, match="JOIN_PIPELINE_PUBLISH_PARQUET"):
        write_portfolio(settings, ["acme"], NOW)
    make(settings.parquet, ["acme"])
    made = write_portfolio(settings, ["acme"], NOW)
    before = made.path.read_bytes()
    missing(settings, "acme")
    with pytest.raises(BuildError):
        write_portfolio(settings, ["acme"], NOW)
    assert made.path.read_bytes() == before
    assert {path.name for path in settings.data.iterdir() if path.is_file()} == {"portfolio.duckdb", "portfolio.html"}
    assert made.path.stat().st_mode & 0o777 == 0o444


def test_every_table_and_column_has_its_comment(settings: Settings) -> None:
    make(settings.parquet, ["acme"])
    made = write_portfolio(settings, ["acme"], NOW)
    tables = dict(rows(made, "SELECT table_name, comment FROM duckdb_tables()"))
    assert tables == {name: about for name, (about, _) in COMMENTS.items()}
    columns = rows(made, "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
    assert sorted(columns) == sorted((name, *said) for name, (_, all_) in COMMENTS.items() for said in all_.items())
    assert rows(made, "SELECT max(as_of) FROM companies")[0][0] == datetime.fromisoformat(AS_OF).astimezone(UTC)
