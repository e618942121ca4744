"""What is kept of a build by dbt: for which companies it holds, and that playing it makes all or nothing."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from join_pipeline.transform.compiled import Compiled, Made, keep, kept, play
from join_pipeline.transform.data_tests import DataTest

PATHS = {"{{project}}": "/opt/project", "{{cost_csv}}": "/data/acme/it''s [[]1].csv"}
PYTHON = """
class dbtObj:
    def __init__(self, load):
        self.ref = lambda name: load(f"main.{name}")

def model(dbt, session):
    (numbers,) = dbt.ref("numbers").fetchnumpy().values()
    session.register("doubled", {"n": numbers * 2})
    return session.table("doubled")
"""


def made(name: str, code: str, kind: str = "model", *, is_python: bool = False) -> Made:
    return Made(unique_id=f"{kind}.p.{name}", schema="main", name=name, message="OK", code=code, is_python=is_python)


NUMBERS = made("numbers", "CREATE TABLE main.numbers AS FROM range(3) AS t (n)")
DOUBLE = made("double", PYTHON, is_python=True)
TWICE = made("twice", "CREATE VIEW main.twice AS SELECT n FROM main.double")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with contextlib.closing(duckdb.connect()) as con:
        yield con


def test_it_takes_the_paths_of_the_company_that_plays_it(tmp_path: Path) -> None:
    path = tmp_path / "compiled.json"
    assert kept(path, PATHS) is None
    of_all = Compiled([made("a", "FROM '{{cost_csv}}'")], [DataTest("t", "FROM '{{project}}/x'", False)])
    keep(path, of_all, ["/data/acme"])
    own = kept(path, PATHS)
    assert own
    assert own.made[0].code == "FROM '/data/acme/it''s [[]1].csv'"
    assert own.tests[0].sql == "FROM '/opt/project/x'"
    path.write_bytes(path.read_bytes()[:20])
    assert kept(path, PATHS) is None


def test_it_is_not_kept_with_a_path_that_is_one_companys_own(tmp_path: Path) -> None:
    keep(tmp_path / "compiled.json", Compiled([made("a", "FROM '/data/acme/x.csv'")], []), ["/opt", "/data/acme"])
    assert not (tmp_path / "compiled.json").exists()


def test_it_makes_all_in_place_of_what_was_there(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE VIEW numbers AS SELECT 7; CREATE TABLE twice AS SELECT 8")
    for _ in range(2):
        told: list[int] = []
        seconds = play(con, [NUMBERS, DOUBLE, TWICE], told.append)
        assert seconds
        assert list(seconds) == [NUMBERS.unique_id, DOUBLE.unique_id, TWICE.unique_id]
        assert told == [0, 1, 2]
        assert con.execute("FROM twice ORDER BY ALL").fetchall() == [(0,), (2,), (4,)]


@pytest.mark.parametrize("code", ["CREATE TABLE main.broken AS SELECT 1; FROM nowhere", "CREATE nothing"])
def test_what_can_not_be_made_ends_it_and_is_undone(con: duckdb.DuckDBPyConnection, code: str) -> None:
    assert play(con, [NUMBERS, made("broken", code), TWICE]) is None
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("numbers",)]
    assert play(con, [NUMBERS, made("broken", "raise KeyError(1)", is_python=True)]) is None
    assert play(con, [NUMBERS])


def test_who_interrupts_a_statement_is_not_asked_to_wait_for_dbt(con: duckdb.DuckDBPyConnection) -> None:
    """DuckDB tells an interruption by such an error."""
    with pytest.raises(KeyboardInterrupt):
        play(con, [NUMBERS, made("long", "raise RuntimeError('Query interrupted')", is_python=True)])
