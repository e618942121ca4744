"""Records with an odd part, in every answer and over HTTP, by both sources: nobody else's record changes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from join_pipeline.connections.status import read_status
from join_pipeline.lake.lake import open_lake
from join_pipeline.pipeline import build
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source
from join_pipeline_tests.kombo.accounts import Account, account, newest
from join_pipeline_tests.syncing import examine, replay, run_sync

START = datetime(2026, 4, 1, tzinfo=UTC)
SHARE = 0.3
SOURCES = ("join", "kombo")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("odd"), START, 80) as running:
        running.force()
        yield running


def settings_of(company: Account, source: str, connection: str) -> Settings:
    if source == "kombo":  # it has ids of its own
        return company.kombo(connection=connection)
    return company.join(connection=connection, integration_id="join:odd")


@pytest.mark.slow  # quicker: unit/sync/test_odd_payloads.py, without a server and a build
@pytest.mark.parametrize("source", SOURCES)
def test_a_company_with_odd_records_is_synced_built_and_replayed(company: Account, source: str) -> None:
    whole, odd = (settings_of(company, source, f"{kind}_{source}") for kind in ("whole", "odd"))
    run_sync(whole)
    company.fault(odd_for_good=SHARE)
    record = run_sync(odd)
    company.fault()
    assert record.verdict == "committed"
    assert sum(feed.quarantined for feed in record.feeds.values()) == 0
    assert len(record.odd) > 10
    assert {name.split(".")[0] for name in record.odd} <= record.feeds.keys()
    expected, found = newest(whole), newest(odd)
    assert found["applications"].keys() >= expected["applications"].keys()
    assert found["jobs"].keys() >= expected["jobs"].keys()
    (told, *_) = read_status(odd).syncs
    assert told.odd_parts == record.odd
    warned = [one.message for one in examine(odd) if one.check == "lake" and one.verdict == "warning"]
    assert any(f"{open_source(odd).title} sent parts of an unexpected shape" in message for message in warned)
    lake = open_lake(odd.lake)
    assert replay(odd, lake).n_different == 0
    build(odd)
    # once the records are whole again, all is as if they had never been odd
    run_sync(odd, "full")
    again = newest(odd)
    for model in ("applications", "jobs", "candidates"):
        theirs = {key: row["content_hash"] for key, row in expected[model].items()}
        ours = {key: row["content_hash"] for key, row in again[model].items() if key in theirs}
        assert ours == theirs, model
    assert replay(odd, open_lake(odd.lake)).n_different == 0
