"""The hand-written company that most tests here look at, built once."""

import pytest

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.cases import company


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Everything that dbt makes of the cases: seeds, models, data tests and unit tests."""
    folder = tmp_path_factory.mktemp("cases")
    company().write(folder / "warehouse.duckdb")
    return dbt(folder, "build")
