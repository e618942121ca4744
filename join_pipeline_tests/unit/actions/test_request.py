"""A request's fields: which ones are rejected and how they are named, and the key of equal requests."""

import traceback
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.actions.documents import Document
from join_pipeline.actions.journal import Journal, Kept
from join_pipeline.actions.request import read_request
from join_pipeline.errors import InputError

PERSON = {"first_name": " Zoë ", "last_name": "Test", "email_address": "zoe@example.org"}
CV = {"name": "cv.pdf", "type": "CV", "data": "eA=="}


def request(**changes: Any) -> dict[str, Any]:
    return {"candidate": PERSON, "application": {"job_id": "remote:1"}, **changes}


def test_the_text_that_a_request_is_recognised_by_stays_as_journals_have_it() -> None:
    """Its digest is on users' disks: another text would make a repeated request a different one."""
    person = {**PERSON, "phone_number": "+41 44 123 45 67", "title": "Dr.", "gender": "FEMALE", "company": None}
    asked = request(
        candidate=person, remote_fields={"a": 1}, gdpr_consent={}, attachments=[CV], source={"name": "LinkedIn"}
    )
    assert read_request(asked).canonical() == (
        '{"candidate":{"first_name":"Zoë","last_name":"Test","email_address":"zoe@example.org",'
        '"phone_number":"+41 44 123 45 67"},"job_id":"remote:1",'
        '"attachments":[{"name":"cv.pdf","type":"CV","data":"eA==","data_url":null,"content_type":null}],'
        '"source":{"name":"LinkedIn","unified_key":null,"id":null},'
        '"not_written":["remote_fields","gdpr_consent","candidate.title","candidate.gender"]}'
    )


def test_what_an_earlier_release_kept_can_be_sent(tmp_path: Any) -> None:
    journal = Journal(tmp_path, b"secret")
    document = {"type": "CV", "name": "cv.pdf", "content": b"x"}
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "key").write_bytes(
        msgspec.msgpack.encode(
            {
                "job": "1",
                "person": {**PERSON, "first_name": "Zoë", "phone_number": None},
                "source": "OTHER",
                "documents": [document],
                "unsent": [0],
            }
        )
    )
    expected = Kept(
        job="1",
        person=read_request(request()).candidate,
        source="OTHER",
        documents=[Document(type="CV", name="cv.pdf", content=b"x")],
        unsent=[0],
    )
    assert journal.kept("key") == expected
    journal.keep("again", expected)
    assert (tmp_path / "kept" / "again").read_bytes() == (tmp_path / "kept" / "key").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidate": {**PERSON, "first_name": 5}}, "candidate.first_name: must be a text"),
        ({"candidate": {**PERSON, "first_name": b"x"}}, "candidate.first_name: must be a text"),
        ({"candidate": {**PERSON, "first_name": "\ud800"}}, "candidate.first_name: is no text"),
        ({"candidate": []}, "candidate: must be an object"),
        ({"candidate": {"firstname": "Z"}}, "candidate.firstname: known is: email_address, first_name, last_name"),
        ({"surname": None}, "surname: known is: application, attachments, candidate, source"),
        ({"Zoë Test": 1}, "request: known is: application"),
        ({"application": {"job_id": "1", "zoe@example.org": 1}}, "application: known is: job_id"),
        ({"attachments": [{**CV, "Zoë Test": 1}]}, "attachments[0]: known is: content_type, data, data_url"),
        ({"attachments": [CV, "cv.pdf"]}, "attachments[1]: must be an object"),
        ({"attachments": "cv.pdf"}, "attachments: must be a list"),
        ({"attachments": [{**CV, "data": 5}]}, "attachments[0].data: must be a text"),
        ({"attachments": [{**CV, "data": "\ud800"}]}, "attachments[0].data: is no text"),
        ({"attachments": [{**CV, "type": ["CV"]}]}, "attachments[0].type: must be one of CV, COVER_LETTER"),
        (
            {"attachments": [{"name": "a", "type": "CV", "data_url": "u" * 8193}]},
            "attachments[0].data_url: is longer than 8192 characters",
        ),
    ],
)
def test_a_fault_has_its_fields_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(request(**changes))
    assert str(caught.value).startswith(message)
    assert caught.value.field == message.partition(": ")[0]


def test_no_value_is_in_the_error_nor_in_what_python_prints_of_it() -> None:
    secret = "somebody-nobody-should-read"
    for changes in (
        {"candidate": {**PERSON, "email_address": secret}},
        {"candidate": {**PERSON, "phone_number": secret}},
        {"candidate": secret},
        {"attachments": [{**CV, "type": secret}]},
        {"attachments": secret},
        {"source": {secret: 1}},
    ):
        with pytest.raises(InputError) as caught:
            read_request(request(**changes))
        assert secret not in "".join(traceback.format_exception(caught.value))
        if "source" not in changes:  # there it is a name, and pydantic has names in its own errors
            assert secret not in str(caught.value.__context__)


def test_null_counts_as_left_out() -> None:
    asked = request(attachments=None, source=None, stage_id=None)
    assert read_request(asked) == read_request(request())
    assert read_request(asked).not_written == ()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_name_is_refused_for_control_characters_alone(name: str) -> None:
    """People's names have blanks that do not break, joiners that do not show, and letters newer than this Python."""
    text = f"a{name}a"
    asked = {"candidate": {**PERSON, "last_name": text}, "application": {"job_id": "1"}}
    if any(unicodedata.category(letter) == "Cc" for letter in name):
        with pytest.raises(InputError, match="last_name: has control characters"):
            read_request(asked)
    else:
        assert read_request(asked).candidate.last_name == text


@pytest.mark.parametrize(
    "name", ["Ana\u00a0Maria", "\u0645\u06cc\u200c\u062e", "山田\u3000太郎", "x\u2028y", "\U0001fae9"]
)
def test_a_name_as_people_write_it_is_taken(name: str) -> None:
    files = [{"name": f"{name}.pdf", "type": "CV", "data": "eA=="}]
    asked = {"candidate": {**PERSON, "first_name": name}, "application": {"job_id": "1"}, "attachments": files}
    request = read_request(asked)
    assert (request.candidate.first_name, request.attachments[0].name) == (name, f"{name}.pdf")
