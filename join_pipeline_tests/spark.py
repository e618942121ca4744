"""Spark as a reader of the published Parquet files: it finds the same numbers as DuckDB in every table.

    make test-spark

It needs Java (on Debian: apt install default-jre-headless) and the extra `spark`, so it is none of pytest's tests. Two
companies of the sandbox are built, one of them with a name that looks like a number. Then each table is read by both,
by one path, with a column for the company: its rows, and of each column how many values there are and what they sum up
to. Belongs here: asking both and comparing. Not here: writing the files (warehouse.parquet).
"""

import contextlib
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from unittest import mock

import duckdb

from join_pipeline import pipeline
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.cli.commands import Shell

COMPANIES: Final = {"2024": 150, "globex": 600}
NUMBER: Final = re.compile(r"TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|FLOAT|DOUBLE|DECIMAL.*")
INSTANTS: Final = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
Sums = dict[tuple[str, str], list[Any]]


def main() -> None:
    """Build the companies, ask both, and end with a failure if they differ."""
    if shutil.which("java") is None:
        raise SystemExit("Spark needs Java. On Debian: apt install default-jre-headless")
    with tempfile.TemporaryDirectory() as folder:
        for name, applications in COMPANIES.items():
            with running(SandboxConfig(port=0, applications=applications, rate_limit=None)) as url:
                settings = _built(Shell(url, Path(folder) / "data"), name)
        columns = _columns(settings)
        began = time.monotonic()
        asked = _asked_of_duckdb(settings.parquet, columns)
        by_duckdb, began = time.monotonic() - began, time.monotonic()
        found = _asked_of_spark(settings.parquet, columns)
        by_spark = time.monotonic() - began
    different = [where for where in asked.keys() | found.keys() if not _is_equal(asked.get(where), found.get(where))]
    for where in sorted(different):
        print(f"{where}: DuckDB has {asked.get(where)}, Spark {found.get(where)}")  # noqa: T201  a result
    rows = sum(values[0] for values in asked.values())
    n_values = sum(len(values) for values in asked.values())
    print(  # noqa: T201  a result
        f"{len(columns)} tables of {len(COMPANIES)} companies, {rows:,} rows, {n_values:,} numbers compared: "
        f"{len(different)} tables differ. DuckDB took {by_duckdb:.1f} s, Spark {by_spark:.1f} s with its start."
    )
    if different or {name for _, name in asked} != set(COMPANIES):
        raise SystemExit(1)


def _built(shell: Shell, name: str) -> Settings:
    chosen = {"JOIN_PIPELINE_CONNECTION": name, "JOIN_PIPELINE_PUBLISH_PARQUET": "true"}
    with mock.patch.dict(os.environ, shell.but(**chosen).environment, clear=True):
        settings = load_settings()
        pipeline.run(settings, "full")
    return settings


def _columns(settings: Settings) -> dict[str, dict[str, str]]:
    """The columns of each table that is there as Parquet, with their types."""
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        described = con.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() ORDER BY ALL")
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in described.fetchall():
            if (settings.parquet / table).is_dir():
                found.setdefault(table, {})[column] = kind
    return found


def _query(table: str, columns: Mapping[str, str], quote: str, epoch: str, days: str) -> str:
    """Rows, and for each column the number of values, and their sum where they have one."""
    asked = ["count(*)"]
    for column, kind in columns.items():
        name = f"{quote}{column}{quote}"
        asked.append(f"count({name})")
        if NUMBER.fullmatch(kind):
            asked.append(f"sum(cast({name} AS double))")
        elif kind == "BOOLEAN":
            asked.append(f"sum(CASE WHEN {name} THEN 1 ELSE 0 END)")
        elif kind in INSTANTS:
            asked.append(f"sum(cast({epoch.format(name)} AS double))")
        elif kind == "DATE":
            asked.append(f"sum({days.format(name)})")
        elif kind == "VARCHAR":
            asked += [f"count(DISTINCT {name})", f"sum(length({name}))"]
    return f"SELECT connection, {', '.join(asked)} FROM {table} GROUP BY connection"


def _asked_of_duckdb(root: Path, columns: Mapping[str, Mapping[str, str]]) -> Sums:
    found: Sums = {}
    with contextlib.closing(duckdb.connect()) as con:
        con.execute("SET TimeZone = 'UTC'")
        for table, kinds in columns.items():
            glob = f"{root}/{table}/*/*.parquet"
            read = f"read_parquet('{glob}', hive_partitioning = true, hive_types = {{'connection': VARCHAR}})"
            for name, *values in con.execute(
                _query(read, kinds, '"', "epoch_us({})", "{} - DATE '1970-01-01'")
            ).fetchall():
                found[table, name] = values
    return found


def _asked_of_spark(root: Path, columns: Mapping[str, Mapping[str, str]]) -> Sums:
    from pyspark.sql import SparkSession  # noqa: PLC0415  of the extra `spark`

    builder = SparkSession.builder.master("local[2]").appName("join-pipeline")
    options = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # as docs/several-companies.md says: a name like 2024 is a text
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    }
    for option, value in options.items():
        builder = builder.config(option, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    found: Sums = {}
    try:
        for table, kinds in columns.items():
            spark.read.parquet(str(root / table)).createOrReplaceTempView("asked")
            for name, *values in spark.sql(_query("asked", kinds, "`", "unix_micros({})", "unix_date({})")).collect():
                found[table, name] = values
    finally:
        spark.stop()
    return found


def _is_equal(one: list[Any] | None, other: list[Any] | None) -> bool:
    """Sums of doubles are made in another order."""
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        a == b or (a is not None and b is not None and math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9))
        for a, b in zip(one, other, strict=True)
    )


if __name__ == "__main__":
    main()
