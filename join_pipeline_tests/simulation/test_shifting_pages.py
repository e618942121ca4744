"""Lists that shift by several pages while they are read: no known record is lost, and none is missed for long."""

import tempfile
from pathlib import Path

from join_pipeline.sandbox import SandboxConfig
from join_pipeline_tests.simulation.account import STILL, Account, opened
from join_pipeline_tests.simulation.history import Step
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import hurried, settings_for
from join_pipeline_tests.syncing import run_sync

APPLICATIONS = 2_000
IN_FLIGHT = 8
SHIFTING = {"shifting": 1.0}  # at each page one arrives, or one that arrived so vanishes


def sync(account: Account, data: Path, mode: str, faults: dict[str, float]) -> Observed:
    step = Step(mode=mode, pages_in_flight=IN_FLIGHT)
    with account.mortal.living(), account.exposing(faults, STILL, IN_FLIGHT):
        settings = settings_for(account.url, data, step)
        run_sync(settings, step.mode, sleep=account.sleep, monotonic=account.monotonic)
    return Observed(data / "simulated" / "lake")


def listed(account: Account) -> set[str]:
    return {str(payload["id"]) for payload in account.read().applications}


def known(lake: Observed) -> set[str]:
    return {row["remote_id"] for row in lake.current("applications")}


def test_what_shifts_while_it_is_read_is_neither_lost_nor_falsely_deleted() -> None:
    config = SandboxConfig(port=0, applications=APPLICATIONS, page_size=50, rate_limit=None)
    with tempfile.TemporaryDirectory() as folder, hurried(), opened(config, seed=1) as account:
        data = Path(folder)
        before = listed(account)
        assert len(before) > 1_000
        first = sync(account, data, "full", SHIFTING)
        # those that were there when it began and when it ended were there all the time
        assert (before & listed(account)) - known(first), "one reading of such a list misses some"
        assert first.newest.last_full is None

        shifted = sync(account, data, "auto", SHIFTING)
        assert shifted.newest.mode == "full", "the list is read again until two readings prove each other"
        assert shifted.newest.last_full is None, "it showed what the first should have shown"
        assert len(listed(account) - known(shifted)) < len(listed(account) - known(first))
        falsely_deleted = {
            versions[-1]["remote_id"]
            for versions in shifted.versions("applications").values()
            if versions[-1]["remote_deleted_at"] is not None
        } & listed(account)
        assert falsely_deleted == set()
        assert (known(first) & listed(account)) - known(shifted) == set()
        looks = [raw for raw in shifted.raw(shifted.newest.sync_id) if raw.listing == "look"]
        assert len(looks) > 0, "a list that shifts hides some from the one who reads it"

        missed, since = listed(account) - known(shifted), shifted.newest.feeds["applications"].listed_since
        still = sync(account, data, "auto", {})
        assert (still.newest.mode, known(still)) == ("full", listed(account))
        # one that arrived meanwhile proves nothing: a list of changes would have shown it
        of_missed = [last for *_, last in still.versions("applications").values() if last["remote_id"] in missed]
        has_missed = any(since is None or last["remote_updated_at"] < since for last in of_missed)
        assert (still.newest.last_full is None) == has_missed
        if has_missed:
            proved = sync(account, data, "auto", {})
            assert (proved.newest.mode, proved.newest.last_full is None) == ("full", False)
        assert sync(account, data, "auto", {}).newest.mode == "incremental"
