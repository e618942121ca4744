"""`run` and what `build` says: one process from the source to readers, nothing if nothing changed, results in words."""

import re
import shutil
from pathlib import Path
from unittest import mock

import pytest

from join_pipeline_tests.cli.commands import Shell, is_told_as_json
from join_pipeline_tests.cli.companies import Grown, without_applications


@pytest.fixture
def copied(built: Grown, tmp_path: Path) -> Shell:
    """The company that was built, in a folder that a test may change."""
    shutil.copytree(built.shell.data, tmp_path / "data")
    return Shell(built.shell.url, tmp_path / "data")


def test_a_run_builds_what_changed_and_nothing_else(copied: Shell) -> None:
    ran = copied("run", "--json")  # other files than those that the last build left
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["sync"]["verdict"] == "committed"
    build = ran.document["build"]
    assert not build["is_unchanged"]
    assert build["after"]["figures"]["applications"] == build["before"]["figures"]["applications"] > 80
    assert build["after"]["figures"]["syncs"] == build["before"]["figures"]["syncs"] + 1

    published = copied.settings.published.stat()
    said = copied("run")
    assert said.code == 0
    assert "Nothing has changed since the last build" in said.out
    assert str(copied.settings.report) in said.out
    assert copied("build", "--json").document["is_unchanged"]
    assert copied.settings.published.stat().st_ino == published.st_ino

    with without_applications():
        guarded = copied("run", "--mode", "full")
    assert guarded.code == 3
    assert "--accept-loss applications" in guarded.err
    assert "Checks" in guarded.out  # what is known is published


def test_without_the_extra_a_build_publishes_the_file_and_says_how_to_get_the_report(copied: Shell) -> None:
    with mock.patch("join_pipeline.pipeline.can_draw", return_value=False):
        said = copied("build", "--force")
    assert said.code == 0
    assert "pip install 'join-pipeline[report]'" in said.out
    assert copied.settings.published.exists()
    assert not copied.settings.report.exists()  # an old one would contradict the file


def test_a_build_prints_results_and_tables_only_if_asked_to(built: Grown) -> None:
    said, details = built.shell("build").out, built.shell("build", "-v").out
    for word in ("For DuckDB", str(built.shell.settings.published), "Report", "Checks", "passed"):
        assert word in said
    assert "dim_job" not in said
    assert len(said.splitlines()) < 15
    assert re.search(r"dim_job +│ +\d", details)
    assert "seconds" in details


def test_a_run_whose_sync_fails_builds_nothing(shell: Shell) -> None:
    away = shell.but(JOIN_API_URL="http://127.0.0.1:1/v2")
    is_told_as_json(away("run", "--json"), 1, "TransientError", "127.0.0.1")
    assert not shell.settings.published.exists()
