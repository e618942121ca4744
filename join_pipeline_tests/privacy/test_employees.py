"""An employee is found, shown and exported; an erasure is refused, because it would not last."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.errors import InputError
from join_pipeline.lake.lake import open_lake
from join_pipeline.people import commands
from join_pipeline.people.export_page import Language
from join_pipeline.settings import Settings
from join_pipeline.warehouse.pseudonyms import pseudonym
from join_pipeline_tests.privacy.canaries import Join, canary
from join_pipeline_tests.privacy.people import KEY, erased, settings_of, somebody, versions
from join_pipeline_tests.syncing import run_sync


@pytest.fixture(scope="module")
def settings(api: Join, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_of(api.url, tmp_path_factory.mktemp("synced") / "data")
    run_sync(settings, "full")
    return settings


@pytest.fixture(scope="module")
def employee(settings: Settings) -> tuple[str, str]:
    """Our id of the contact of a job, and the address."""
    rows = versions(open_lake(settings.lake), "jobs", "remote_id, contact_id")
    job, user = next((job, user) for job, user in rows if user is not None)
    return str(user), f"{canary('contact-mail', f'{job}.0')}@example.com"


@pytest.mark.parametrize(
    "given",
    [
        lambda one, address: address.upper(),
        lambda one, address: f"user: {address}",
        lambda one, address: one,
        lambda one, address: pseudonym(KEY.encode(), "users", one),
    ],
)
def test_an_employee_is_found_by_any_id_and_is_no_applicant(
    settings: Settings, employee: tuple[str, str], given: Callable[[str, str], str]
) -> None:
    found = commands.find(settings, [given(*employee)], pipeline.feeds_of)
    assert (found.users, found.is_known) == ({employee[0]}, False)
    assert employee[1] in found.texts


def test_an_employee_is_shown_and_exported_with_their_jobs_and_nobody_elses_address(
    settings: Settings, employee: tuple[str, str], tmp_path: Path
) -> None:
    user, address = employee
    held = commands.show(settings, [address], pipeline.feeds_of)
    assert held.users == (user,)
    assert {"raw payloads", "personal columns of the lake's versions"} <= {place.place for place in held.places}
    for language in Language:
        to = tmp_path / f"{language}.zip"
        commands.export_person(settings, [address], to, language, pipeline.feeds_of)
        with zipfile.ZipFile(to) as archive:
            document, page = json.loads(archive.read("person.json")), archive.read("person.html").decode()
        assert {row["id"] for row in document["history"]["users"]} == {user}
        assert document["history"]["contact_of"]
        for text in (json.dumps(document), page):
            assert address in text
            assert text.count("contact-mail") == text.count(address.partition("@")[0])


def test_an_erasure_is_refused_with_what_to_do_and_leaves_nothing(
    settings: Settings, employee: tuple[str, str]
) -> None:
    with pytest.raises(InputError, match=r"employee.*Delete the user in the ATS.*KEEP_OUT=users"):
        erased(settings, employee[1])
    assert not (settings.home / "people").exists()
    assert not (settings.home / "erasures.jsonl").exists()


def test_a_folder_elsewhere_is_searched_in_every_value_if_it_is_named(settings: Settings, tmp_path: Path) -> None:
    person = somebody(settings)
    theirs, plain = tmp_path / "exports" / "list.parquet", tmp_path / "note.txt"
    theirs.parent.mkdir()
    pq.write_table(pa.table({"address": [person.address] * 9}), theirs, compression="zstd")
    plain.write_text("nothing of anybody")
    given = [person.address]

    def found(*also: Path) -> set[str]:
        hits = commands.verify(settings, given, pipeline.feeds_of, also=also).hits
        return {hit.path for hit in hits if hit.place == "named with --also"}

    assert found() == set()
    assert found(theirs.parent, plain) == found(theirs) == {str(theirs)}
    places = {place.place: place for place in commands.show(settings, given, pipeline.feeds_of, also=[tmp_path]).places}
    assert places["named with --also"].files == (str(theirs),)
    assert places["named with --also"].erase == "not reached"
    with pytest.raises(InputError, match="is not there"):
        found(tmp_path / "nowhere")
