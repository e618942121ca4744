"""A scratch database for the tests of a file, and a lake for each of them."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from join_pipeline.lake.sql import scratch
from join_pipeline_tests.unit.sync.tables import Tables


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """To open one for each test would take as long as all of the tests."""
    with scratch(tmp_path_factory.mktemp("builds"), "500MB") as con:
        yield con


@pytest.fixture
def given(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Tables:
    return Tables(con, tmp_path / "lake")
