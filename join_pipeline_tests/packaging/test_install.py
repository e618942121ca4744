"""What `make demo` shows while it installs: one line, no warning about the machine, and why it failed."""

import io
import re
import runpy
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIP = "\n".join(
    [
        "Collecting duckdb<3,>=2.0.0",
        "WARNING: Location 'file:///mirror/' is ignored: it is neither a file nor a directory.",
        "Requirement already satisfied: numpy<3 in /somewhere",
        "Installing collected packages: duckdb, numpy",
    ]
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def play() -> Callable[..., int]:
    found: Callable[..., int] = runpy.run_path(str(ROOT / "install.py"))["play"]
    return found


def program(text: str, code: int) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})"]


def test_a_terminal_sees_one_line_that_counts_and_no_warning(play: Callable[..., int], tmp_path: Path) -> None:
    shown = Terminal()
    assert play("installing", program(PIP, 0), tmp_path / "log", shown) == 0
    assert "2 packages found" in shown.getvalue()
    assert "unpacking 2 packages" in shown.getvalue()
    assert shown.getvalue().count("\n") == 1
    assert re.search(r"\x1b\[Kinstalling: done in \d+ s\n$", shown.getvalue())
    assert "WARNING" not in shown.getvalue()
    assert "WARNING" in (tmp_path / "log").read_text()


def test_a_log_file_sees_the_begin_and_the_end(play: Callable[..., int], tmp_path: Path) -> None:
    shown = io.StringIO()
    assert play("installing", program(PIP, 0), tmp_path / "log", shown) == 0
    assert len(shown.getvalue().splitlines()) == 2
    assert "\x1b" not in shown.getvalue()


@pytest.mark.parametrize("why", ["ERROR: No matching distribution found for duckdb", "  × No solution found"])
def test_a_failure_is_told_with_its_reason_and_where_the_rest_is(
    play: Callable[..., int], tmp_path: Path, why: str
) -> None:
    shown = io.StringIO()
    assert play("installing", program(f"{PIP}\n{why}", 3), tmp_path / "log", shown) == 3
    assert why in shown.getvalue()
    assert "WARNING" not in shown.getvalue()
    assert str(tmp_path / "log") in shown.getvalue()


def test_a_failure_without_a_word_of_error_is_told_with_its_last_lines(
    play: Callable[..., int], tmp_path: Path
) -> None:
    shown = io.StringIO()
    assert play("installing", program(f"{PIP}\nKilled", 1), tmp_path / "log", shown) == 1
    assert "Killed" in shown.getvalue()


def test_what_only_the_report_needs_is_no_dependency_of_the_core() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=\[]", one)[0] for one in project["dependencies"]}
    extra = {re.split(r"[<>=\[]", one)[0] for one in project["optional-dependencies"]["report"]}
    assert extra == {"altair", "vl-convert-python"}
    assert not names & extra
