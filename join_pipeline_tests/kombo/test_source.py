"""Kombo as a source: deletions, nulled fields, models that are off, the guard, faults, replay, and the doctor."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from join_pipeline.checks.finding import Finding
from join_pipeline.errors import AuthError, ContractError, PermanentError, SettingsError, SourceError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline_tests.kombo.accounts import Account, Row, account, newest
from join_pipeline_tests.syncing import connect, examine, prerequisites, replay, run_sync
from join_pipeline_tests.unit.sources.join.loopback import as_json, serving

START = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path, START, 60) as running:
        running.force()
        yield running


def found(company: Account, check: str, **settings: str) -> Finding:
    return next(one for one in examine(company.kombo(**settings)) if one.check == check)


def test_a_deletion_is_dated_by_kombo_and_nulling_leaves_job_stage_and_outcome(tmp_path: Path) -> None:
    known: dict[str, Row] = {}
    deleted: dict[str, datetime] = {}
    with account(tmp_path, START, 300) as company:
        company.force()
        for n in range(0, 49, 8):
            company.move(START + n * DAY)
            record = run_sync(company.kombo())
            for key, row in newest(company.kombo(), live=False)["applications"].items():
                if row["remote_deleted_at"] is None:
                    known[key] = row
                    continue
                deleted.setdefault(key, row["remote_deleted_at"])
                assert row["remote_deleted_at"] == deleted[key]  # to be nulled is no second deletion
                assert row["remote_deleted_at"] <= record.started_at
                assert row["job_id"] == known[key]["job_id"]
                assert row["current_stage_id"] is not None
                assert row["outcome"] is not None
                assert row["remote_data"] is None  # who is deleted has no personal columns
        assert max(record.started_at - at for at in deleted.values()) > 15 * DAY
        assert record.n_unannounced == 0
        settings = company.kombo()
        with locked(settings.home):
            replayed = replay(settings, open_lake(settings.lake))
    assert replayed.n_syncs > 1
    assert replayed.n_different == 0


@pytest.mark.parametrize("way", ["deleted", "refused"])
def test_a_model_that_is_switched_off_is_no_deletion_until_that_is_accepted(company: Account, way: str) -> None:
    run_sync(company.kombo())
    before = newest(company.kombo())
    company.switch(models_off={"applications": way})
    company.force()
    for mode in ("incremental", "full"):
        guarded = run_sync(company.kombo(), mode)
        assert guarded.verdict == "guarded"
        assert guarded.guarded == {"applications"}
        assert guarded.feeds["applications"].is_whole is False
        assert newest(company.kombo()) == before
    accepted = run_sync(company.kombo(), "full", accept_loss=["applications"])
    assert accepted.models["applications"].live == 0
    assert accepted.models["candidates"].live == guarded.models["candidates"].live
    assert run_sync(company.kombo(), "full").verdict == "committed"
    company.switch(models_off={})
    company.force()
    again = run_sync(company.kombo(), "incremental")
    assert again.models["applications"].returned == len(before["applications"])


def test_faults_of_a_load_balancer_and_the_rate_limit_are_waited_out(company: Account) -> None:
    company.fault(not_json=0.1, bad_gateway=0.1, rate_limited=0.1, truncated=0.1)
    waits: list[float] = []
    record = run_sync(company.kombo(), sleep=waits.append, monotonic=lambda: time.monotonic() + sum(waits))
    assert record.n_retries > 0
    company.fault()
    again = run_sync(company.kombo(), "full")
    assert sum(model.versions for model in again.models.values()) == 0


def test_a_key_that_nothing_here_reads_is_no_change(company: Account) -> None:
    run_sync(company.kombo())
    company.fault(extra_field=1.0)  # in one record of each page
    record = run_sync(company.kombo(), "full")
    assert sum(model.versions for model in record.models.values()) == 0
    assert record.n_unannounced == 0


def test_a_lake_has_one_source_and_one_integration(company: Account) -> None:
    run_sync(company.kombo())
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_SOURCE is join, and this lake was filled from kombo"):
        run_sync(company.join(connection="by_kombo"))
    lake = open_lake(company.kombo().lake)
    assert (lake.source, lake.integration_id) == ("kombo", company.config.integration_id)


@pytest.mark.parametrize(
    ("given", "kind", "cure"),
    [
        ({"kombo_api_key": "wr0ng-key"}, AuthError, "Check KOMBO_API_KEY"),
        ({"kombo_integration_id": "join:wr0ng-id"}, AuthError, "Check KOMBO_INTEGRATION_ID"),
    ],
)
def test_wrong_credentials_say_which_and_are_not_shown(company: Account, given, kind, cure) -> None:
    with pytest.raises(kind, match=cure) as caught:
        run_sync(company.kombo(**given))
    finding = found(company, "Kombo", **given)
    assert finding.verdict == "failed"
    for said in (str(caught.value), finding.message):
        assert cure in said
        assert "wr0ng" not in said
        assert company.config.integration_id not in said
        assert company.config.api_key not in said
    assert not company.kombo().lake.exists()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("setup_incomplete", "setup"),
        ("setup_pending", "first sync"),
        ("qa_failed", "Kombo's support"),
        ("inactive", "Switch it on"),
        ("credentials_invalid", "Reconnect it"),
    ],
)
def test_an_integration_that_is_not_ready_is_explained(company: Account, condition: str, said: str) -> None:
    company.switch(condition=condition)
    finding = found(company, "integration")
    assert finding.verdict == "failed"
    assert said in finding.message
    with pytest.raises((PermanentError, AuthError), match=r"INTEGRATION\."):
        run_sync(company.kombo())


def test_switches_at_kombo_are_explained(company: Account) -> None:
    assert {one.verdict for one in examine(company.kombo()) if one.check in ("Kombo", "age", "credentials")} == {"ok"}
    company.switch(has_remote_data=False, models_off={"tags": "refused"})
    company.force()
    assert "nothing else is lost" in found(company, "remote data").message
    assert "tags switched off" in found(company, "models").message
    company.switch(only_created=True, models_off={})
    company.force()
    assert "created through Kombo" in found(company, "only created").message
    assert found(company, "credentials", kombo_api_key=" ").verdict == "failed"


def test_columns_that_kombo_may_fill_are_taken_where_it_does(company: Account) -> None:
    company.switch(has_application_times=True)
    company.force()
    run_sync(company.kombo())
    run_sync(company.join())
    by_join = {row["remote_id"]: row["remote_created_at"] for row in newest(company.join())["applications"].values()}
    rows = newest(company.kombo())["applications"].values()
    assert {row["remote_id"]: row["remote_created_at"] for row in rows} == by_join


def test_a_list_that_gives_a_cursor_twice_ends_with_an_error(company: Account) -> None:
    answer = as_json({"status": "success", "data": {"results": [], "next": "again"}})
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(lambda _asked: answer))
        client = stack.enter_context(KomboClient(server.url, "key-of-tests", "join:tests"))
        with pytest.raises(ContractError, match="cursor twice"):
            list(client.pages("/ats/tags"))
        assert [asked.params.get("cursor") for asked in server.asked] == [None, "again"]
        assert {asked.params["include_deleted"] for asked in server.asked} == {"true"}


def test_connect_proves_an_integration_and_shows_none_of_its_credentials(company: Account) -> None:
    settings = company.kombo()
    assert {one.verdict for one in prerequisites(settings)} == {"ok"}
    connected = connect(settings)
    assert connected.token_file is None
    assert company.config.integration_id not in str(connected)
    assert open_lake(settings.lake).integration_id == company.config.integration_id
    run_sync(settings)
    with pytest.raises(SourceError, match="Check KOMBO_API_KEY"):
        connect(company.kombo(kombo_api_key="wr0ng-key", connection="other"))
    assert not company.kombo(connection="other").lake.exists()
