"""Names and contacts: in a file of their own, only while that is switched on, and always with a log line."""

import contextlib
import json
import os
import pwd
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline.errors import LakeError
from join_pipeline.pipeline import forget_people
from join_pipeline.settings import Settings
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.cli.companies import Grown


@pytest.fixture
def off(built: Grown) -> Iterator[Settings]:
    """A built company. What a test publishes of its people is withdrawn afterwards."""
    settings = built.shell.settings
    yield settings
    forget_people(settings)
    settings.audit_log.unlink(missing_ok=True)


@pytest.fixture
def on(off: Settings, built: Grown) -> Settings:
    return built.shell.but(JOIN_PIPELINE_PUBLISH_PEOPLE="true").settings


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
        return con.execute(query).fetchall()


def lines(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in settings.audit_log.read_text().splitlines()]


def test_there_is_no_such_file_unless_it_is_switched_on(off: Settings) -> None:
    assert publish(off).people is None
    assert not off.people.exists()
    assert not off.audit_log.exists()


def test_it_has_names_and_contacts_by_the_same_keys(on: Settings) -> None:
    published = publish(on)
    assert rows(on.people, "SELECT table_name FROM duckdb_tables() ORDER BY ALL") == [
        ("dim_candidate_pii",),
        ("dim_user_pii",),
    ]
    ((n, n_named, n_mailed),) = rows(
        on.people,
        "SELECT count(*), count(last_name), count(*) FILTER (email_addresses LIKE '%@%') FROM dim_candidate_pii",
    )
    assert published.people == {"dim_candidate_pii": n, "dim_user_pii": 0}
    assert n > 50
    assert (n_named, n_mailed) > (n / 2, n / 2)
    known = rows(on.published, "SELECT candidate_key FROM dim_candidate WHERE NOT is_deleted ORDER BY ALL")
    assert rows(on.people, "SELECT candidate_key FROM dim_candidate_pii ORDER BY ALL") == known
    people = rows(
        on.warehouse,
        """SELECT pseudonym, first_name, last_name FROM ats_personal.candidates AS c
        JOIN ats.pseudonyms AS p ON p.model = 'candidates' AND p.id = c.id ORDER BY ALL""",
    )
    assert rows(on.people, "SELECT candidate_key, first_name, last_name FROM dim_candidate_pii ORDER BY ALL") == people


def test_only_its_owner_reads_it_and_nobody_writes_it(on: Settings) -> None:
    publish(on)
    assert on.people.stat().st_mode & 0o777 == 0o400
    assert on.audit_log.stat().st_mode & 0o777 == 0o600


def test_each_publish_leaves_a_line_that_says_who_and_how_many_but_not_whom(on: Settings) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    published = [publish(on), publish(on)]
    for line, one in zip(lines(on), published, strict=True):
        assert before <= datetime.fromisoformat(line.pop("at")) <= datetime.now(UTC)
        assert line == {
            "user": pwd.getpwuid(os.getuid()).pw_name,
            "connection": on.connection,
            "what": "people.duckdb published",
            "rows": one.people,
        }


def test_without_its_line_nothing_is_published(on: Settings) -> None:
    on.audit_log.mkdir()
    with pytest.raises(LakeError, match=r"audit\.log can't be written .*Nothing was published"):
        publish(on)
    assert not on.people.exists()
    assert not [path for path in on.people.parent.iterdir() if path.name.startswith(".people")]
    on.audit_log.rmdir()


def test_switched_off_again_it_goes_and_that_is_noted(on: Settings, off: Settings) -> None:
    publish(on)
    publish(off)
    left = sorted(path.name for path in off.people.parent.iterdir())
    assert left == ["recruiting.duckdb", "report.html"]
    assert [line["what"] for line in lines(off)] == ["people.duckdb published", "people.duckdb removed"]
    publish(off)
    assert len(lines(off)) == 2


def test_switched_off_it_goes_even_if_the_build_fails(on: Settings, built: Grown) -> None:
    publish(on)
    broken = built.shell.but(JOIN_PIPELINE_STAGE_MILESTONE_CSV="/nowhere/stages.csv")
    assert broken("build").code == 2
    assert not on.people.exists()
