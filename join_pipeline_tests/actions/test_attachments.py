"""Attachments: listing and saving them, their ids, names and types, expired URLs, and hostile responses."""

import gzip
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from join_pipeline.actions import attachments
from join_pipeline.actions.attachments import application_attachments, candidate_attachments, save_attachments
from join_pipeline.actions.create import create_application
from join_pipeline.errors import InputError, NotFoundError, SettingsError
from join_pipeline.models.ids import Ids
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.actions.company import LETTER, PDF, TOKEN, Company, attachment
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.unit.sources.join.loopback import Answer, Asked, as_json, in_turn, serving

IDS = Ids("join:test")
HOSTILE = ("../../x.pdf", "cv\u202efdp.txt", "x" * 300 + ".pdf", "CON.pdf", "C:\\a\\b.pdf")


def written(company: Company, email: str, *names: str, content: bytes = PDF) -> int:
    """An application with documents of these names, written past the code under test."""
    body = {
        "jobId": company.job(),
        "candidate": {"email": email, "firstName": "Zoë", "lastName": "Test"},
        "source": "OTHER",
        "documents": [{"type": "OTHER", "name": name, "data": b64encode(content).decode()} for name in names],
    }
    answer = httpx.post(
        f"{company.url}/v2/applications", json=body, headers={"Authorization": TOKEN}, trust_env=False, timeout=30
    )
    number: int = answer.raise_for_status().json()["id"]
    return number


def test_an_application_shows_id_type_name_and_media_type(company: Company, email: str) -> None:
    settings = company.settings()
    created = create_application(
        settings, company.request(email, attachment("Lebenslauf ü.pdf"), attachment("b", "COVER_LETTER", LETTER))
    )
    number = created.application["remote_id"]
    first, second = application_attachments(settings, created.application["id"])
    assert (first.type, first.file_name, first.content_type) == ("CV", "Lebenslauf ü.pdf", "application/pdf")
    assert (second.type, second.file_name, second.content_type) == ("COVER_LETTER", "b.pdf", "application/pdf")
    assert first.application_id == created.application["id"]
    assert first.candidate_id == created.candidate["id"]
    assert first.id == IDS.of("attachments", first.remote_id) != second.id
    assert first.fault is None
    again = application_attachments(settings, f"remote:{number}")
    assert [one.id for one in again] == [first.id, second.id]


def test_a_candidate_shows_those_of_all_applications(company: Company, email: str) -> None:
    settings = company.settings()
    jobs = [company.job(place=0), company.job(place=1)]
    created = [
        create_application(settings, company.request(email, attachment(f"{job}.pdf"), job=f"remote:{job}"))
        for job in jobs
    ]
    known = candidate_attachments(settings, created[0].candidate["id"])  # not synced: created here
    assert [one.file_name for one in known] == [f"{job}.pdf" for job in jobs]
    assert [one.application_id for one in known] == [one.application["id"] for one in created]

    stranger = next(one for one in company.strangers() if one["attachments"])
    run_sync(settings)
    ours = candidate_attachments(settings, IDS.of("candidates", stranger["candidate"]["id"]))
    theirs = candidate_attachments(settings, f"remote:{stranger['candidate']['id']}")
    assert ours == theirs
    assert {one.application_id for one in ours} >= {IDS.of("applications", stranger["id"])}
    assert candidate_attachments(settings, created[0].candidate["id"]) != []


def test_files_are_saved_whole_and_one_by_one(company: Company, email: str, tmp_path: Path) -> None:
    settings = company.settings()
    created = create_application(
        settings, company.request(email, attachment("a.pdf"), attachment("a.pdf", "OTHER", LETTER))
    )
    saved = save_attachments(settings, tmp_path / "out", application_id=created.application["id"])
    assert [(one.path and one.path.name, one.n_bytes, one.fault) for one in saved] == [
        ("a.pdf", len(PDF), None),
        ("a-2.pdf", len(LETTER), None),
    ]
    assert [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())] == [LETTER, PDF]
    [only] = save_attachments(
        settings, tmp_path / "one", candidate_id=created.candidate["id"], attachment_id=saved[1].id
    )
    assert only.path is not None
    assert only.path.read_bytes() == LETTER
    with pytest.raises(InputError, match=r"^attachment_id: "):
        save_attachments(settings, tmp_path, application_id=created.application["id"], attachment_id="1" * 24)


def test_hostile_names_stay_in_their_folder(company: Company, email: str, tmp_path: Path) -> None:
    number = written(company, email, *HOSTILE)
    folder = tmp_path / "deep" / "er"
    saved = save_attachments(company.settings(), folder, application_id=f"remote:{number}")
    assert [one.fault for one in saved] == [None] * len(HOSTILE)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder, *_made(tmp_path, company)}
    assert sorted(path.name for path in folder.iterdir())[0] == "_CON.pdf"
    assert all(len(path.name.encode()) <= 120 and path.name.isprintable() for path in folder.iterdir())


def _made(tmp_path: Path, company: Company) -> set[Path]:
    return {path.parent for path in company.data.rglob("*") if path.is_file()}


def test_an_expired_url_is_renewed_once(tmp_path: Path, email: str) -> None:
    config = SandboxConfig(port=0, applications=50, rate_limit=None, signature_seconds=60)
    with running(config) as url:
        company = Company(url, tmp_path / "data")
        settings = company.settings()
        number = written(company, email, "cv.pdf")
        stale = company.get(f"/applications/{number}")["attachments"]
        company.move_to("2026-06-01T01:00:00Z")
        assert httpx.get(stale[0]["url"], headers={"Authorization": TOKEN}, trust_env=False).status_code == 403
        real, shown = _items_of(), [stale]

        def first_stale(*arguments: Any, **named: Any) -> Any:
            items = real(*arguments, **named)
            if not shown:
                return items
            return [_with_url(item, shown.pop()[0]["url"]) for item in items]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("join_pipeline.actions.attachments._shown", first_stale)
            [saved] = save_attachments(settings, tmp_path / "out", application_id=f"remote:{number}")
        assert (saved.fault, saved.n_bytes) == (None, len(PDF))


def _items_of() -> Callable[..., Any]:
    return attachments._shown


def _with_url(item: Any, url: str) -> Any:
    return replace(item, url=url)


def test_unknown_ids_are_told_by_their_field(company: Company, tmp_path: Path) -> None:
    settings = company.settings()
    with pytest.raises(InputError, match=r"^application_id: is known neither"):
        application_attachments(settings, "1" * 24)
    with pytest.raises(InputError, match=r"^candidate_id: has no application"):
        candidate_attachments(settings, "remote:999999")
    with pytest.raises(InputError, match=r"^application_id: remote: goes before"):
        application_attachments(settings, "remote:../jobs/1")
    with pytest.raises(NotFoundError, match="no application 999999"):
        application_attachments(settings, "remote:999999")
    with pytest.raises(InputError, match="exactly one"):
        save_attachments(settings, tmp_path)


def join_with(*urls: Any) -> Callable[[Asked], Answer]:
    """A JOIN whose one application shows these URLs."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/applications/1":
            shown = [{"type": "CV", "url": url} for url in urls]
            return as_json({"id": 1, "candidate": {"id": 2}, "attachments": shown})
        return Answer(b"%PDF-1.4 file", headers={"Content-Disposition": 'attachment; filename="/etc/passwd"'})

    return answer


def test_urls_that_lead_elsewhere_are_faults_of_their_own_file(tmp_path: Path) -> None:
    with serving(lambda _: Answer(b"inner")) as inner:
        private = f"{inner.url}/secret"
        with serving(join_with("https://", None, private, "file:///etc/passwd", "{own}/f")) as join:
            own = join.url.removesuffix("/v2")

            company = Company(own, tmp_path / "data")
            saved = save_attachments(company.settings(), tmp_path / "out", application_id="remote:1")
        assert inner.asked == []
    assert [bool(one.fault) for one in saved] == [True] * 5
    assert "private network" in str(saved[2].fault)
    assert list((tmp_path / "out").glob("*")) == []


def test_a_file_on_joins_own_host_gets_the_token_and_keeps_to_its_bound(tmp_path: Path) -> None:
    urls: list[str] = []
    with serving(lambda asked: join_with(*urls)(asked)) as join:  # noqa: PLW0108  the URLs come later
        own = join.url.removesuffix("/v2")
        urls.append(f"{own}/files/1")
        settings = Company(own, tmp_path / "data").settings()
        [saved] = save_attachments(settings, tmp_path / "out", application_id="remote:1")
        assert saved.path == tmp_path / "out" / "passwd.pdf"
        assert join.asked[-1].headers["authorization"] == TOKEN
        [large] = save_attachments(settings, tmp_path / "none", application_id="remote:1", max_bytes=5)
        assert large.fault is not None
        assert "larger than 5 bytes" in large.fault
        assert list((tmp_path / "none").glob("*")) == []


NAMED = {
    b"attachment; filename*=UTF-8''M%C3%BCller.pdf; filename=x.pdf": "Müller.pdf",
    'attachment; filename="Müller 履歴書.pdf"'.encode(): "Müller 履歴書.pdf",
    'attachment; filename="Müller.pdf"'.encode("latin-1"): "Müller.pdf",
}


@pytest.mark.parametrize("header", NAMED, ids=range(len(NAMED)))
def test_a_file_is_named_as_its_server_says_in_whatever_bytes(tmp_path: Path, header: bytes) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/applications/1":
            return as_json({"id": 1, "attachments": [{"type": "CV", "url": f"{own[0]}/files/1"}]})
        # the server writes its headers as Latin-1, so these are the bytes as they are
        return Answer(PDF, headers={"Content-Disposition": header.decode("latin-1"), "Content-Encoding": "UTF-8"})

    own: list[str] = []
    with serving(answer) as join:
        own.append(join.url.removesuffix("/v2"))
        settings = Company(own[0], tmp_path / "data").settings()
        [saved] = save_attachments(settings, tmp_path / "out", application_id="remote:1")
    assert saved.fault is None
    assert saved.path == tmp_path / "out" / NAMED[header]
    assert saved.path.read_bytes() == PDF


def files_of(*answers: Answer) -> Callable[[Asked], Answer]:
    """A JOIN whose one application has one file, which gets these answers in turn, the last one again and again."""
    following = in_turn(*answers)

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/applications/1":
            url = f"http://{asked.headers['host']}/files/cv.pdf"
            return as_json({"id": 1, "attachments": [{"type": "CV", "url": url}]})
        return following(asked)

    return answer


PAGE = Answer(b"<!-- x --> <!DOCTYPE  html><html>", headers={"Content-Type": "text/html"})
DAMAGED = Answer(gzip.compress(PDF + bytes(range(256)) * 4000)[:-9], headers={"Content-Encoding": "gzip"})
NO_FILES = (
    (Answer(b""), "of 0 bytes"),
    (PAGE, "a web page, not a file"),
    (Answer("<html>".encode("utf-16")), "a web page, not a file"),
    (Answer(b"<?xml version='1.0'?>\n<html xmlns='x'>"), "a web page, not a file"),
    (Answer(b"Please log in", headers={"Content-Type": "text/html; charset=utf-8"}), "a web page, not a file"),
    (Answer(b'{"error": "no"}', headers={"Content-Type": "application/json"}), "a web page, not a file"),
    (
        Answer(b"<Error><Code>AccessDenied</Code>", headers={"Content-Type": "application/xml"}),
        "a web page, not a file",
    ),
)


def test_a_packed_file_is_listed_and_saved_unpacked_and_a_damaged_one_is_not_saved(tmp_path: Path) -> None:
    whole = PDF + bytes(range(256)) * 4000
    packed = gzip.compress(whole)
    with serving(files_of(*[Answer(packed, headers={"Content-Encoding": "gzip"})] * 2, DAMAGED)) as join:
        settings = Company(join.url.removesuffix("/v2"), tmp_path / "data").settings()
        [listed] = application_attachments(settings, "remote:1")
        [saved] = save_attachments(settings, tmp_path / "out", application_id="remote:1")
        [damaged] = save_attachments(settings, tmp_path / "none", application_id="remote:1")
    assert listed.content_type == "application/pdf"
    assert saved.path == tmp_path / "out" / "cv.pdf"
    assert saved.path.read_bytes() == whole
    assert saved.n_bytes == len(whole)
    assert str(damaged.fault).endswith("can't be unpacked: the packed body ends too early.")
    assert list((tmp_path / "none").glob("*")) == []


@pytest.mark.parametrize(("answer", "words"), NO_FILES, ids=range(len(NO_FILES)))
def test_what_is_no_file_is_told_and_not_saved(tmp_path: Path, answer: Answer, words: str) -> None:
    with serving(files_of(answer)) as join:
        settings = Company(join.url.removesuffix("/v2"), tmp_path / "data").settings()
        [saved] = save_attachments(settings, tmp_path / "out", application_id="remote:1")
        [listed] = application_attachments(settings, "remote:1")
    assert (saved.path, saved.n_bytes) == (None, 0)
    assert words in str(saved.fault)
    assert words in str(listed.fault)
    assert list((tmp_path / "out").glob("*")) == []


def test_a_file_that_breaks_off_is_fetched_again_and_saved_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("join_pipeline.actions.download.FIRST_WAIT", 0.01)
    whole = PDF + bytes(100_000)
    with serving(files_of(Answer(status=503), Answer(whole, cut=10), Answer(whole))) as join:
        settings = Company(join.url.removesuffix("/v2"), tmp_path / "data").settings()
        [saved] = save_attachments(settings, tmp_path / "out", application_id="remote:1")
    assert (saved.fault, saved.n_bytes) == (None, len(whole))
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [whole]


@pytest.mark.parametrize("status", [401, 403])
def test_a_host_that_wants_the_token_is_told_with_the_setting_which_then_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(PDF) if asked.headers.get("authorization") == TOKEN else Answer(status=status)

    with serving(answer) as files, serving(join_with(f"{files.url}/cv.pdf")) as join:
        company = Company(join.url.removesuffix("/v2"), tmp_path / "data")
        host = httpx.URL(files.url).netloc.decode()
        [private] = save_attachments(company.settings(), tmp_path / "out", application_id="remote:1")
        assert f"JOIN_PIPELINE_TOKEN_HOSTS, as {host}" in str(private.fault)
        with monkeypatch.context() as patched:
            patched.setattr("join_pipeline.actions.download.is_public", lambda _: True)
            [refused] = save_attachments(company.settings(), tmp_path / "out", application_id="remote:1")
        assert f"answered {status}" in str(refused.fault)
        assert f"JOIN_PIPELINE_TOKEN_HOSTS, as {host}" in str(refused.fault)
        assert all("authorization" not in asked.headers for asked in files.asked)
        named = company.settings(token_hosts=f"files.example.org, http://{host}")
        [saved] = save_attachments(named, tmp_path / "out", application_id="remote:1")
    assert saved.fault is None


@pytest.mark.parametrize(
    "hosts", ["http://files.example.org", "*.example.org", "files.example.org/path", "a b@c", "[x"]
)
def test_a_host_that_can_not_get_the_token_is_refused_by_the_settings(company: Company, hosts: str) -> None:
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_TOKEN_HOSTS"):
        company.settings(token_hosts=hosts)
