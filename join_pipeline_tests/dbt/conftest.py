"""The hand-written company that most tests here look at, built once, with a plan, service levels and costs."""

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.transform.figures import copy_tables, table_vars
from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.cases import company

PLAN = """job;category;hires;by
nurse;;9;31.12.2026
Cook;;2;2026-01-20
Brewer;;2;12.2026
"""
SERVICE_LEVELS = "milestone,days\nscreening,3\nINTERIM,5\n"
COSTS = 'source,month,cost,currency\nIndeed,2025-12,"1.200,50",EUR\nindeed,Jan 26,300,eur\nGazette,01.2026,80,EUR\n'


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Everything that dbt makes of the cases: seeds, models, data tests and unit tests."""
    folder = tmp_path_factory.mktemp("cases")
    files = {}
    for setting, text in (("hiring_plan_csv", PLAN), ("service_level_csv", SERVICE_LEVELS), ("cost_csv", COSTS)):
        files[setting] = folder / f"{setting}.csv"
        files[setting].write_text(text)
    settings = load_settings(data=folder / "data", **files)
    copy_tables(settings)
    company().write(folder / "warehouse.duckdb")
    return dbt(folder, "build", variables=table_vars(settings))
