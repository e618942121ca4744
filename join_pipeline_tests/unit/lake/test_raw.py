"""Raw: the lake returns what the spool took, and a sync can resume from a spool that was left."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from join_pipeline.errors import LakeError
from join_pipeline.lake import raw
from join_pipeline.lake.raw import RawRow, Spool, SpoolState, begin_spool, left_spool, read_raw
from join_pipeline.lake.record import FeedRecord, paths_of
from join_pipeline.lake.sql import scratch

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SYNC = "20260601T120000000000Z"


def state() -> SpoolState:
    return SpoolState(sync_id=SYNC, previous=None, mode="full", started_at=NOON)


def row(n: int, listing: str = "all-1", page: int = 1, payload: str | None = "{}", status: int = 200) -> RawRow:
    return RawRow(SYNC, listing, page, str(n), status, NOON + timedelta(microseconds=n), payload)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with scratch(tmp_path / "builds", "1GB") as con:
        yield begin_spool(con, tmp_path / "spool", state())


def stored(spool: Spool, lake: Path, feed: str = "jobs") -> list[RawRow]:
    return list(read_raw([str(lake / file.path) for file in spool.store(lake, feed)]))


def test_rows_come_back_as_they_were_put_in(spool, tmp_path):
    rows = [
        row(1, payload='{"id":1, "title":"Köch:in 🙂", "n": 1.50}'),
        row(2, payload='{"text":"\\u0000\\n\\"quoted\\""}'),
        row(3, payload=None, status=404, listing="look", page=0),
        row(4)._replace(record_id=None, payload="17"),
        row(5, payload="x" * 300_000),
        row(6, payload=""),
    ]
    for each in rows:
        spool.add("jobs", each)
    assert stored(spool, tmp_path / "lake") == rows


def test_a_feed_without_rows_has_no_files(spool, tmp_path):
    assert spool.store(tmp_path / "lake", "jobs") == []
    assert list(read_raw([])) == []


def test_feeds_do_not_mix_and_files_are_named_relative_to_the_lake(spool, tmp_path):
    spool.add("jobs", row(1))
    spool.add("applications", row(2))
    spool.add("jobs", row(3))
    assert paths_of(spool.store(tmp_path, "jobs")) == [f"raw/jobs/{SYNC}/part-00000.parquet"]
    assert [each.record_id for each in stored(spool, tmp_path, "jobs")] == ["1", "3"]
    assert [each.record_id for each in stored(spool, tmp_path, "applications")] == ["2"]


def test_many_rows_are_spooled_in_small_parts_and_stored_in_large_ones_in_their_order(spool, tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "ROWS_PER_SPOOL_PART", 10)
    monkeypatch.setattr(raw, "ROWS_PER_PART", 35)
    rows = [row(n) for n in range(123)]
    for each in rows:
        spool.add("jobs", each)
    assert len(spool.parts("jobs")) == 12  # three rows are held
    files = spool.store(tmp_path, "jobs")
    assert [Path(file.path).name for file in files] == [f"part-{n:05d}.parquet" for n in range(4)]
    assert list(read_raw([str(tmp_path / file.path) for file in files], batch=7)) == rows


def test_a_spool_that_was_left_knows_who_it_was_and_what_was_read(spool, tmp_path):
    for page in (1, 2, 3):
        spool.add("jobs", row(page, page=page))
    spool.state.feeds["jobs"] = FeedRecord(pages=3, records=3)
    spool.mark("jobs", "all-1")
    spool.add("jobs", row(9, listing="status=ONLINE", page=1))
    spool.flush("jobs")
    spool.add("jobs", row(10, listing="status=ONLINE", page=2))  # held, and lost with its process

    left = left_spool(spool.con, tmp_path / "spool")
    assert left is not None
    assert left.state == spool.state
    assert left.is_done("jobs", "all-1")
    assert not left.is_done("jobs", "status=ONLINE")
    assert not left.is_done("applications", "all-1")
    assert left.last_page("jobs", "all-1") == 3
    assert left.last_page("jobs", "status=ONLINE") == 1
    assert left.last_page("jobs", "status=DRAFT") == 0
    assert [each.record_id for each in stored(left, tmp_path / "lake")] == ["1", "2", "3", "9"]


def test_a_spool_that_is_gone_on_with_adds_to_what_is_there(spool, tmp_path):
    spool.add("jobs", row(1))
    spool.flush("jobs")
    left = left_spool(spool.con, tmp_path / "spool")
    assert left is not None
    left.add("jobs", row(2, page=2))
    assert [each.record_id for each in stored(left, tmp_path / "lake")] == ["1", "2"]


@pytest.mark.parametrize("content", [None, b"", b"{}", b"half"])
def test_a_spool_that_cannot_be_read_is_none(spool, tmp_path, content):
    path = tmp_path / "spool" / "state.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert left_spool(spool.con, tmp_path / "spool") is None
    assert left_spool(spool.con, tmp_path / "nowhere") is None


def test_a_new_spool_drops_what_another_sync_left(spool, tmp_path):
    spool.add("jobs", row(1))
    spool.mark("jobs", "all-1")
    fresh = begin_spool(spool.con, tmp_path / "spool", state())
    assert fresh.parts("jobs") == []
    assert not fresh.is_done("jobs", "all-1")


@pytest.mark.parametrize("n_bytes", [0, 5, 400])
def test_a_damaged_part_is_told_by_its_path(spool, tmp_path, n_bytes):
    for n in range(100):
        spool.add("jobs", row(n, payload=f'{{"id": {n}, "text": "{"x" * n}"}}'))
    (file,) = spool.store(tmp_path, "jobs")
    part = tmp_path / file.path
    part.chmod(0o600)
    part.write_bytes(part.read_bytes()[:n_bytes])
    with pytest.raises(LakeError, match=r"part-00000\.parquet can't be read .*Restore it from the backup"):
        list(read_raw([str(part)]))


def test_everything_raw_is_its_owners_only(spool, tmp_path):
    spool.add("jobs", row(1))
    spool.mark("jobs", "all-1")
    spool.store(tmp_path / "lake", "jobs")
    paths = [*(tmp_path / "spool").rglob("*"), *(tmp_path / "lake").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}


@pytest.mark.parametrize(
    ("newest", "before", "watermark"),
    [
        (None, None, 0),  # nothing was listed, ever
        (-60, None, -60),  # a list may show late what came after its newest update
        (-60, -90, -60),
        (None, -90, -90),  # this list showed nothing new
        (-90, -60, -60),  # it never goes back
        (5, None, 0),  # updated while the sync ran
        (-1, -1, -1),
    ],
)
def test_the_watermark_is_the_newest_update_that_was_listed_but_never_after_the_start(newest, before, watermark):
    def at(minutes):
        return None if minutes is None else NOON + timedelta(minutes=minutes)

    began = state()
    if newest is not None:
        began.newest["applications"] = at(newest)
    assert began.watermark_of("applications", at(before)) == at(watermark)
    assert began.watermark_of("jobs", None) == NOON
    began.changed_since = at(-120)  # the server's clock is behind
    assert began.watermark_of("applications", at(before)) == at(-120)
