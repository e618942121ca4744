"""A command imports what it uses, and nothing else: imports are most of the time of a short command."""

import subprocess
import sys
from typing import Final

import pytest

from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import Grown

PROGRAM: Final = """
import sys
from join_pipeline import cli
unused, sys.argv[1:] = sys.argv[1].split(), sys.argv[2:]
try:
    cli.main()
except SystemExit as ended:
    loaded = [name for name in unused if name in sys.modules]
    print(ended.code, *loaded, file=sys.stderr)
"""
NEVER: Final = "pandas scipy dagster dagster_dbt matplotlib marimo"
SERVERS: Final = f"{NEVER} mcp starlette uvicorn"
NO_BUILD: Final = f"{SERVERS} dbt altair vl_convert jinja2 yaml openpyxl xlsxwriter"


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (("--help",), f"{NO_BUILD} duckdb pyarrow numpy httpx tenacity"),
        (("query", "SELECT 1"), f"{NO_BUILD} pyarrow numpy"),
        (("status",), NO_BUILD),
        (("doctor",), NO_BUILD),
    ],
)
def test_a_command_imports_nothing_that_it_does_not_use(built: Grown, arguments: tuple[str, ...], unused: str) -> None:
    assert ended_with(built.shell, arguments, unused) == ["0"]


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_sync_of_a_known_company_imports_nothing_that_it_does_not_use(known: Shell, mode: str) -> None:
    assert ended_with(known, ("sync", "-q", "--mode", mode), NO_BUILD) == ["0"]


def ended_with(shell: Shell, arguments: tuple[str, ...], unused: str) -> list[str]:
    """The exit code of a command, and the modules of `unused` that it has imported."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, unused, *arguments],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ran.stderr.strip().splitlines()[-1].split()
