"""What is kept out of the lake, over HTTP: no byte of it is anywhere in the data folder, and syncs stay quiet."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.models.kept_out import COLUMNS, emptied
from join_pipeline.pipeline import build
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.kombo.accounts import Account, account, newest
from join_pipeline_tests.privacy.canaries import CANARY, found_in, join
from join_pipeline_tests.syncing import changed, replay, run_sync

START = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = "first last mail phone country link url person-text answer file stage-text attachment note contact surname "
KINDS += "tag own-tag external position contact-mail job-text"
PERSONAL = rf"{CANARY}-({'|'.join(KINDS.split())}|description)"
"""Every canary there is."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path, START, applications=80) as found:
        yield found


def n_versions(record: SyncRecord) -> int:
    return sum(model.versions for model in record.models.values())


def leaves(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif value is not None:
        yield str(value)


def personal_texts(settings: Settings) -> set[str]:
    """Every text in a column that `minimal` empties, but for raw payloads, which repeat what may stay."""
    columns = emptied(COLUMNS.keys() - {"raw_payloads"})
    rows = newest(settings)
    found = {
        text
        for model, names in columns.items()
        for row in rows[model].values()
        for text in leaves([row[name] for name in names])
    }
    kept = {
        text
        for model in MODELS.values()
        for row in rows[model.name].values()
        for text in leaves([row[c.name] for c in model.plain])
    }
    return {text for text in found - kept if len(text) > 3}


def test_minimal_by_join_leaves_no_canary_in_any_byte_and_builds(tmp_path: Path) -> None:
    config = SandboxConfig(port=0, applications=120, now=START, rate_limit=None, shows_hiring_team=True)
    with running(config) as sandbox, join(sandbox) as api:
        settings = settings_for(api.url, tmp_path, privacy="minimal")
        first = run_sync(settings)
        assert first.models["applications"].live > 90
        assert found_in(settings.data, PERSONAL) == {}
        assert (first.models["users"].live, first.models["tags"].live) == (0, 0)
        assert not any(first.files.raw[name] for name in ("applications", "jobs"))
        again = run_sync(settings, "full")
        assert (n_versions(again), again.n_unannounced) == (0, 0)
        with locked(settings.home), pytest.raises(LakeError, match="raw payloads are kept out"):
            replay(settings, open_lake(settings.lake))
        assert build(settings).published.path.exists()
        assert found_in(settings.data, PERSONAL) == {}
        for model in MODELS.values():
            for row in newest(settings)[model.name].values():
                assert [c.name for c in model.personal if row[c.name] is not None] == [], model.name


def test_a_choice_that_keeps_more_out_drops_what_is_there_at_once(tmp_path: Path) -> None:
    config = SandboxConfig(port=0, applications=60, now=START, rate_limit=None, shows_hiring_team=True)
    with running(config) as sandbox, join(sandbox) as api:
        full = settings_for(api.url, tmp_path)
        run_sync(full)
        before = newest(full)
        assert found_in(full.lake, f"{CANARY}-(phone|answer|description)")
        strict = settings_for(api.url, tmp_path, privacy="standard")
        record = run_sync(strict, "incremental")
        assert (record.mode, record.n_unannounced) == ("full", 0)
        assert found_in(full.data, f"{CANARY}-(phone|answer|description|person-text|note|file)") == {}
        assert found_in(full.data, f"{CANARY}-first")
        after = newest(strict)
        assert {row["reason"] for model in after.values() for row in model.values()} == {"observed", "mapping"}
        assert {row["reason"] for row in after["applications"].values()} == {"mapping"}
        assert {key: row["state"] for key, row in after["applications"].items()} == {
            key: row["state"] for key, row in before["applications"].items()
        }
        assert n_versions(run_sync(strict, "full")) == 0
        with locked(strict.home):
            replayed = replay(strict, open_lake(strict.lake))
        assert (replayed.n_syncs, replayed.n_different) == (2, 0)
        wide = run_sync(full)
        assert (wide.mode, wide.n_unannounced) == ("full", 0)
        assert found_in(full.lake, f"{CANARY}-phone")


@pytest.mark.slow
def test_minimal_by_kombo_leaves_no_text_of_a_personal_column_in_any_byte(company: Account) -> None:
    run_sync(company.kombo(connection="whole"))
    texts = personal_texts(company.kombo(connection="whole"))
    assert len(texts) > 200
    settings = company.kombo(privacy="minimal")
    assert n_versions(run_sync(settings)) > 0
    pattern = "|".join(rf"(?<![A-Za-z]){re.escape(text)}(?![A-Za-z])" for text in sorted(texts))
    assert found_in(company.kombo(connection="whole").lake, pattern)
    assert found_in(settings.home, pattern) == {}
    company.move(START + timedelta(days=8))
    record = run_sync(settings, "full")
    assert (record.verdict, record.n_unannounced) == ("committed", 0)
    assert found_in(settings.home, pattern) == {}


def test_an_interrupted_sync_is_not_resumed_under_another_choice(tmp_path: Path) -> None:
    with running(SandboxConfig(port=0, applications=60, now=START, rate_limit=None)) as sandbox, join(sandbox) as api:
        settings = settings_for(api.url, tmp_path)

        def stop(feed: str, n: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_sync(settings, progress=stop)
        assert (settings.builds / "spool").exists()
        strict = changed(settings, privacy="minimal")
        assert "resumed" not in run_sync(strict).reason
        assert found_in(settings.data, PERSONAL) == {}


def test_a_lake_that_join_began_needs_the_texts_that_it_knows_records_by(company: Account) -> None:
    run_sync(company.join())
    with pytest.raises(SettingsError, match="tags and users can't be kept out"):
        run_sync(company.kombo(connection="by_join", privacy="minimal"), "full", accept_source=True)
