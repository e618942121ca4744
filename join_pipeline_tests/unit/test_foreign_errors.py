"""What is said of a library's error: never the value that its own message quotes."""

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb
import httpx
import msgspec
import pyarrow as pa
import pydantic
import pytest

from join_pipeline.errors import LakeError, foreign, foreign_text, machines_reason, pass_interruption
from join_pipeline.faults import told

CANARY: Final = "canary@person.example"


class Payload(msgspec.Struct):
    """A payload with one number."""

    n: int


class Model(pydantic.BaseModel):
    """A model with one number."""

    n: int


def bad_utf8() -> None:
    con = duckdb.connect()
    con.execute(f"SELECT decode('{CANARY}\\xFF'::BLOB)").fetchall()


def duplicate_key() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t (id VARCHAR PRIMARY KEY)")
    con.execute(f"INSERT INTO t VALUES ('{CANARY}'), ('{CANARY}')")


def sqlite_duplicate() -> None:
    con = sqlite3.connect(":memory:")
    con.execute("SELECT * FROM " + CANARY.replace("@", "_").replace(".", "_") + CANARY)


def csv_limit() -> None:
    list(csv.reader([f'"{CANARY}"x'], strict=True))


FORCED: Final[dict[str, Callable[[], Any]]] = {
    "duckdb conversion": lambda: duckdb.sql(f"SELECT '{CANARY}'::INT").fetchall(),
    "duckdb cast of an instant": lambda: duckdb.sql(f"SELECT '{CANARY}'::TIMESTAMPTZ").fetchall(),
    "duckdb error()": lambda: duckdb.sql(f"SELECT error('{CANARY}')").fetchall(),
    "duckdb encoding": bad_utf8,
    "httpx packing": lambda: httpx.Response(200, headers={"content-encoding": "gzip"}, content=CANARY.encode()),
    "duckdb key": duplicate_key,
    "duckdb file": lambda: duckdb.connect(f"/nowhere/{CANARY}/x"),
    "duckdb json": lambda: duckdb.sql(f"SELECT '{CANARY}'::JSON").fetchall(),
    "msgspec": lambda: msgspec.convert({"n": CANARY}, Payload),
    "msgspec json": lambda: msgspec.json.decode(CANARY),
    "pyarrow": lambda: pa.array([CANARY]).cast(pa.int64()),
    "pyarrow type": lambda: pa.array([1, CANARY]),
    "pydantic": lambda: Model(n=CANARY),  # type: ignore[arg-type]
    "httpx url": lambda: httpx.URL(f"https://x/{CANARY}\0"),
    "httpx request": lambda: httpx.get(f"http://127.0.0.1:1/?q={CANARY}", trust_env=False),
    "httpx protocol": lambda: httpx.get(f"{CANARY}://x", trust_env=False),
    "json": lambda: json.loads(CANARY),
    "int": lambda: int(CANARY),
    "decode": lambda: CANARY.encode("utf-16").decode("utf-8"),
    "encode": f"{CANARY}\udcff".encode,
    "file": lambda: Path(f"/nowhere/{CANARY}").read_bytes(),
    "key": lambda: {}[CANARY],
    "sqlite": sqlite_duplicate,
    "csv": csv_limit,
}


@pytest.mark.parametrize("name", FORCED)
def test_no_value_is_in_what_is_said_of_an_error(name: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  each library has its own
        FORCED[name]()
    assert CANARY not in foreign(caught.value)
    assert type(caught.value).__name__ in foreign(caught.value)


@pytest.mark.parametrize("name", [name for name in FORCED if name.startswith("duckdb")])
def test_nor_in_what_is_said_of_an_error_that_dbt_passes_on(name: str) -> None:
    with pytest.raises(duckdb.Error) as caught:
        FORCED[name]()
    assert CANARY not in foreign_text(f"Runtime Error in model x (models/x.sql)\n  {caught.value}")


def test_the_systems_reason_is_told() -> None:
    assert foreign(OSError(28, "x")) == "OSError: No space left on device"
    assert "No space left on device" in foreign(duckdb.IOException("Could not write: No space left on device"))
    assert "JOIN_PIPELINE_MEMORY_LIMIT" in foreign(duckdb.OutOfMemoryException("x"))
    assert foreign(sqlite3.DatabaseError(CANARY)).startswith("DatabaseError: the file")
    assert foreign(KeyError("x")) == "KeyError"


def test_a_log_of_dagsters_is_told_by_what_the_machine_refused() -> None:
    trace = f'Traceback (most recent call last):\n  File "x.py", line 1\n{CANARY}\n'
    assert machines_reason(f"{trace}sqlite3.OperationalError: database or disk is full") == "the disk is full"
    assert machines_reason(f"{trace}OSError: [Errno 28] No space left on device") == "the disk is full"
    assert "can't be written" in str(machines_reason(f"{trace}attempt to write a readonly database"))
    assert machines_reason(trace) is None


def test_duckdbs_word_for_an_interruption_is_one_and_no_other_error_is() -> None:
    interruption = RuntimeError("Query interrupted")
    with pytest.raises(KeyboardInterrupt):
        pass_interruption(interruption)
    assert "interrupted" in told(interruption)
    for other in (RuntimeError("it broke"), ValueError("Query interrupted"), LakeError("Query interrupted")):
        pass_interruption(other)
