"""Creating at JOIN: what is written and returned, and what is rejected before anything is sent."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline.actions import send
from join_pipeline.actions.create import create_application, create_candidate
from join_pipeline.actions.request import GivenSource
from join_pipeline.actions.written_source import source_table, written_source
from join_pipeline.errors import AlreadyAppliedError, InputError, JobClosedError, PermanentError, SettingsError
from join_pipeline.lake.sql import files_literal
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline_tests.actions.company import LETTER, PDF, Company, attachment, hashes, no_sleep
from join_pipeline_tests.syncing import run_sync

IDS = Ids("join:test")
TEN_MB = 10 * 2**20


def test_a_created_application_comes_in_the_next_sync_with_the_same_ids(company: Company, email: str) -> None:
    settings = company.settings()
    created = create_application(settings, company.request(email, attachment(), attachment("b.pdf", "OTHER", LETTER)))
    [shown] = company.applications(email)
    assert company.files(shown) == hashes(PDF, LETTER)
    assert [item["type"] for item in shown["attachments"]] == ["CV", "OTHER"]
    assert created.application["remote_id"] == str(shown["id"])
    assert list(created.application) == [column.name for column in MODELS["applications"].columns]
    assert list(created.candidate) == [column.name for column in MODELS["candidates"].columns]
    assert created.application["id"] == IDS.of("applications", shown["id"])
    assert (
        created.candidate["id"] == created.application["candidate_id"] == IDS.of("candidates", shown["candidate"]["id"])
    )
    assert created.candidate["email_addresses"] == [{"email_address": email, "type": None}]
    assert created.application["outcome"] == "PENDING"
    assert created.warnings == []
    assert not company.kept()

    record = run_sync(settings)
    for model, row in (("applications", created.application), ("candidates", created.candidate)):
        files = files_literal([str(settings.lake / file.path) for file in record.files.models[model]])
        query = f"SELECT remote_id FROM read_parquet({files}) WHERE id = ?"
        assert duckdb.execute(query, [row["id"]]).fetchall() == [(row["remote_id"],)]


def test_a_candidate_is_answered_with_the_application_that_brought_it(company: Company, email: str) -> None:
    answer = create_candidate(company.settings(), company.request(email))
    assert answer["candidate"]["first_name"] == "Zoë"
    [application] = answer["candidate"]["applications"]
    assert application["candidate_id"] == answer["candidate"]["id"]
    assert len(company.applications(email)) == 1


def test_the_job_is_named_by_our_id_or_by_joins(company: Company, email: str) -> None:
    job = company.job("OFFLINE")  # not advertised, still hired for
    ours = create_application(company.settings(), company.request(email, job=IDS.of("jobs", job)))
    theirs = create_application(company.settings(), company.request(f"x.{email}", job=f"remote:{job}"))
    assert ours.application["job_id"] == theirs.application["job_id"] == IDS.of("jobs", job)


def test_what_join_has_no_place_for_is_told(company: Company, email: str) -> None:
    asked = company.request(email, screening_question_answers=[{"question_id": "q", "answer": "yes"}], stage_id=None)
    asked["candidate"] |= {"gender": "FEMALE", "phone_number": "+41 44 123 45 67"}
    created = create_application(company.settings(), asked)
    assert created.warnings == [
        "screening_question_answers is not written: JOIN has no place for it",
        "candidate.gender is not written: JOIN has no place for it",
    ]
    assert created.candidate["phone_numbers"] == [{"phone_number": "+41 44 123 45 67", "type": None}]


def test_a_candidate_that_join_knows_keeps_its_name_and_that_is_told(company: Company, email: str) -> None:
    known = next(one for one in company.strangers() if one["job"]["id"] != company.job())
    asked = company.request(known["candidate"]["email"])
    created = create_application(company.settings(), asked)
    assert created.candidate["remote_id"] == str(known["candidate"]["id"])
    assert created.candidate["first_name"] == known["candidate"]["firstName"]
    assert any("another name" in warning for warning in created.warnings)


def test_the_same_request_twice_creates_once_and_answers_the_same(company: Company, email: str) -> None:
    asked = company.request(email, attachment())
    first, again = (create_application(company.settings(), asked) for _ in range(2))
    assert len(company.applications(email)) == 1
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.application == first.application
    assert again.warnings == ["it was created before, by the same request; nothing was sent"]


def test_another_request_for_the_same_person_and_job_is_told_what_is_there(company: Company, email: str) -> None:
    first = create_application(company.settings(), company.request(email))
    with pytest.raises(AlreadyAppliedError) as caught:
        create_application(company.settings(), company.request(email.upper(), attachment()))
    assert caught.value.application_id == first.application["id"]
    assert caught.value.remote_id == first.application["remote_id"]
    assert email not in str(caught.value)
    assert len(company.applications(email)) == 1


def test_an_application_that_somebody_else_made_is_found_and_named(company: Company) -> None:
    online = {job["id"] for job in company.get("/jobs", status="ONLINE")}
    there = next(one for one in company.strangers() if one["job"]["id"] in online)
    asked = company.request(there["candidate"]["email"], attachment(), job=f"remote:{there['job']['id']}")
    with pytest.raises(AlreadyAppliedError) as caught:
        create_application(company.settings(), asked)
    assert caught.value.application_id == IDS.of("applications", there["id"])
    assert there["candidate"]["email"] not in str(caught.value)
    assert not company.kept()


def test_what_was_created_before_the_journal_was_lost_is_not_created_again(company: Company, email: str) -> None:
    created = create_application(company.settings(), company.request(email))
    elsewhere = company.settings(data=company.data.parent / "elsewhere")
    with pytest.raises(AlreadyAppliedError) as caught:
        create_application(elsewhere, company.request(email))
    assert caught.value.application_id == created.application["id"]
    assert len(company.applications(email)) == 1


def test_a_key_tells_requests_apart_and_is_not_used_twice(company: Company, email: str) -> None:
    settings = company.settings()
    create_application(settings, company.request(email), key="order 1")
    assert create_application(settings, company.request(email), key="order 1").is_replay
    with pytest.raises(InputError, match=r"^key: was used for another request"):
        create_application(settings, company.request(f"other.{email}"), key="order 1")
    assert not company.applications(f"other.{email}")
    create_application(settings, company.request(f"other.{email}"), key="order 2")


def test_what_was_withdrawn_is_not_created_again(company: Company, email: str) -> None:
    asked = company.request(email)
    created = create_application(company.settings(), asked)
    company.move_to("2026-05-31T00:00:00Z")  # before it came
    try:
        with pytest.raises(PermanentError, match="not created a second time"):
            create_application(company.settings(), asked)
    finally:
        company.move_to("2026-06-01T00:00:00Z")
    assert [str(one["id"]) for one in company.applications(email)] == [created.application["remote_id"]]


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "candidate: is missing": ("", {"candidate": None}),
    "candidate.email_address: is missing": ("candidate", {"email_address": None}),
    "candidate.email_address: is no e-mail address": ("candidate", {"email_address": "zoe(at)example.org"}),
    "candidate.email_address: must be a text": ("candidate", {"email_address": ["zoe@example.org"]}),
    "candidate.first_name: must be a text": ("candidate", {"first_name": "  "}),
    "candidate.last_name: has control characters": ("candidate", {"last_name": "Te\x00st"}),
    "candidate.first_name: is longer": ("candidate", {"first_name": "Z" * 300}),
    "candidate.phone_number: JOIN takes": ("candidate", {"phone_number": "044 123"}),
    "candidate.firstname: known is": ("candidate", {"firstname": "Zoë"}),
    "application: is missing": ("", {"application": None}),
    "application.job_id: is missing": ("application", {"job_id": None}),
    "application.job_id: names no job": ("application", {"job_id": "remote:999999"}),
    "application.job_id: names no job of": ("application", {"job_id": "1" * 24}),
    "application.job_id: remote: goes before": ("application", {"job_id": "remote:../jobs"}),
    "attachments: must be a list": ("", {"attachments": {}}),
    "attachments[0]: needs exactly one": ("", {"attachments": [attachment(data_url="https://example.org/cv")]}),
    "attachments[0]: needs exactly one of": ("", {"attachments": [{"name": "cv.pdf", "type": "CV"}]}),
    "attachments[0].type: must be one of CV": ("", {"attachments": [attachment(kind="PASSPORT")]}),
    "attachments[0].name: is missing": ("", {"attachments": [attachment(name=None)]}),
    "attachments[0].name: must be a file name": ("", {"attachments": [attachment(name="../../x")]}),
    "attachments[0].name: has control": ("", {"attachments": [attachment(name="cv\x00.pdf")]}),
    "attachments[0].name: is longer": ("", {"attachments": [attachment(name="c" * 300)]}),
    "attachments[0].name: must be a file name, without": ("", {"attachments": [attachment(name="cv\u202efdp.exe")]}),
    "attachments[0].data: is not base64": ("", {"attachments": [attachment(data="no base64!")]}),
    "attachments[0].data: holds nothing": ("", {"attachments": [attachment(content=b"")]}),
    "attachments[0].content_type: is no media type": ("", {"attachments": [attachment(content_type="PDF")]}),
    "attachments[0].content_type: is not what": ("", {"attachments": [attachment(content_type="image/png")]}),
    "attachments[0].data: is a web page": ("", {"attachments": [attachment(content=b"<!DOCTYPE html><p>Log in")]}),
    "attachments[1].data: all attachments together": (
        "",
        {"attachments": [attachment(), attachment("b.pdf", "OTHER", PDF + b"x" * (TEN_MB - 20))]},
    ),
    "attachments[0].data_url: must begin with https": (
        "",
        {"attachments": [{"name": "cv.pdf", "type": "CV", "data_url": "file:///etc/passwd"}]},
    ),
    "source: must be an object": ("", {"source": "LinkedIn"}),
    "source.nme: known is": ("source", {"nme": "LinkedIn"}),
    "surname: known is": ("", {"surname": "x"}),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_bad_request_is_refused_by_its_field_and_nothing_is_sent(company: Company, email: str, fault: str) -> None:
    part, changes = REFUSED[fault]
    asked = company.request(email)
    if part:
        asked[part] = {**asked.get(part, {}), **changes}
    else:
        asked |= changes
    with pytest.raises(InputError) as caught:
        create_application(company.settings(), asked)
    assert str(caught.value).startswith(fault), str(caught.value)
    assert caught.value.field == fault.partition(": ")[0]
    assert email not in str(caught.value)
    assert not company.applications(email)
    assert not company.kept()


def test_ten_megabytes_are_taken(company: Company, email: str) -> None:
    content = PDF + bytes(TEN_MB - len(PDF))
    assert create_application(company.settings(), company.request(email, attachment(content=content))).warnings == []
    [shown] = company.applications(email)
    assert company.files(shown) == hashes(content)


@pytest.mark.parametrize("status", ["ARCHIVED", "DRAFT"])
def test_a_closed_job_is_refused_with_its_own_error(company: Company, email: str, status: str) -> None:
    with pytest.raises(JobClosedError, match=r"^application\.job_id: the job is "):
        create_application(company.settings(), company.request(email, job=f"remote:{company.job(status)}"))


def test_what_join_refuses_itself_leaves_nothing_kept(
    company: Company, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = company.request(email, attachment(), attachment("b.pdf", "OTHER"))
    with monkeypatch.context() as patched:
        patched.setattr(send, "request_body", partial(_refused_body, send.request_body))
        with pytest.raises(PermanentError, match="422"):
            create_application(company.settings(), asked)
    assert not company.applications(email)
    assert not company.kept()
    assert not create_application(company.settings(), company.request(email)).is_replay


def _refused_body(request_body: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    return {**request_body(*arguments), "source": "nonsense"}


SOURCES = {
    "none and no platform": (None, None, "Other", []),
    "the platform": (
        None,
        "LinkedIn",
        "Social media",
        ["source: JOIN takes no free text as source: it is SOCIAL_MEDIA"],
    ),
    "the call's own": (
        {"name": "StepStone"},
        "LinkedIn",
        "Job boards",
        ["source: JOIN takes no free text as source: it is JOB_BOARDS"],
    ),
    "JOIN's own word": ({"id": "EVENTS"}, None, "Events", []),
    "a unified key": (
        {"unified_key": "agency"},
        None,
        "Agency",
        [],
    ),
    "one that no table has": (
        {"name": "Acme Talents"},
        None,
        "Other",
        ["source: the source is in no table, so it is written as OTHER; name it in JOIN_PIPELINE_WRITTEN_SOURCE_CSV"],
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_is_written_and_read_back(company: Company, email: str, name: str) -> None:
    given, platform, shown, warnings = SOURCES[name]
    changes = {} if given is None else {"source": given}
    created = create_application(company.settings(platform=platform), company.request(email, **changes))
    assert company.applications(email)[0]["source"]["product"] == created.application["source"] == shown
    assert created.warnings == warnings


def test_a_table_of_ones_own_comes_first_and_is_checked(company: Company, email: str) -> None:
    own = company.data.parent / "own.csv"
    own.write_text("name,source\nAcme Talents,referrals\nLinkedIn,AGENCY\n")
    settings = company.settings(written_source_csv=own, platform="acme-talents")
    assert create_application(settings, company.request(email)).application["source"] == "Referral"
    own.write_text("name,source\nAcme,Friends\n")
    with pytest.raises(SettingsError, match="line 2, column source: 'Friends' is not one of ORGANIC"):
        create_application(settings, company.request(f"x.{email}"))


@pytest.mark.parametrize(
    "content",
    [
        "name;source\nİşe Alım Portalı;REFERRALS\n".encode("utf-8-sig"),
        "name\tsource\nİŞE ALIM PORTALI\treferrals\n".encode("utf-16"),
        'SOURCE,Note, Name \nReferrals,,"işe-alım portalı"\n'.encode(),
    ],
)
def test_a_table_of_ones_own_is_read_as_spreadsheets_write_it(tmp_path: Path, content: bytes) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(content)
    given = GivenSource(name="İşe Alım Portalı")
    assert written_source(given, None, source_table(own)).word == "REFERRALS"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,source\nA,OTHER\nB\xfcro,OTHER\n", "line 3: not UTF-8"),
        (b"name,source\nA,OTHER\n" + b"x" * 200_000 + b",OTHER\n", "line 3: a cell has more than"),
        (b"name,source\nA,OTHER\na,AGENCY\n", "line 3, column name: the same name as in line 2"),
        (b"name,source\nA-B,OTHER\nA B,AGENCY\n", "line 3: another row gives the same name another source"),
        (b"name,source\n,OTHER\n", "line 2, column name: needs 1 to"),
        (b"name,sauce\nA,OTHER\n", "line 1: needs the columns name and source"),
    ],
)
def test_a_fault_of_ones_own_table_is_told_by_its_line(tmp_path: Path, content: bytes, words: str) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        source_table(own)
    assert str(caught.value).startswith(f"JOIN_PIPELINE_WRITTEN_SOURCE_CSV: {own}, {words}")


def test_the_journal_holds_no_word_of_a_person(company: Company, email: str) -> None:
    settings = company.settings(platform="Acme Talents")
    create_application(settings, company.request(email, attachment("cv of Zoë.pdf")), key=f"key of {email}")
    stored = b"".join(path.read_bytes() for path in settings.actions.rglob("*") if path.is_file())
    for word in (email, email.partition("@")[0], "Zoë", "Test", "cv of", PDF.decode(), b64encode(PDF).decode()):
        assert word.encode() not in stored, word
    assert b"Acme Talents" in stored  # the source's name, which JOIN does not take
    assert {oct(path.stat().st_mode & 0o777) for path in settings.actions.rglob("*") if path.is_file()} == {"0o600"}
    assert oct(settings.actions.stat().st_mode & 0o777) == "0o700"


def test_times_are_joins_and_what_only_a_sync_can_know_is_null(company: Company, email: str) -> None:
    created = create_application(company.settings(), company.request(email), key=None, sleep=no_sleep)
    assert created.application["remote_created_at"] == datetime(2026, 6, 1, tzinfo=UTC)
    assert created.application["changed_at"] is None
