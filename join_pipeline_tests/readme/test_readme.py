"""The README names what exists: its settings, its commands, and queries that run."""

import contextlib
import re
import shlex
from pathlib import Path

import duckdb
import pytest
from typer.main import get_command

from join_pipeline.cli import app
from join_pipeline.settings import declared, env_name, setting_text
from join_pipeline_tests.cli.commands import TOKEN, Shell, is_good, typed
from join_pipeline_tests.cli.companies import company
from join_pipeline_tests.report.companies import shared_companies

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
REFERENCE = ROOT / "docs" / "reference"
LONGEST = 120


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST


def test_the_page_of_settings_has_those_of_the_code() -> None:
    page = (REFERENCE / "settings.md").read_text()
    rows = re.findall(r"^\| `((?:JOIN|KOMBO)_\w+)` \| (?:`(.*)`|–) \| (.*) \|$", page, re.MULTILINE)
    promised = [
        (env_name(name), "" if field.default is None else setting_text(field.default), field.description)
        for name, field in declared().items()
    ]
    assert rows == promised


def test_its_commands_and_targets_exist() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"(?:^|`)join-pipeline ([a-z]+)", README, re.MULTILINE)) <= commands
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)(?:`|$)", README, re.MULTILINE)) <= targets


@pytest.mark.slow
def test_its_commands_run_in_the_order_in_which_it_names_them(tmp_path: Path) -> None:
    commands = re.findall(r"(?:^|`)join-pipeline ([^`\n]+)", README, re.MULTILINE)
    assert [command.split()[0] for command in commands[:3]] == ["connect", "sync", "build"]
    shell = Shell(company(), tmp_path / "data", {"JOIN_API_TOKEN": ""})
    for command in commands:
        with typed(TOKEN):  # connect asks for it
            is_good(shell(*shlex.split(command), *(["--token-stdin"] if command == "connect" else [])))


def test_its_queries_run_on_the_published_file(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    settings = shared_companies(tmp_path_factory, worker_id)("busy")
    queries = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    assert queries
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        assert all(con.execute(query).fetchall() for query in queries)
