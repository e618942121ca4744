"""Lists and bodies that are odd for a moment, or for ever: a sync has the whole truth, or it is an error.

The sandbox plays each kind; a reader who believed one of them would take a part of a list for the whole.
"""

import random
from pathlib import Path

import pytest

from join_pipeline.errors import PipelineError
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox import SandboxConfig
from join_pipeline_tests.simulation.account import STILL, Account, opened
from join_pipeline_tests.simulation.history import PAGING_RATES, Step
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import hurried, settings_for
from join_pipeline_tests.syncing import examine, run_sync

IN_FLIGHT = 4
FOR_EVER = {
    "redirected": "lacks its query",
    "ignored_page": "the same records as two of its pages",
    "error_in_200": "something went wrong",
    "not_a_list": "not a list",
    "broken_packing": "can't be unpacked",
    "huge": "more than 67,108,864 bytes",
}


def company(seed: int, page_size: int = 20) -> SandboxConfig:
    return SandboxConfig(port=0, seed=seed, applications=130, page_size=page_size, rate_limit=None, slow_seconds=0.01)


def sync(account: Account, data: Path, mode: str, faults: dict[str, float]) -> None:
    step = Step(mode=mode, pages_in_flight=IN_FLIGHT)
    with account.mortal.living(), account.exposing(faults, STILL, IN_FLIGHT):
        run_sync(settings_for(account.url, data, step), mode, sleep=account.sleep, monotonic=account.monotonic)


def is_true(account: Account, data: Path) -> bool:
    """Whether the lake has all applications and jobs of the account, and no other one."""
    lake, listed = Observed(data / "simulated" / "lake"), account.read()
    known = {name: {row["remote_id"] for row in lake.current(name)} for name in ("applications", "jobs")}
    return known == {
        "applications": {str(payload["id"]) for payload in listed.applications},
        "jobs": {str(payload["id"]) for payload in listed.jobs},
    }


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 30))])
def test_a_moment_of_odd_answers_gives_the_whole_truth_or_an_error(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    n_done = 0
    with hurried(), opened(company(seed, chance.choice((5, 20, 50))), seed) as account:
        for mode in ("full", "incremental", "full"):
            names = chance.sample(sorted(PAGING_RATES), 4)
            faults = {name: PAGING_RATES[name] * chance.random() for name in names}
            try:
                sync(account, tmp_path, mode, faults)
            except PipelineError:
                continue
            n_done += 1
            assert is_true(account, tmp_path), faults
        sync(account, tmp_path, "full", {})
        assert is_true(account, tmp_path)


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[pytest.mark.slow] if fault == "huge" else []) for fault in FOR_EVER]
)
def test_what_stays_odd_is_an_error_with_its_reason_and_nothing_is_written(fault: str, tmp_path: Path) -> None:
    with hurried(), opened(company(3), 3) as account:
        with pytest.raises(PipelineError, match=FOR_EVER[fault]):
            sync(account, tmp_path, "full", {fault: 1.0})
        lake = tmp_path / "simulated" / "lake"
        assert not (lake / "connection.json").exists() or open_lake(lake).newest() is None
        sync(account, tmp_path, "full", {})
        assert is_true(account, tmp_path)


@pytest.mark.parametrize("fault", ["redirected", "broken_packing"])
def test_doctor_tells_what_stays_odd(fault: str, tmp_path: Path) -> None:
    with hurried(), opened(company(3), 3) as account:
        sync(account, tmp_path, "full", {})
        account.world.set_faults({fault: 1.0})
        findings = examine(settings_for(account.url, tmp_path, Step()))
        account.world.set_faults({})
    assert any(found.verdict == "failed" and FOR_EVER[fault] in found.message for found in findings)
