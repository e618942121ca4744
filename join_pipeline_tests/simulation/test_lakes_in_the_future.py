"""A lake that an older release left in the future is put right by the next sync, by JOIN and by Kombo."""

import json
import shutil
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from join_pipeline.http import server_clock
from join_pipeline.lake import future
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS
from join_pipeline.sync import clock as clocks
from join_pipeline_tests.simulation.wrong_clocks import DAY, HOUR, MARGIN, Company, cases
from join_pipeline_tests.syncing import replay


def believing(patched: pytest.MonkeyPatch) -> None:
    """Sync as releases did that believed whatever date came, and took a last sync in the future for the truth."""
    patched.setattr(server_clock, "MOST_SKEW", 100_000 * DAY)
    patched.setattr(clocks, "lies_ahead", lambda *_: False)
    patched.setattr(clocks, "is_set_back", lambda *_: False)


@cases([("join", 100 * DAY)], (5 * DAY, 100 * DAY, 3650 * DAY))
def test_a_lake_in_the_future_is_put_right_by_the_next_sync(company: Company, error: timedelta) -> None:
    company.sync()
    spoiled = []
    with pytest.MonkeyPatch.context() as patched:
        believing(patched)
        for off in (error, timedelta(0), timedelta(0)):
            company.wait(20 * HOUR)
            spoiled.append(company.sync(lambda _, o=off: o, mode="full"))
    assert all(record.as_of > company.account.now + DAY for record in spoiled)
    assert company.complaints() != []
    gone = _people(company, company.account.world.company.n_applications // 3)
    assert gone
    company.wait(20 * HOUR)

    record = company.sync(mode="incremental")

    assert record.mode == "full"
    assert record.started_at <= company.account.now
    assert record.as_of <= company.account.now + MARGIN
    assert company.complaints() == []
    assert company.missed() == set()
    told = [r for r in company.observed().records if r.told_at is not None]
    assert [r.sync_id for r in told] == [r.sync_id for r in spoiled]
    # the first one says itself how wrong its clock was
    assert abs(told[0].started_at - (spoiled[0].started_at - error)) < MARGIN
    _replays(company)

    company.wait(HOUR)
    assert company.sync().mode == "incremental"
    assert company.complaints() == []

    for _ in range(3):
        company.wait(8 * DAY)
        company.sync(mode="full")
    assert company.complaints() == []
    there = str([row["email_addresses"] for row in company.observed().current("candidates")])
    erased = [mail for mail in gone if mail not in there]  # Kombo may keep a person without an application
    assert erased or company.source == "kombo"
    assert [mail for mail in erased if _holds(company, mail)] == []


def _people(company: Company, n: int) -> list[str]:
    """Let so many applications be erased at the source. Returns what nobody may find any more."""
    rows = company.observed().current("applications")
    keys = sorted({int(row["remote_id"]) for row in rows}, reverse=True)
    there = {row["id"]: row for row in company.observed().current("candidates")}
    hidden = keys[: min(n, len(keys) // 6)]
    company.account.world.state.hide(hidden)
    of = {int(row["remote_id"]): row["candidate_id"] for row in rows}
    others = {of[key] for key in keys if key not in hidden}
    mails = [json.dumps(there[of[key]]["email_addresses"], default=str) for key in hidden if of[key] not in others]
    return [mail.split('"email_address": "')[1].split('"')[0] for mail in mails if "email_address" in mail]


def _holds(company: Company, text: str) -> bool:
    """Whether a file of the lake has this text."""
    return any(text in str(pq.read_table(path).to_pylist()) for path in company.settings().lake.rglob("*.parquet"))


def _replays(company: Company) -> None:
    with locked(company.settings().home):
        lake = open_lake(company.settings().lake)
        before = company.observed()
        replayed = replay(company.settings(), lake)
    assert replayed.n_syncs > 2
    assert replayed.n_different == 0, [
        (name, one, other)
        for name in MODELS
        for key in before.versions(name)
        if (one := before.versions(name)[key]) != (other := company.observed().versions(name).get(key))
    ][:2]


def test_putting_right_that_is_cut_off_is_done_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.sync()
    with pytest.MonkeyPatch.context() as patched:
        believing(patched)
        for off in (100 * DAY, timedelta(0)):
            company.wait(5 * DAY)
            company.sync(lambda _, o=off: o, mode="full")
    company.wait(5 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(future, "write_anew", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            company.sync()
    assert company.sync().mode == "full"
    assert company.complaints() == []
    _replays(company)


def _cut_off(*_: object) -> None:
    raise KeyboardInterrupt


WHAT = ("as_of", "watermarks", "last_full", "started_at", "log")


@pytest.mark.parametrize(
    ("company", "quick"),
    [("join", WHAT[1:]), pytest.param("kombo", WHAT, marks=pytest.mark.slow)],
    indirect=["company"],
)
def test_one_instant_in_the_future_is_enough(company: Company, quick: tuple[str, ...]) -> None:
    company.sync()
    company.wait(2 * HOUR)
    company.sync(mode="full")
    company.wait(2 * HOUR)
    home, kept = company.settings().home, company.data / "kept"
    shutil.copytree(home, kept)
    for what in quick:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        _spoil(company, what)
        assert company.sync(mode="incremental").mode == "full", what
        assert company.complaints() == [], what


def _spoil(company: Company, what: str) -> None:
    lake = open_lake(company.settings().lake)
    record = lake.newest()
    assert record is not None
    assert record.last_full is not None
    ahead = company.account.now + 500 * DAY
    if what in ("as_of", "started_at", "log"):
        record.as_of = record.finished_at = ahead
    if what in ("started_at", "log"):
        record.started_at = ahead - HOUR
    if what == "watermarks":
        for figures in record.feeds.values():
            figures.listed_since = ahead
    if what == "last_full":
        record.last_full.started_at = ahead
    lake.commit(record)
    if what == "log":  # the sync before lies ahead, too, and is folded
        first = lake.records()[0]
        first.started_at, first.as_of, first.finished_at = (ahead - 2 * HOUR,) * 3
        lake.commit(first)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("join_pipeline.lake.lake.MOST_RECORDS", 1)
            patched.setattr("join_pipeline.lake.lake.KEPT_RECORDS", 1)
            lake.fold_records()
