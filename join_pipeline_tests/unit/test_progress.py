"""Progress: no number is larger than what there is, the known number is the total, and a pipe gets nothing."""

from unittest import mock

import pytest
from rich.console import Console

from join_pipeline.cli import progress
from join_pipeline.cli.progress import watching


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(force_terminal=True, width=100, record=True, file=mock.MagicMock())
    monkeypatch.setattr(progress, "err", console)
    return console


def test_a_terminal_sees_how_many_of_how_many(terminal: Console) -> None:
    with watching() as watch:
        watch.expect("applications", 5000)
        watch.records("applications", 2500)
        watch.records("jobs", 12)
        known, unknown = watch._progress.tasks
        assert (known.completed, known.total) == (2500, 5000)
        assert (unknown.completed, unknown.total) == (12, None)
        shown = "".join(segment.text for segment in terminal.render(watch._progress))
        assert "2,500 of 5,000 records" in shown
        assert "12 records" in shown
        watch.records("applications", 5001)
        assert known.total == 5001  # never more than there are
        watch.step("publishing", 1, 4)
        assert "1 of 4" in "".join(segment.text for segment in terminal.render(watch._progress))


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "err", Console(stderr=True, force_terminal=False))
    with watching() as watch:
        watch.records("applications", 5)
    assert capsys.readouterr() == ("", "")
