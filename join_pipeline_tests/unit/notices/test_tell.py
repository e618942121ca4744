"""Which notices are due: once for a trouble, again after a day, once for its end, and again if nobody got it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from join_pipeline.connections.listed import parse
from join_pipeline.errors import SettingsError
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.record import Files, Objection, SyncRecord, sync_id_of
from join_pipeline.notices import tell
from join_pipeline.settings import Settings, kinds, load_settings
from join_pipeline_tests.receivers import Hook, hook

pytestmark = pytest.mark.usefixtures("no_settings_in_environment")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def got() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, got: Hook) -> Settings:
    return load_settings(data=tmp_path, connection="acme", notice_webhook=got.url)


def committed(settings: Settings, at: datetime, **changes: Any) -> Lake:
    """A lake whose newest sync was committed then."""
    lake = open_lake(settings.lake, create=True)
    previous = lake.newest()
    record = SyncRecord(
        sync_id=sync_id_of(at),
        previous=previous.sync_id if previous else None,
        mode="full",
        reason="asked for",
        started_at=at,
        finished_at=at,
        as_of=at,
        mapping_version=1,
        package_version="0",
        files=Files(),
    )
    lake.commit(msgspec.structs.replace(record, **changes))
    return lake


def test_a_failure_is_told_once_again_after_a_day_and_once_when_it_is_over(settings: Settings, got: Hook) -> None:
    for n in range(26):
        assert tell.failed(settings, "sync", f"try {n} failed", now=NOW + n * HOUR) == []
    assert [text.partition("try")[2] for text in got.texts] == [" 0 failed", " 24 failed"]
    tell.failed(settings, "build", "no disk", now=NOW)
    tell.failed(settings, "sync", "another reason", now=NOW)
    assert got.texts[2:] == ["acme: build failed: no disk", "acme: sync failed: another reason"]
    for _ in range(2):
        assert tell.ended(settings, "sync", NOW) == []
    assert got.texts[4:] == ["acme: sync is well again."]
    tell.failed(settings, "build", "no disk", now=NOW + HOUR)
    assert len(got.got) == 5, "the end of one trouble is not that of another"
    assert (settings.home / "notices.json").stat().st_mode & 0o777 == 0o600
    assert "disk" not in (settings.home / "notices.json").read_text()


def test_a_guarded_sync_is_told_once_with_what_to_do(settings: Settings, got: Hook) -> None:
    for n, missing in enumerate((120, 121)):
        objection = Objection(feed="applications", reason=f"{missing} of 300 known records are missing")
        committed(settings, NOW + n * HOUR, verdict="guarded", objections=[objection])
        tell.ended(settings, "sync", NOW + n * HOUR)
    (text,) = got.texts
    assert text.startswith("acme: sync kept what is known: applications: 120 of 300 known records are missing.")
    assert text.endswith("join-pipeline sync --mode full --accept-loss applications")
    tell.ended(settings, "build", NOW, is_sync=False)
    committed(settings, NOW + 2 * HOUR)
    tell.ended(settings, "sync", NOW + 2 * HOUR)
    assert got.texts[1:] == ["acme: sync is well again."]


def test_a_stale_lake_is_told_once_and_not_at_every_look(settings: Settings, got: Hook) -> None:
    assert tell.look(settings, NOW) == [], "nothing was ever committed"
    committed(settings, NOW)
    for hours in (1, 25, 26, 27, 28, 40):
        assert tell.look(settings, NOW + hours * HOUR) == []
    (text,) = got.texts
    assert text.startswith("acme is stale: no sync was committed since 2026-06-01 12:00 UTC, for more than 26 hours.")
    committed(settings, NOW + 41 * HOUR)
    for _ in range(2):
        tell.look(settings, NOW + 42 * HOUR)
    assert got.texts[1:] == ["acme is well again."]
    never = settings.model_copy(update={"notice_stale_hours": 0.0})
    tell.look(never, NOW + 9999 * HOUR)
    assert len(got.got) == 2


def test_what_nobody_got_is_told_the_next_time(settings: Settings, got: Hook) -> None:
    got.answers = 503
    assert tell.failed(settings, "sync", "no disk", now=NOW) == [
        "The notice was not sent by webhook: the server answered 503."
    ]
    got.answers = 200
    assert tell.failed(settings, "sync", "no disk", now=NOW) == []
    assert tell.failed(settings, "sync", "no disk", now=NOW) == []
    assert len(got.got) == 2
    (settings.home / "notices.json").write_text("{")
    assert tell.failed(settings, "sync", "no disk", now=NOW) == []
    assert len(got.got) == 3


def test_without_anybody_to_tell_nothing_is_sent_or_written(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, connection="acme")
    assert tell.failed(settings, "sync", "no disk") == tell.ended(settings, "sync") == tell.look(settings) == []
    assert list(tmp_path.iterdir()) == []


def test_a_look_at_many_ends_in_time_and_a_wrong_one_stops_nobody(settings: Settings, got: Hook) -> None:
    text = "[a]\n[b]\n[c]\n[d]\n"
    listed = parse(settings.data / "connections.toml", text, kinds())
    for name in listed:
        committed(settings.model_copy(update={"connection": name}), NOW)
    asked: list[str] = []

    def settings_of(name: str) -> Settings:
        asked.append(name)
        if name == "a":
            raise SettingsError("a.k: needs a number")
        return settings.model_copy(update={"connection": name})

    clock = iter([0.0, 1.0, 2.0, 29.0, 31.0])
    lines = tell.look_at_all(settings, listed, settings_of, NOW + 30 * HOUR, lambda: next(clock))
    assert asked == ["a", "b", "c"]
    assert lines == ["a: a.k: needs a number", "1 connections wait for the next look."]
    assert [text.partition(" ")[0] for text in got.texts] == ["b", "c"]
    nobody = settings.model_copy(update={"notice_webhook": None})
    assert tell.look_at_all(nobody, listed, settings_of, NOW) == []
    assert asked == ["a", "b", "c"], "who tells nobody is not looked at"
