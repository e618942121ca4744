"""The guides in docs/ name what exists, and their commands do what they say."""

import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.main import get_command

from join_pipeline.cli import app
from join_pipeline.settings import declared, env_name
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import company

ROOT = Path(__file__).parents[2]
GUIDES = sorted(
    [*(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "benchmarks/README")), *(ROOT / "docs").rglob("*.md")]
)
SYNCING, DEPLOYING = (ROOT / "docs" / name for name in ("syncing.md", "deploying.md"))
LIMIT = 600


def blocks(guide: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", guide.read_text(), re.DOTALL | re.MULTILINE)


def run(script: str, shell: Shell, **variables: str) -> str:
    """What a user's bash makes of a block, with the commands of this installation."""
    path = f"{Path(sys.executable).parent}:{shell.environment['PATH']}"
    environment = {**shell.environment, "PATH": path, **variables}
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ended.returncode == 0, (script, ended.stderr)
    return ended.stdout


def published(shell: Shell) -> dict[str, list[Any]]:
    """Every published table, row by row."""
    with contextlib.closing(duckdb.connect(shell.settings.published, read_only=True)) as con:
        tables = [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()]
        return {table: con.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.relative_to(ROOT).as_posix())
def test_what_a_guide_names_exists(guide: Path) -> None:
    text = guide.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text):
        assert (guide.parent / target).exists(), target
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, rest in re.findall(r"(?:^|[`( ])join-pipeline ([a-z]+)((?: --?[a-z-]+(?: [\w]+)?)*)", text, re.MULTILINE):
        if name not in commands:
            continue  # a sentence that goes on, as in “join-pipeline keeps”
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)
    known = {env_name(field) for field in declared()}
    assert set(re.findall(r"\bJOIN_(?:API|PIPELINE)_[A-Z_]*[A-Z]\b", text)) <= known


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.relative_to(ROOT).as_posix())
def test_the_files_and_functions_that_a_guide_names_are_there(guide: Path) -> None:
    text = guide.read_text()
    rooms = "join_pipeline|join_pipeline_tests|dbt_project|benchmarks|notebooks"
    for path in re.findall(rf"`((?:{rooms})/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path
    for path, name in re.findall(rf"`((?:{rooms})/[\w/.]+\.\w+)`, `([\w.]+)`(?! of)", text):
        code = (ROOT / path).read_text()
        assert all(re.search(rf"\b{part}\b", code) for part in name.split(".")), (path, name)


@pytest.mark.slow
def test_the_commands_of_syncing_run_one_after_the_other(tmp_path: Path) -> None:
    shell = Shell(company(), tmp_path)
    said = "".join(run(block, shell) for block in blocks(SYNCING, "sh"))
    assert "nothing is known yet" in said
    assert "published" in said
    assert len(published(shell)) > 5


@pytest.mark.slow
def test_a_restored_backup_publishes_the_same_numbers(tmp_path: Path) -> None:
    backup, restore = blocks(DEPLOYING, "sh")
    lost, found = Shell(company(), tmp_path / "lost"), Shell(company(), tmp_path / "found")
    run("join-pipeline sync\njoin-pipeline build", lost)
    before = published(lost)
    folder = tmp_path / "backup"
    run(backup, lost, BACKUP=str(folder))
    shutil.rmtree(lost.data)
    run(restore, found, BACKUP=str(folder))
    assert published(found) == before
    assert sum(map(len, before.values())) > 100
    assert (found.data.stat().st_mode | (found.data / "join").stat().st_mode) & 0o077 == 0


def test_the_units_are_sound(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    units = [block for block in blocks(DEPLOYING, "ini") if "[Service]" in block]
    assert len(units) == 3
    units += [block for block in blocks(DEPLOYING, "ini") if "[Timer]" in block]
    # the executable must be there to be checked
    here = str(Path(sys.executable).parents[2])
    paths = []
    for unit in units:
        name = Path(unit.splitlines()[0].removeprefix("# ")).name
        (tmp_path / name).write_text(
            unit.replace("/opt/join-pipeline/.venv/bin", str(Path(sys.executable).parent)).replace(
                "/opt/join-pipeline", here
            )
        )
        paths.append(str(tmp_path / name))
    checked = subprocess.run(
        ["systemd-analyze", "verify", *paths], check=False, capture_output=True, text=True, timeout=60
    )
    ours = [line for line in checked.stderr.splitlines() if "join-pipeline" in line]
    assert (checked.returncode, ours) == (0, [])
