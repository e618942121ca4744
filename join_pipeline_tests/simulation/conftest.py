"""Companies that are synced while clocks go wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from join_pipeline.sandbox import server
from join_pipeline_tests.simulation.wrong_clocks import START, Company, syncing_company


@pytest.fixture
def company(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with syncing_company(getattr(request, "param", "join"), tmp_path, monkeypatch, START) as one:
        yield one


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Company]:
    """A company whose clock shows the real time and is not simulated: then this machine's clock is this machine's."""
    monkeypatch.setattr(server, "SIMULATED", "x-nothing")
    now = datetime.now(UTC)
    with syncing_company("join", tmp_path, monkeypatch, now) as one:
        yield one
