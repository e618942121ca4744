"""A lake of JOIN's goes on with Kombo: what happened before stays, and what happens later has the same ids."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from join_pipeline import pipeline
from join_pipeline.defs import build_definitions
from join_pipeline.errors import AccountError, SettingsError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import UNREAD, Mapped
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline.sources.kombo.mapping import map_record
from join_pipeline.sources.kombo.names import Names
from join_pipeline.sources.kombo.options import KomboOptions
from join_pipeline.sync import run
from join_pipeline_tests.kombo.accounts import KOMBO, Account, Row, account, newest
from join_pipeline_tests.syncing import examine, replay, run_sync

START = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LAKE = "by_join"
JOINS_OWN = ("source", "is_premium_source", "qualified", "consent_status", "integration_external_id")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Account]:
    """A company that JOIN showed for two syncs. A day later Kombo shows it, too."""
    with account(tmp_path, START, 120) as running:
        run_sync(running.join(), "full")
        running.move(START + DAY)
        run_sync(running.join())
        running.move(START + 2 * DAY)
        running.force()
        yield running


def by_kombo(company: Account, **changes: Any) -> Settings:
    return company.kombo(connection=LAKE, **changes)


def as_it_is(company: Account) -> dict[str, tuple[bytes, int]]:
    lake = company.join().lake
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in lake.rglob("*") if path.is_file()}


def test_history_goes_on_under_the_same_ids_and_nothing_that_only_join_told_is_lost(company: Account) -> None:
    before = newest(company.join())
    went_on = run_sync(by_kombo(company), "full", accept_source=True)
    assert (went_on.source, went_on.verdict, went_on.n_unannounced) == ("kombo", "committed", 0)
    assert "went on from join to kombo" in went_on.reason
    after = newest(by_kombo(company))
    for name, rows in before.items():
        assert rows.keys() <= after[name].keys()
        assert went_on.models[name].deleted == went_on.models[name].returned == 0
    for key, row in before["applications"].items():
        now = after["applications"][key]
        for column in ("outcome", "current_stage_id", "job_id", "candidate_id", "remote_created_at", *JOINS_OWN):
            assert now[column] == row[column], column
        assert now["state"] == row["state"]

    with locked(company.join().home):
        replayed = replay(by_kombo(company), open_lake(company.join().lake))
    assert (replayed.n_syncs, replayed.n_different) == (3, 0)
    company.move(START + 45 * DAY)
    company.force()
    for mode in ("incremental", "full"):
        record = run_sync(by_kombo(company), mode)
        assert record.n_unannounced == 0
    known = newest(by_kombo(company), live=False)["applications"]
    shown = newest(company.kombo()) if run_sync(company.kombo(), "full") else {}
    by_remote_id = {row["remote_id"]: row for row in known.values() if row["remote_deleted_at"] is None}
    assert by_remote_id.keys() == {row["remote_id"] for row in shown["applications"].values()}
    ids = open_lake(company.join().lake).ids
    for row in shown["applications"].values():
        mine = by_remote_id[row["remote_id"]]
        assert mine["id"] == ids.of("applications", row["remote_id"])
        assert mine["outcome"] == row["outcome"]
        assert mine["job_id"] == ids.of("jobs", shown["jobs"][row["job_id"]]["remote_id"])
    moved = [
        row
        for key, row in known.items()
        if (known_before := before["applications"].get(key))
        and (row["outcome"], row["current_stage_id"]) != (known_before["outcome"], known_before["current_stage_id"])
    ]
    assert moved
    assert all(row["state"] is None for row in moved)  # Kombo does not tell JOIN's word for what it is now

    assert [one.verdict for one in examine(by_kombo(company)) if one.check == "account"] == ["ok"]


@pytest.mark.slow
def test_marts_show_one_history_over_both_sources(company: Account) -> None:
    facts = "SELECT application_key, applied_at, state, status, source, job_id FROM recruiting.fct_application"
    events = "SELECT count(*) FROM recruiting.fct_application_stage_event"
    pipeline.build(company.join())
    with duckdb.connect(company.join().published, read_only=True) as con:
        before, n_events = set(con.execute(facts).fetchall()), con.execute(events).fetchall()
    company.move(START + DAY + timedelta(minutes=5))  # hardly anything has happened meanwhile
    company.force()
    run_sync(by_kombo(company, kombo_staleness_hours=0), "full", accept_source=True)
    pipeline.rebuild(by_kombo(company), from_raw=True)
    with duckdb.connect(company.join().published, read_only=True) as con:
        assert set(con.execute(facts).fetchall()) == before
        assert con.execute(events).fetchall() == n_events


def test_another_source_is_refused_until_it_is_accepted_once(company: Account) -> None:
    lake = as_it_is(company)
    with pytest.raises(SettingsError, match="accept it once: `join-pipeline sync --mode full --accept-source`"):
        run_sync(by_kombo(company))
    with pytest.raises(SettingsError, match="mode full only"):
        run_sync(by_kombo(company), accept_source=True)
    assert as_it_is(company) == lake
    run_sync(by_kombo(company), "full", accept_source=True)
    run_sync(by_kombo(company))
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_SOURCE is join, and this lake was filled from kombo"):
        run_sync(company.join())
    other = by_kombo(company, kombo_integration_id="join:AAAAAAAAAAAAAAAAAAAAAAAA")
    with pytest.raises(SettingsError, match="another integration"):
        open_lake(other.lake, other.lake_seed, source="kombo")
    company.move(START + 3 * DAY)
    back = run_sync(company.join(), "full", accept_source=True)
    assert (back.verdict, back.models["applications"].returned) == ("committed", 0)
    alone = run_sync(company.join(connection="alone", integration_id=open_lake(company.join().lake).integration_id))
    assert {name: model.live for name, model in back.models.items()} == {
        name: model.live for name, model in alone.models.items()
    }
    for name, rows in newest(company.join(connection="alone")).items():
        assert newest(company.join())[name].keys() == rows.keys()
    with locked(company.join().home):
        assert replay(company.join(), open_lake(company.join().lake)).n_different == 0


def test_dagsters_job_accepts_another_source_as_the_command_does(company: Account) -> None:
    settings = by_kombo(company)
    job = build_definitions(settings).resolve_job_def("sync_full")
    keys = [key for key in job.asset_layer.executable_asset_keys if key.path[0] in {"raw", "models"}]

    def launched(**accepts: bool) -> dg.ExecuteInProcessResult:
        config = {"ops": {"extract": {"config": {"mode": "full", **accepts}}}}
        return job.execute_in_process(run_config=config, asset_selection=keys, raise_on_error=False)

    refused = launched()
    (failed,) = [event for event in refused.all_events if event.is_step_failure]
    assert "launch the job sync_full with `accept_source: true`" in str(failed.step_failure_data.user_failure_data)
    assert launched(accept_source=True).success
    assert open_lake(settings.lake).newest().source == "kombo"
    assert launched().success, "it is accepted once"


def test_a_lake_with_kombos_ids_does_not_go_on_with_join(company: Account) -> None:
    run_sync(company.kombo(), "full")
    with pytest.raises(SettingsError, match="their ids differ"):
        run_sync(company.join(connection="by_kombo"), "full", accept_source=True)


def test_what_may_be_older_than_the_lake_is_not_read(company: Account) -> None:
    company.move(START + 2 * DAY)
    run_sync(company.join())
    lake = as_it_is(company)
    with pytest.raises(SettingsError, match=r"may be 10 hours old.*again after 2026-04-03 10:00 UTC"):
        run_sync(by_kombo(company), "full", accept_source=True)
    assert as_it_is(company) == lake


def test_kombo_of_another_company_is_told_and_writes_nothing(company: Account) -> None:
    lake = as_it_is(company)
    config = SandboxConfig(port=0, applications=60, seed=9, now=START + 2 * DAY, rate_limit=None, kombo=KOMBO)
    with running(config) as url:
        other = Account(url, company.data, KOMBO)
        other.force()
        address = {"kombo_api_url": other.kombo().of(KomboOptions).kombo_api_url}
        with pytest.raises(AccountError, match="not the account"):
            run_sync(by_kombo(company, **address), "full", accept_source=True)
    assert as_it_is(company) == lake


def test_a_sync_that_is_cut_off_leaves_the_lake_with_its_source(
    company: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, "_store", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run_sync(company.join(), "full")
        with pytest.raises(KeyboardInterrupt):
            run_sync(by_kombo(company), "full", accept_source=True)
    assert open_lake(company.join().lake).reads == "join"
    record = run_sync(company.join(), "full")
    assert "resumed" not in record.reason  # what Kombo has sent is nothing that JOIN's sync could go on with
    assert record.verdict == "committed"


# What Kombo names


def application(**changes: Any) -> Row:
    none = dict.fromkeys(("remote_created_at", "remote_updated_at", "candidate", "current_stage", "job"))
    keys = {"id": "kA", "remote_id": "7", "changed_at": "2026-04-01T00:00:00Z", "remote_deleted_at": None}
    return (
        keys | none | {"outcome": "PENDING", "candidate_id": None, "job_id": None, "current_stage_id": None} | changes
    )


def rows_of(payload: Row, listed: dict[str, dict[str, str]]) -> Mapped:
    import msgspec  # noqa: PLC0415

    ids, text = Ids("join:x"), msgspec.json.encode(payload).decode()
    return Names(ids).rows(map_record("applications", text, ids), "applications", text, lambda m: listed.get(m, {}))


def test_a_reference_gets_the_lakes_id_from_the_record_or_from_a_list_else_what_is_known_stays() -> None:
    ids = Ids("join:x")
    shown = {"id": "kJ", "remote_id": "3", "name": "A job"}
    [row] = rows_of(application(job_id="kJ", job=shown), {}).rows["applications"]
    assert (row["id"], row["job_id"]) == (ids.of("applications", "7"), ids.of("jobs", "3"))
    assert "job_id" not in row[UNREAD]
    [row] = rows_of(application(job_id="kJ"), {"jobs": {"kJ": "3"}}).rows["applications"]
    assert row["job_id"] == ids.of("jobs", "3")
    [row] = rows_of(application(job_id="kJ"), {}).rows["applications"]
    assert row["job_id"] == "kJ"
    assert "job_id" in row[UNREAD]


def test_a_deletion_is_that_of_the_lakes_record_also_when_kombo_has_emptied_it() -> None:
    emptied = application(remote_deleted_at="2026-04-02T00:00:00Z", outcome=None)
    assert [(model, key) for model, key, _ in rows_of(emptied, {}).gone] == [
        ("applications", Ids("join:x").of("applications", "7"))
    ]


def test_a_record_that_join_does_not_name_keeps_kombos_id() -> None:
    [row] = rows_of(application(remote_id=None), {}).rows["applications"]
    assert row["id"] == "kA"
