"""Attachments: listing and saving them, their ids, names and types, expired URLs, and hostile responses."""

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
from join_pipeline.errors import InputError, NotFoundError
from join_pipeline.models.ids import Ids
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.actions.company import LETTER, PDF, TOKEN, Company, attachment
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.unit.sources.join.loopback import Answer, Asked, as_json, serving

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
