"""Which mode a sync takes and when the guard objects: both as tables."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.lake.record import FeedRecord, Files, LastFull, SyncRecord, sync_id_of
from join_pipeline.sources.feed import Feed
from join_pipeline.sync.plan import guard_objects, plan


@dataclass(frozen=True)
class Paced:
    """What `plan` asks of a source."""

    feeds: tuple[Feed, ...]
    full_every: timedelta
    since_word: str


DAILY = Paced((Feed("applications", "/applications", "", since="updatedAtGte"),), timedelta(hours=24), "lastUpdatedAt")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LISTED = NOW - timedelta(hours=3)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


def previous(listed_since: datetime | None = LISTED, feed: str = "applications") -> SyncRecord:
    at = NOW - HOURS
    return SyncRecord(
        sync_id=sync_id_of(at),
        previous=None,
        mode="incremental",
        reason="asked for",
        started_at=at,
        finished_at=at,
        as_of=at,
        mapping_version=1,
        package_version="0",
        feeds={feed: FeedRecord(listed_since=listed_since)},
        files=Files(),
    )


def full(age: timedelta, n_unannounced: int = 0) -> LastFull:
    return LastFull(started_at=NOW - age, n_unannounced=n_unannounced)


@pytest.mark.parametrize(
    ("asked", "before", "last_full", "mode", "reason"),
    [
        ("auto", None, None, "full", "nothing is known yet"),
        ("full", None, None, "full", "nothing is known yet"),
        ("incremental", None, None, "full", "nothing is known yet"),
        ("incremental", previous(listed_since=None), full(HOURS), "full", "nothing is known yet"),
        ("incremental", previous(feed="jobs"), full(HOURS), "full", "nothing is known yet"),
        ("full", previous(), full(HOURS), "full", "asked for"),
        ("incremental", previous(), full(HOURS), "incremental", "asked for"),
        ("incremental", previous(), full(90 * HOURS, 5), "incremental", "asked for"),
        ("incremental", previous(), None, "incremental", "asked for"),
        ("auto", previous(), full(HOURS), "incremental", "less than 24 hours old"),
        ("auto", previous(), full(24 * HOURS - MINUTES), "incremental", "less than 24 hours old"),
        ("auto", previous(), full(24 * HOURS), "full", "24 hours old or older"),
        ("auto", previous(), full(240 * HOURS), "full", "24 hours old or older"),
        ("auto", previous(), full(HOURS, 1), "full", "changes that lastUpdatedAt had not announced"),
        ("auto", previous(), None, "full", "a second one shows whether the list was complete"),
        ("auto", previous(), full(-HOURS), "incremental", "less than 24 hours old"),
    ],
)
def test_the_mode_follows_from_what_was_asked_and_what_was_done(asked, before, last_full, mode, reason):
    planned = plan(DAILY, asked, before, last_full, NOW)
    assert planned.mode == mode
    assert reason in planned.reason


def test_an_incremental_sync_asks_from_the_watermark_less_the_overlap():
    assert plan(DAILY, "incremental", previous(), full(HOURS), NOW).since == {"applications": LISTED - 15 * MINUTES}
    assert plan(DAILY, "auto", previous(), full(HOURS), NOW).since == {"applications": LISTED - 15 * MINUTES}


@pytest.mark.parametrize("asked", ["auto", "full"])
def test_a_full_sync_asks_from_nowhere(asked):
    assert plan(DAILY, asked, previous(), full(48 * HOURS), NOW).since == {}


def test_each_feed_is_asked_from_its_own_watermark_and_one_without_is_read_whole():
    feeds = tuple(
        Feed(name, f"/{name}", "", since=None if name == "tags" else "updated_after")
        for name in ("jobs", "users", "tags", "candidates")
    )
    before = previous()
    before.feeds = {"jobs": FeedRecord(listed_since=LISTED), "users": FeedRecord(listed_since=LISTED - HOURS)}
    before.feeds |= {"tags": FeedRecord(listed_since=LISTED), "candidates": FeedRecord()}
    weekly = Paced(feeds, timedelta(days=7), "updated_after")
    planned = plan(weekly, "auto", before, full(150 * HOURS), NOW)
    assert planned.since == {"jobs": LISTED - 15 * MINUTES, "users": LISTED - HOURS - 15 * MINUTES}
    assert "168 hours" in planned.reason
    assert plan(weekly, "auto", before, full(168 * HOURS), NOW).mode == "full"
    assert "updated_after" in plan(weekly, "auto", before, full(HOURS, 1), NOW).reason


@pytest.mark.parametrize(
    ("known", "missing", "listed", "objects"),
    [
        (0, 0, 0, False),  # an empty company
        (0, 0, 50, False),
        (100, 0, 100, False),
        (100, 0, 150, False),
        (1, 1, 0, True),  # empty where some are known
        (10_000, 10_000, 0, True),
        (1, 1, 5, False),
        (19, 19, 1, False),  # at least 20
        (20, 20, 1, True),
        (99, 19, 80, False),
        (99, 20, 79, True),
        (100, 20, 80, False),  # more than 20 %
        (100, 21, 79, True),
        (101, 21, 80, True),
        (105, 21, 84, False),
        (5_000, 1_000, 4_000, False),
        (5_000, 1_001, 3_999, True),
        (5_000, 5_000, 4_000, True),  # all of them replaced by others
    ],
)
def test_the_guard_objects_to_a_large_loss(known, missing, listed, objects):
    objection = guard_objects("applications", known, missing, listed, ())
    assert (objection is not None) == objects
    if objection is not None:
        assert str(known) in objection
    assert guard_objects("applications", known, missing, listed, {"applications"}) is None
    assert guard_objects("applications", known, missing, listed, {"jobs"}) == objection


@given(known=st.integers(0, 10**7), share=st.floats(0, 1), listed=st.integers(1, 10**7))
def test_the_guard_is_exact_at_a_fifth(known, share, listed):
    missing = round(known * share)
    objects = missing >= 20 and 5 * missing > known
    assert (guard_objects("jobs", known, missing, listed, ()) is not None) == objects
    fifth = known // 5
    assert guard_objects("jobs", 5 * fifth, fifth, listed, ()) is None
