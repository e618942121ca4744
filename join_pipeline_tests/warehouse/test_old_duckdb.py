"""The oldest supported DuckDB reads the published file, because analysts' tools carry old versions."""

import json
import os
import subprocess
import venv
from pathlib import Path

import pytest

from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.publish import STORAGE_VERSION, tables_to_publish
from join_pipeline_tests.cli.companies import Grown

READ = """
import json, sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
comments = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
comments |= dict(con.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
columns = con.execute("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal").fetchall()
# as text: these releases need pytz for instants
rows = {name: len(con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {name}").fetchall()) for name in comments}
print(json.dumps({"version": duckdb.__version__, "comments": comments, "columns": columns, "rows": rows}))
"""


pytestmark = pytest.mark.slow  # it asks the package index


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with nothing but the oldest DuckDB, from the package index."""
    folder = tmp_path_factory.mktemp("old")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    wheel = f"duckdb=={STORAGE_VERSION.removeprefix('v')}"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", "duckdb", wheel]
    subprocess.run(pip, check=True, timeout=600)
    return python


def test_the_oldest_duckdb_reads_every_table_and_view_and_their_comments(built: Grown, old_python: Path) -> None:
    published = built.shell.settings.published
    ended = subprocess.run(
        [old_python, "-c", READ, published],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": os.environ["PATH"]},
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert f"v{found['version']}" == STORAGE_VERSION
    listed = tables_to_publish(read_manifest(built.shell.settings))
    assert found["comments"] == {table.name: table.description for table in listed}
    assert sorted(found["columns"]) == sorted([t.name, *column] for t in listed for column in t.columns.items())
    assert found["rows"] == {table["name"]: table["rows"] for table in built.built[-1].document["published"]["tables"]}
