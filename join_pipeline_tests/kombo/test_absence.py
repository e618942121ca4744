"""A record that Kombo does not list is not deleted until a call for its own id shows it.

And what it means that Kombo says of a record that it is gone, of which nobody here ever knew.
"""

import contextlib
import itertools
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.errors import RefusedError, SourceError
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.raw import read_raw
from join_pipeline.sandbox.kombo.answers import KomboRefusal
from join_pipeline.sandbox.kombo.lists import Lists
from join_pipeline.settings import Settings
from join_pipeline_tests.kombo.accounts import Account, account, newest
from join_pipeline_tests.syncing import run_sync

START = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path, START, 60) as running:
        running.force()
        run_sync(running.kombo())
        yield running


@contextlib.contextmanager
def leaving_out(model: str, ids: Collection[str], *, also_by_id: bool) -> Iterator[list[list[str]]]:
    """Lists of a model lack these records; each look for ids is noted."""
    real_page, real_entries = Lists._page, Lists._entries
    looks: list[list[str]] = []
    is_look = False

    def page(lists: Lists, name: str, request: Request) -> Response:
        nonlocal is_look
        is_look = "ids" in request.query_params
        if is_look:
            looks.append(request.query_params["ids"].split(","))
        return real_page(lists, name, request)

    def entries(lists: Lists, name: str) -> list[Any]:
        found = real_entries(lists, name)
        if name != model or (is_look and not also_by_id):
            return found
        return [entry for entry in found if entry.id not in ids]

    with mock.patch.object(Lists, "_page", page), mock.patch.object(Lists, "_entries", entries):
        yield looks


def live(settings: Settings, model: str = "applications") -> list[str]:
    return sorted(newest(settings)[model])


def test_what_a_list_lacks_and_a_look_finds_is_there(company: Account) -> None:
    before = newest(company.kombo())
    lacking = live(company.kombo())[:3]
    with leaving_out("applications", lacking, also_by_id=False) as looks:
        record = run_sync(company.kombo(), "full")
    assert looks == [lacking]
    assert record.feeds["applications"].looks == 3
    assert sum(model.versions for model in record.models.values()) == 0
    assert newest(company.kombo()) == before


def test_what_a_list_and_a_look_lack_is_gone_since_this_sync_until_it_is_back(company: Account) -> None:
    lost = live(company.kombo())[:3]
    with leaving_out("applications", lost, also_by_id=True):
        incremental = run_sync(company.kombo(), "incremental")
        assert incremental.models["applications"].deleted == 0
        full = run_sync(company.kombo(), "full")
    assert full.models["applications"].deleted == 3
    rows = newest(company.kombo(), live=False)["applications"]
    assert {rows[key]["remote_deleted_at"] for key in lost} == {full.started_at}
    looked = [row for row in raw(company.kombo(), full.files.raw["applications"]) if row.listing == "look"]
    assert {(row.record_id, row.status, row.payload) for row in looked} == {(key, 404, None) for key in lost}
    back = run_sync(company.kombo(), "full")
    assert back.models["applications"].returned == 3
    assert set(lost) <= set(live(company.kombo()))


def test_looks_that_are_too_many_wait_for_the_next_full_sync_and_come_first(company: Account) -> None:
    lost = live(company.kombo())[:3]
    few = company.kombo(max_second_looks=2)
    with leaving_out("applications", lost, also_by_id=True) as looks:
        first = run_sync(few, "full")
    assert looks == [lost[:2]]
    assert first.pending == {"applications": lost[2:]}
    assert first.models["applications"].deleted == 2
    # ids that sort before and after what was put off
    more = [key for key in live(few) if key not in lost]
    more = [more[0], more[-1]]
    with leaving_out("applications", [*lost, *more], also_by_id=True) as looks:
        second = run_sync(few, "full")
    assert looks == [sorted([lost[2], more[0]])]
    assert second.pending == {"applications": more[1:]}


def test_a_look_whose_answer_has_lost_its_id_is_no_absence(company: Account) -> None:
    """Found by the simulation: the list and the look both lacked the id, and the record counted as gone."""
    lacking = live(company.kombo())[0]
    real = Lists._answer

    def answer(lists: Lists, model: str, entries: list[Any], cursor: str | None) -> Response:
        whole = real(lists, model, entries, cursor)
        if model != "applications":
            return whole
        return Response(bytes(whole.body).replace(f'"id":"{lacking}",'.encode(), b""), media_type="application/json")

    with mock.patch.object(Lists, "_answer", answer):
        record = run_sync(company.kombo(), "full")
    assert record.feeds["applications"].quarantined > 0
    assert record.models["applications"].deleted == 0
    assert record.pending == {"applications": [lacking]}
    assert lacking in live(company.kombo())
    assert run_sync(company.kombo(), "full").pending == {}


def test_a_full_sync_that_was_cut_off_does_not_read_again_what_it_read_to_its_end(tmp_path: Path) -> None:
    asked: list[str] = []
    real, is_cut_off = Lists._page, True

    def page(lists: Lists, name: str, request: Request) -> Response:
        asked.append(name)
        if name == "jobs" and is_cut_off:
            raise KomboRefusal("PLATFORM.INPUT_INVALID", "not today")
        return real(lists, name, request)

    with account(tmp_path, START, 60) as company, mock.patch.object(Lists, "_page", page):
        company.force()
        with pytest.raises(RefusedError):
            run_sync(company.kombo())
        assert asked == ["applications", "candidates", "jobs"]
        asked.clear()
        is_cut_off = False
        # its first answer takes longer than the one before did: by the server's whole seconds, it may be the earlier
        ticks = itertools.count(step=0.5)
        resumed = run_sync(company.kombo(), monotonic=lambda: next(ticks))
        assert asked == ["jobs", "tags", "application_stages", "users"]
        assert resumed.reason.endswith("resumed")
        assert resumed.models["applications"].live == resumed.feeds["applications"].records
        assert sum(model.versions for model in run_sync(company.kombo(), "full").models.values()) == 0


def test_what_is_missing_in_great_numbers_is_not_even_looked_for(company: Account) -> None:
    before = newest(company.kombo())
    with leaving_out("applications", live(company.kombo()), also_by_id=True) as looks:
        record = run_sync(company.kombo(), "full")
    assert record.verdict == "guarded"
    assert looks == []
    assert newest(company.kombo()) == before


def test_a_record_that_was_gone_before_anybody_knew_it_is_not_made_up(tmp_path: Path) -> None:
    """As by JOIN, where nobody can know it. Kombo tells of it for some days, then only that there was something."""
    with account(tmp_path, START, 300) as company:
        company.force()
        gone: set[str] = set()
        for n in range(1, 40, 3):
            company.move(START + n * DAY)
            company.force()
            gone |= {one["id"] for one in shown(company, "applications") if one["remote_deleted_at"] is not None}
        first = run_sync(company.kombo())
        run_sync(company.join())
        listed = shown(company, "applications")
        kept = {one["id"] for one in listed if one["remote_deleted_at"] and one["job_id"]}
        nulled = {one["id"] for one in listed if one["remote_deleted_at"] and not one["job_id"]}
        assert kept
        assert nulled
        assert gone == kept | nulled
        rows = newest(company.kombo(), live=False)["applications"]
        assert rows.keys().isdisjoint(gone)
        by_join = newest(company.join(), live=False)["applications"]
        assert {row["remote_id"] for row in rows.values()} == {row["remote_id"] for row in by_join.values()}
        # nor does it come in when Kombo takes its fields, which moves its changed_at
        company.move(START + 60 * DAY)
        company.force()
        record = run_sync(company.kombo(), "incremental")
        assert record.feeds["applications"].quarantined == 0
        assert newest(company.kombo(), live=False)["applications"].keys().isdisjoint(gone)
        assert first.models["applications"].deleted == 0


def test_a_record_that_was_gone_before_anybody_knew_it_is_there_as_what_others_show_of_it(tmp_path: Path) -> None:
    """An application names its job, whatever has become of that: as by JOIN, where such a job stays a row."""
    with account(tmp_path, START, 60) as company:
        company.force()
        company.switch(models_off={"jobs": "deleted"})
        company.force()
        jobs = {one["id"]: one for one in shown(company, "jobs")}
        assert all(one["remote_deleted_at"] is not None for one in jobs.values())
        applications = shown(company, "applications")
        named = {one["job_id"] for one in applications if one["remote_deleted_at"] is None}
        run_sync(company.kombo())
        rows = newest(company.kombo(), live=False)["jobs"]
        assert rows.keys() == named
        assert named < jobs.keys()
        for key in named:
            assert rows[key]["name"] == jobs[key]["name"]
            assert rows[key]["status"] is None
            assert rows[key]["remote_deleted_at"] is None


def shown(company: Account, path: str) -> list[dict[str, Any]]:
    """What Kombo lists, asked without the pipeline's client."""
    headers = {"Authorization": f"Bearer {company.config.api_key}", "X-Integration-Id": company.config.integration_id}
    found: list[dict[str, Any]] = []
    params = {"page_size": "250", "include_deleted": "true"}
    while True:
        url = f"{company.url}/kombo/v1/ats/{path}"
        data = httpx.get(url, params=params, headers=headers, trust_env=False).raise_for_status().json()["data"]
        found += data["results"]
        if data["next"] is None:
            return found
        params["cursor"] = data["next"]


def raw(settings: Settings, paths: list[str]) -> list[Any]:
    return list(read_raw(open_lake(settings.lake).listed(paths)))


@pytest.mark.parametrize(("n_lost", "n_looks"), [(1, 1), (3, 1 + 3), (25, 1 + 13 + 24)])
def test_one_id_that_kombo_does_not_know_answers_404_for_all_and_then_each_is_asked_for(
    company: Account, n_lost: int, n_looks: int
) -> None:
    ids = live(company.kombo())
    lost, unlisted = ids[:n_lost], ids[n_lost : n_lost + 1]
    before = newest(company.kombo())
    company.fault(unknown_ids=1.0)
    with leaving_out("applications", lost, also_by_id=True) as looks:
        full = run_sync(company.kombo(), "full", accept_loss=["applications"])
    company.fault()
    assert len(looks) == n_looks
    assert full.models["applications"].deleted == n_lost
    assert full.pending == {}
    rows = newest(company.kombo(), live=False)["applications"]
    assert {key for key in rows if rows[key]["remote_deleted_at"] is not None} == set(lost)
    assert rows[unlisted[0]] == before["applications"][unlisted[0]]


def test_known_ids_beside_an_unknown_one_are_found(company: Account) -> None:
    ids = live(company.kombo())
    gone, hidden = ids[0], ids[1:30]
    company.fault(unknown_ids=1.0)
    real = Lists._page
    n_lists = 0

    def page(lists: Lists, name: str, request: Request) -> Response:
        nonlocal n_lists
        is_look = "ids" in request.query_params
        n_lists += is_look
        with leaving_out(name, [gone] if is_look else ids[:30], also_by_id=True):
            return real(lists, name, request)

    with mock.patch.object(Lists, "_page", page):
        full = run_sync(company.kombo(), "full", accept_loss=["applications"])
    assert full.models["applications"].deleted == 1
    assert set(hidden) <= set(live(company.kombo()))
    assert gone not in live(company.kombo())
    assert n_lists == 1 + 10 + 3


def test_an_id_that_kombo_does_not_take_is_neither_there_nor_gone(company: Account) -> None:
    ids = live(company.kombo())
    odd, gone = ids[:2]
    real = Lists._page

    def page(lists: Lists, name: str, request: Request) -> Response:
        if odd in request.query_params.get("ids", "").split(","):
            raise KomboRefusal("PLATFORM.INPUT_INVALID", "ids must be ids")
        return real(lists, name, request)

    with leaving_out("applications", [odd, gone], also_by_id=True), mock.patch.object(Lists, "_page", page):
        full = run_sync(company.kombo(), "full")
    assert full.models["applications"].deleted == 1
    assert full.pending == {"applications": [odd]}
    assert odd in live(company.kombo())


@contextlib.contextmanager
def failing_at(ids: Collection[str]) -> Iterator[None]:
    """A look that asks for one of these gets a 500, again and again."""
    real_page = Lists._page

    def page(lists: Lists, name: str, request: Request) -> Response:
        if set(request.query_params.get("ids", "").split(",")) & set(ids):
            return Response("something went wrong", 500)
        return real_page(lists, name, request)

    with mock.patch.object(Lists, "_page", page):
        yield


def test_an_id_that_kombo_fails_at_stays_as_it_was_and_the_others_are_told_apart(company: Account) -> None:
    ids = live(company.kombo())
    gone, cursed = ids[:2], ids[2]
    before = newest(company.kombo())
    with leaving_out("applications", [*gone, cursed], also_by_id=True), failing_at([cursed]):
        full = run_sync(company.kombo(), "full", sleep=lambda _: None)
    assert full.models["applications"].deleted == 2
    assert full.pending == {"applications": [cursed]}
    assert newest(company.kombo())["applications"][cursed] == before["applications"][cursed]
    assert run_sync(company.kombo(), "full").pending == {}


def test_if_kombo_fails_at_many_ids_something_is_wrong_with_more_than_records(company: Account) -> None:
    ids = live(company.kombo())[:8]
    with leaving_out("applications", ids, also_by_id=True), failing_at(ids), pytest.raises(SourceError, match="500"):
        run_sync(company.kombo(), "full", sleep=lambda _: None)
