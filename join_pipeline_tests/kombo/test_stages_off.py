"""Application stages that Kombo did not give from the start: stages are known by what jobs and applications show."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from join_pipeline import pipeline
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline_tests.kombo.accounts import account, newest
from join_pipeline_tests.syncing import run_sync

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("off", ["refused", "deleted"])
def test_a_company_without_a_list_of_stages_is_loaded_and_each_stage_is_once(tmp_path: Path, off: str) -> None:
    config = KomboConfig(rate_limit=None, connected_days=0, models_off={"application_stages": off})
    with account(tmp_path, NOW, 60, config) as company:
        settings = company.kombo()
        run_sync(settings)
        stages = newest(settings)["application_stages"]
        assert len(stages) > 2
        loaded = {table.model: table for table in pipeline.load(settings).tables}
        assert loaded["application_stages"].rows == len(stages)
        company.switch(models_off={})
        company.force()
        run_sync(settings, "full")
        pipeline.load(settings)
        assert newest(settings)["application_stages"].keys() == stages.keys()
