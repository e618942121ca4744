"""Whether a build is needed: what could change the published file makes it so, a sync that saw nothing new does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from join_pipeline.lake.record import FeedRecord, Files, LakeFile, LastFull, Objection, SyncRecord
from join_pipeline.settings import Settings, declared, load_settings
from join_pipeline.warehouse import needed

KEY = b"a key for tests only"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RESULT = b'{"any": 1}'


def record(at: datetime = NOON, **changes: Any) -> SyncRecord:
    made = SyncRecord(
        sync_id=f"{at:%Y%m%dT%H%M%S}",
        previous=None,
        mode="incremental",
        reason="asked for",
        started_at=at,
        finished_at=at,
        as_of=at,
        mapping_version=1,
        package_version="1",
        feeds={"jobs": FeedRecord(pages=3, is_whole=True)},
        last_full=LastFull(started_at=NOON, n_unannounced=0),
        files=Files(models={"jobs": [LakeFile(path="models/jobs/1.parquet", sync_id="1")]}),
    )
    return msgspec.structs.replace(made, **changes)


@dataclass
class Place:
    """A data folder with what a build leaves."""

    data: Path
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return load_settings(data=self.data, **self.more)

    def built(self) -> "Place":
        for path in (self.settings.warehouse, self.settings.published, self.settings.report):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"some")
        needed.note(self.settings, needed.fingerprint(self.settings, record(), KEY), RESULT)
        return self

    def is_unchanged(self, newest: SyncRecord, key: bytes = KEY) -> bool:
        return needed.noted(self.settings, needed.fingerprint(self.settings, newest, key)) == RESULT


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data").built()


def test_a_later_sync_of_the_same_day_that_saw_nothing_new_needs_no_build(place: Place) -> None:
    assert place.is_unchanged(record(NOON + timedelta(hours=3), n_requests=99, sync_id="later", reason="other"))


def test_a_word_that_the_last_build_knew_needs_none_however_often_it_was_seen(place: Place) -> None:
    full = record(unknown={"questions.type": 13, "jobs.state": 2}, odd={"jobs.title (number)": 4})
    needed.note(place.settings, needed.fingerprint(place.settings, full, KEY), RESULT)
    assert place.is_unchanged(record(unknown={"questions.type": 1}))
    assert place.is_unchanged(record())
    assert not place.is_unchanged(record(unknown={"questions.type": 1, "jobs.city": 1}))


@pytest.mark.parametrize(
    "newest",
    [
        record(NOON + timedelta(hours=10, minutes=1)),  # midnight in Berlin
        record(files=Files(models={"jobs": [LakeFile(path="models/jobs/2.parquet", sync_id="2")]})),
        record(files=record().files, verdict="guarded", objections=[Objection(feed="jobs", reason="empty")]),
        record(pending={"applications": ["1"]}),
        record(last_full=LastFull(started_at=NOON + timedelta(hours=1), n_unannounced=0)),
        record(mapping_version=2),
        record(unknown={"applications.state": 1}),
        record(odd={"applications.answers[] (text)": 1}),
        record(feeds={"jobs": FeedRecord(pages=3, is_whole=True, unread=["7"])}),
    ],
    ids=["day", "versions", "guarded", "pending", "full", "mapping", "words", "odd", "unread"],
)
def test_what_a_sync_shows_needs_a_build(place: Place, newest: SyncRecord) -> None:
    assert not place.is_unchanged(newest)


@pytest.mark.parametrize(
    "change",
    [
        lambda place: place.settings.published.unlink(),
        lambda place: place.settings.report.write_bytes(b"else"),
        lambda place: place.settings.warehouse.unlink(),
        lambda place: place.settings.people.write_bytes(b"names"),
        lambda place: needed.forget(place.settings),
        lambda place: (place.settings.builds / "last_build.json").write_bytes(b"{"),
        lambda place: place.more.update(k=6),
        lambda place: place.more.update(time_zone="Asia/Tokyo"),
        lambda place: place.more.update(publish_people=True),
    ],
    ids=["published", "report", "warehouse", "people", "forgotten", "damaged", "k", "zone", "names"],
)
def test_other_files_and_settings_need_a_build(place: Place, change: Callable[[Place], object]) -> None:
    assert place.is_unchanged(record())
    change(place)
    assert not place.is_unchanged(record())


@pytest.mark.parametrize("name", [name for name in sorted(declared()) if name.endswith("_csv")])
def test_another_content_of_a_file_of_the_users_needs_a_build(tmp_path: Path, name: str) -> None:
    file = tmp_path / "user.csv"
    file.write_text("a,b\n")
    place = Place(tmp_path / "data", {name: file}).built()
    assert place.is_unchanged(record())
    file.write_text("a,c\n")
    assert not place.is_unchanged(record())


def test_steps_that_are_run_one_by_one_note_a_build_if_all_were_made_of_the_same(place: Place) -> None:
    first, other = (needed.fingerprint(place.settings, record(), key) for key in (KEY, b"another key for tests"))
    steps: list[tuple[needed.MadeOf, needed.Step]]
    for steps, is_noted in (
        ([(first, "loaded"), (first, "published"), (first, "reported")], True),
        ([(first, "published"), (first, "reported")], False),
        ([(first, "loaded"), (first, "reported")], False),
        ([(other, "loaded"), (first, "published"), (first, "reported")], False),
        ([(first, "loaded"), (other, "published"), (first, "reported")], False),
    ):
        needed.forget(place.settings)
        for made_of, step in steps:
            assert needed.noted(place.settings, first) is None
            needed.follow(place.settings, made_of, step, is_last=step == "reported")
        assert (needed.noted(place.settings, first) == b"null") is is_noted


def test_another_key_of_the_pseudonyms_needs_a_build(place: Place) -> None:
    assert not place.is_unchanged(record(), b"another key for tests")


def test_other_code_needs_a_build(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.sql").write_text("select 1")
    monkeypatch.setattr(needed, "project_dir", lambda: tmp_path / "models")
    assert not place.is_unchanged(record())
    place.built()
    assert place.is_unchanged(record())
    (tmp_path / "models" / "mine.sql").write_text("select 2")
    assert not place.is_unchanged(record())
