"""Foreign file names: every file is saved in its folder, under a name that every system accepts."""

import errno
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.actions.file_names import MAX_BYTES, new_file, safe_name
from join_pipeline.actions.media_types import contradicts, file_extension, media_type, sniff
from join_pipeline.actions.request import BIDI
from join_pipeline.errors import LakeError

NAMES = {
    "cv.pdf": "cv.pdf",
    "Lebenslauf Zoë Müller.pdf": "Lebenslauf Zoë Müller.pdf",
    "履歴書.pdf": "履歴書.pdf",
    "../../x": "x",
    "..\\..\\x.pdf": "x.pdf",
    "/etc/passwd": "passwd",
    "C:\\Users\\me\\cv.pdf": "cv.pdf",
    "..": "file",
    ".": "file",
    "": "file",
    "   ": "file",
    ".bashrc": "bashrc",
    "cv.pdf\x00.exe": "cv.pdf.exe",
    "cv\r\nSet-Cookie: a.pdf": "cvSet-Cookie_ a.pdf",
    "cv\u202efdp.exe": "cvfdp.exe",
    "\u200fcv\u200e.pdf": "cv.pdf",
    "CON": "_CON",
    "con.pdf": "_con.pdf",
    "Lpt1.tar.gz": "_Lpt1.tar.gz",
    "COM¹.txt": "_COM¹.txt",
    "nul ": "_nul",
    "a<b>c:d|e?f*g.pdf": "a_b_c_d_e_f_g.pdf",
    "cv.pdf. . .": "cv.pdf",
    "cv\ud800.pdf": "cv.pdf",
    "e\u0301.pdf": "é.pdf",
    "x" * 300 + ".pdf": "x" * (MAX_BYTES - 4) + ".pdf",
    "ü" * 300: "ü" * (MAX_BYTES // 2),
    "a." + "b" * 300: "a." + "b" * (MAX_BYTES - 2),
}


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_made_safe_and_stays_as_like_as_it_can(name: str) -> None:
    assert safe_name(name) == NAMES[name]


@given(st.text(max_size=400))
def test_any_name_is_one_plain_file_on_every_system(name: str) -> None:
    safe = safe_name(name)
    assert PurePosixPath(safe).name == PureWindowsPath(safe).name == safe
    assert not PureWindowsPath(safe).is_reserved()
    assert 0 < len(safe.encode()) <= MAX_BYTES
    assert safe.isprintable()
    assert not BIDI & set(safe)
    assert safe[0] != "."
    assert safe == unicodedata.normalize("NFC", safe)
    assert safe_name(safe) == safe


def save(folder: Path, name: str, content: bytes = b"x") -> Path:
    with new_file(folder, name) as (file, placed):
        file.write(content)
    return placed[0]


def test_nothing_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.pdf"
    outside.write_bytes(b"mine")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "cv.pdf").symlink_to(outside)
    assert [save(folder, "../cv.pdf", content).name for content in (b"1", b"2")] == ["cv-2.pdf", "cv-3.pdf"]
    assert outside.read_bytes() == b"mine"
    assert (folder / "cv-2.pdf").read_bytes() == b"1"
    assert oct((folder / "cv-2.pdf").stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("code", ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES", "EINVAL", "EXDEV"])
def test_a_file_system_without_hard_links_takes_files_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """exFAT and SMB have none, and each driver says so in its own way."""

    def link(*_: object, **__: object) -> None:
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    assert [save(tmp_path, "cv.pdf", content).name for content in (b"1", b"2", b"3")] == [
        "cv.pdf",
        "cv-2.pdf",
        "cv-3.pdf",
    ]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"2", b"3", b"1"]


def test_a_file_without_hard_links_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(LakeError, match="Nothing could be saved"):
        save(tmp_path, "cv.pdf")
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_without_hard_links_have_a_file_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda number: save(tmp_path, "cv.pdf", str(number).encode()), range(40)))
    assert len(set(paths)) == 40
    assert [path.read_text() for path in paths] == [str(number) for number in range(40)]


def test_what_ends_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    def cut_off() -> None:
        with new_file(tmp_path, "cv.pdf") as (file, _):
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeError):
        save(tmp_path / "file", "cv.pdf")


@pytest.mark.parametrize(
    ("beginning", "told", "name", "kind"),
    [
        (b"%PDF-1.7", "application/octet-stream", "x", "application/pdf"),
        (b"%PDF-1.7", "image/png", "x.png", "application/pdf"),
        (b"PK\x03\x04..", None, "cv.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04..", None, "cv.pdf", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None, "cv.doc", "application/msword"),
        (b"\xff\xd8\xff\xe0", None, "", "image/jpeg"),
        (b"RIFF....WEBP", None, "", "image/webp"),
        (b"\n <!DOCTYPE HTML>", "application/pdf", "cv.pdf", "text/html"),
        ("Grüezi".encode(), None, "", "text/plain"),
        ("Grüezi".encode()[:3], None, "", "text/plain"),
        (b"\x00\x01\x02", None, "", "application/octet-stream"),
        (b"\x00\x01\x02", "Video/MP4; codecs=x", "", "video/mp4"),
    ],
)
def test_a_media_type_is_told_by_bytes_then_by_the_sender_then_by_the_name(
    beginning: bytes, told: str | None, name: str, kind: str
) -> None:
    assert media_type(beginning, told, name) == kind


def test_bytes_contradict_only_what_they_can_not_be() -> None:
    assert contradicts(b"%PDF-1.4", "image/png")
    assert not contradicts(b"%PDF-1.4", "application/pdf; name=cv.pdf")
    assert not contradicts(b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    assert not contradicts(b"hello", "application/pdf")  # nothing tells
    assert sniff(b"hello") is None
    assert (file_extension("application/pdf"), file_extension("nobody/knows")) == (".pdf", ".bin")
