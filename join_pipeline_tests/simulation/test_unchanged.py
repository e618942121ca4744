"""What a full sync does not map again makes no difference to what it writes, whatever happened before."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sandbox.signing import Signer
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sources.join.source import JoinSource
from join_pipeline_tests.simulation.doubled import doubled
from join_pipeline_tests.simulation.history import history_of
from join_pipeline_tests.simulation.play import play
from join_pipeline_tests.syncing import changed, run_sync

MAPPED_AGAIN: list[tuple[int, int]] = []
"""What `doubled` finds of a sync that knows none of its payloads."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SandboxConfig(port=0, applications=150, rate_limit=None)) as url:
        yield url


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    found = load_settings(join_api_token="sandbox-token", join_api_url=f"{url}/v2", data=tmp_path, connection="sandbox")
    run_sync(found, "full")
    return found


def full_sync(settings: Settings) -> list[tuple[int, int]]:
    with doubled() as found:
        run_sync(settings, "full")
    return found


@pytest.mark.parametrize(
    "seed", [3, 8, pytest.param(21, marks=pytest.mark.slow), pytest.param(34, marks=pytest.mark.slow)]
)
def test_payloads_that_are_not_mapped_again_change_no_version(seed: int) -> None:
    with doubled() as found:
        play(history_of(seed))
    assert sum(n_same for _, n_same in found) > 0


def test_what_is_not_mapped_again_is_known_in_the_sync_after_it_too(settings: Settings) -> None:
    (first,), (second,) = full_sync(settings), full_sync(settings)
    assert first == second
    assert second[1] > 0


def test_a_signature_that_changes_is_no_change(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, n_same),) = full_sync(settings)
    monkeypatch.setattr(Signer, "_signature", lambda *_: "another")
    assert full_sync(settings)[0][1] == n_same
    last = max((settings.lake / "raw" / "applications").iterdir())
    assert "signature=another" in str(pq.read_table(last)["payload"].to_pylist())


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["unchanged.json", "unchanged.parquet"])
@pytest.mark.parametrize("damage", [_flip, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_file_that_is_damaged_or_gone_is_done_without(
    settings: Settings, name: str, damage: Callable[[Path], object]
) -> None:
    damage(settings.builds / name)
    assert full_sync(settings) == MAPPED_AGAIN
    assert full_sync(settings) != MAPPED_AGAIN


def test_another_mapping_maps_all_payloads_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JoinSource, "mapping_version", JoinSource.mapping_version + 1)
    assert full_sync(settings) == MAPPED_AGAIN
    assert full_sync(settings) != MAPPED_AGAIN


def test_another_choice_of_what_is_kept_out_maps_all_payloads_again(settings: Settings) -> None:
    assert full_sync(changed(settings, keep_out="phone_numbers")) == MAPPED_AGAIN
