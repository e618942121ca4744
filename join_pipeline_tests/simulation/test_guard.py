"""The guard: it objects to a listing that lost too much, and nothing later relies on that listing."""

from pathlib import Path

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import load_settings
from join_pipeline_tests.cli.companies import without_applications
from join_pipeline_tests.syncing import run_sync


def test_a_guarded_sync_keeps_what_is_known_and_moves_no_watermark(tmp_path: Path) -> None:
    def settings_for(url: str):
        return load_settings(
            join_api_token="sandbox-token", join_api_url=f"{url}/v2", data=tmp_path, connection="sandbox"
        )

    with running(SandboxConfig(port=0, applications=120, rate_limit=None)) as url:
        first = run_sync(settings_for(url), "full")
        with without_applications():
            guarded = run_sync(settings_for(url), "full")
            accepted = run_sync(settings_for(url), "full", accept_loss=["applications"])
    assert guarded.verdict == "guarded"
    assert guarded.models["applications"].deleted == 0
    assert not guarded.feeds["applications"].is_whole
    assert guarded.feeds["applications"].listed_since == first.feeds["applications"].listed_since
    assert accepted.verdict == "committed"
    assert accepted.models["applications"].live == 0
    assert accepted.models["applications"].deleted == first.models["applications"].live
