"""The analysts' guide: its commands, Python and queries run on a published file, and the names in it exist."""

import ast
import contextlib
import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from join_pipeline.settings import Settings
from join_pipeline_tests.readme.test_docs import blocks

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "analysts.md"
NOTEBOOK = ROOT / "notebooks" / "recruiting.py"
RUN_NOTEBOOK = """
import json, runpy, sys
outputs, defined = runpy.run_path(sys.argv.pop(1))["app"].run()
frames = {name: len(value) for name, value in defined.items() if type(value).__name__ == "DataFrame"}
print(json.dumps({"frames": frames, "shown": sum(output is not None for output in outputs)}))
"""
LIMIT = 300


def run(folder: Path, *command: str) -> str:
    """What an analyst's shell prints in this folder."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    ended = subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_its_commands_run_and_leave_the_file_alone(at_home: Path, busy: Settings) -> None:
    before = busy.published.stat()
    said = run(at_home, "bash", "-euo", "pipefail", "-c", "\n".join(blocks(GUIDE, "sh")))
    assert "SCREENING" in said
    assert "One row per" in said  # comments, as the duckdb CLI shows them
    with (at_home / "sources.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 3
    assert sum(int(row["n_applications"] or 0) for row in rows) > 500
    after = busy.published.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize("script", blocks(GUIDE, "python"), ids=lambda script: script.split()[1])
def test_its_python_shows_what_the_file_holds(at_home: Path, busy: Settings, script: str) -> None:
    said = run(at_home, sys.executable, "-c", script)
    with contextlib.closing(duckdb.connect(busy.published, read_only=True)) as con:
        counted = con.execute("SELECT status, count(*) FROM fct_application GROUP BY ALL").fetchall()
    assert len(counted) >= 3
    for status, n in counted:
        assert re.search(rf"\b{status}\b\W+{n}\b", said), (status, n, said)


@pytest.mark.parametrize("query", blocks(GUIDE, "sql"), ids=lambda query: " ".join(query.split()[:5]))
def test_its_queries_find_something(busy: Settings, query: str) -> None:
    with contextlib.closing(duckdb.connect(busy.published, read_only=True)) as con:
        assert con.execute(query).fetchall()


def test_what_it_names_is_in_the_file(busy: Settings) -> None:
    table = GUIDE.read_text().partition("| names | what |")[2].partition("\n\n")[0]
    patterns = [pattern.replace("…", "*") for line in table.splitlines() for pattern in re.findall(r"`(\w+…?)`", line)]
    with contextlib.closing(duckdb.connect(busy.published, read_only=True)) as con:
        names = {name for (name,) in con.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    matched = {pattern: {name for name in names if Path(name).match(pattern)} for pattern in patterns}
    assert [pattern for pattern, found in matched.items() if not found] == []
    assert names - set().union(*matched.values()) == set()


def test_the_notebook_answers_from_the_file_that_it_is_given(at_home: Path, busy: Settings) -> None:
    file = ["--file", str(busy.published)]
    found = json.loads(run(at_home, sys.executable, "-c", RUN_NOTEBOOK, str(NOTEBOOK), *file).splitlines()[-1])
    assert found["shown"] == 9
    with contextlib.closing(duckdb.connect(busy.published, read_only=True)) as con:
        sources = con.execute("SELECT count(*) FROM which_sources_bring_hires").fetchall()[0][0]
    assert found["frames"]["sources"] == sources
    assert set(found["frames"]) == {"sure", "waiting", "funnel", "hires", "curve", "sources", "weeks", "mine"}
    assert all(found["frames"].values())


def test_the_notebook_has_every_text_in_english_and_in_german() -> None:
    called = [node for node in ast.walk(ast.parse(NOTEBOOK.read_text())) if isinstance(node, ast.Call)]
    texts = [call.args for call in called if isinstance(call.func, ast.Name) and call.func.id == "said"]
    assert len(texts) == 9
    assert all(len(pair) == 2 and ast.dump(pair[0]) != ast.dump(pair[1]) for pair in texts)
    plain = [call for call in called if isinstance(call.func, ast.Attribute) and call.func.attr == "md"]
    assert len(plain) == 1  # the function that chooses between the two


def test_the_notebook_is_one(at_home: Path) -> None:
    said = run(at_home, str(Path(sys.executable).parent / "marimo"), "check", "--strict", str(NOTEBOOK))
    assert "error" not in said
