"""The preset of a works agreement: nothing that is published or logged tells of one employee, nor of an instant."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from join_pipeline.errors import SettingsError
from join_pipeline.pipeline import run
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline.warehouse.coarse import OF_SYNCS
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.kombo.accounts import newest
from join_pipeline_tests.privacy.canaries import CANARY, found_in, join

EMPLOYEES = f"{CANARY}-(contact|surname|position|contact-mail)"


@dataclass
class Played:
    settings: Settings
    log: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    config = SandboxConfig(
        port=0, applications=150, now=datetime(2026, 6, 1, tzinfo=UTC), rate_limit=None, shows_hiring_team=True
    )
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    with running(config) as sandbox, join(sandbox) as api:
        settings = settings_for(api.url, tmp_path_factory.mktemp("data"), works_council=True, publish_people=True)
        logging.getLogger().addHandler(handler)
        try:
            run(settings, "auto")
        finally:
            logging.getLogger().removeHandler(handler)
        yield Played(settings, "\n".join(said))


def published(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(query).fetchall()


def test_no_name_address_key_or_id_of_an_employee_is_published_reported_or_logged(played: Played) -> None:
    settings = played.settings
    users = newest(settings)["users"]
    assert len(users) > 3
    assert found_in(settings.lake, EMPLOYEES)
    with contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
        keys = con.execute("SELECT pseudonym, id FROM ats.pseudonyms WHERE model = 'users'").fetchall()
    words = "|".join(word for pair in keys for word in pair)
    assert found_in(settings.published.parent, f"{EMPLOYEES}|{words}") == {}
    outside = (settings.lake, settings.warehouse)
    assert found_in(settings.data, EMPLOYEES, but=outside) == {}
    assert CANARY not in played.log


def test_no_column_tells_employees_apart(played: Played) -> None:
    columns = published(
        played.settings,
        """SELECT table_name, column_name FROM information_schema.columns
        WHERE column_name SIMILAR TO '.*user.*|contact.*'""",
    )
    assert columns
    for few in ("dim_user", "mart_hiring_team_load WHERE n_members < 5 OR member_key <> 'all'"):
        assert published(played.settings, f"SELECT count(*) FROM {few}") == [(0,)]
    for table, column in columns:
        assert published(played.settings, f'SELECT count("{column}") FROM "{table}"') == [(0,)], (table, column)


def test_every_instant_of_a_person_or_a_job_is_a_local_midnight_and_durations_have_one_digit(played: Played) -> None:
    columns = published(
        played.settings,
        """SELECT table_name, column_name, data_type
        FROM information_schema.columns JOIN duckdb_tables() USING (table_name)
        WHERE data_type = 'TIMESTAMP WITH TIME ZONE' OR (data_type = 'DOUBLE' AND column_name LIKE 'days%')""",
    )
    assert len(columns) > 60
    for table, column, kind in columns:
        if table in OF_SYNCS:
            continue
        local = f"\"{column}\" AT TIME ZONE 'Europe/Berlin'"
        exact = f"({local}) <> date_trunc('day', {local})"
        if kind == "DOUBLE":
            exact = f'abs("{column}" * 10 - round("{column}" * 10)) > 1e-6'
        assert published(played.settings, f'SELECT count(*) FROM "{table}" WHERE {exact}') == [(0,)], (table, column)
    bounds = "applied_at_lo <= applied_at AND applied_at <= applied_at_hi"
    assert published(played.settings, f"SELECT count(*) FROM fct_application WHERE NOT ({bounds})") == [(0,)]


def test_estimates_are_those_of_the_instants(played: Played) -> None:
    """What the marts computed from instants is published: rates and counts do not know of days."""
    with contextlib.closing(duckdb.connect(played.settings.warehouse, read_only=True)) as con:
        made = con.execute(
            "SELECT scope, bound, day, n_subjects, n_at_risk, n_events FROM recruiting.fct_survival ORDER BY ALL"
        ).fetchall()
    assert (
        published(
            played.settings, "SELECT scope, bound, day, n_subjects, n_at_risk, n_events FROM fct_survival ORDER BY ALL"
        )
        == made
    )


def test_figures_per_person_and_the_preset_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_WORKS_COUNCIL and JOIN_PIPELINE_PER_PERSON exclude"):
        settings_for("http://127.0.0.1:1", tmp_path, works_council=True, per_person=True)
