"""The file name in a Content-Disposition header, in each form that servers write."""

from email.header import Header
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.actions.content_disposition import file_name

NAMES = {
    b'attachment; filename="cv.pdf"': "cv.pdf",
    b"attachment; filename=cv.pdf": "cv.pdf",
    b"attachment;filename=my cv.pdf ": "my cv.pdf",
    b'ATTACHMENT; FileName = "cv.pdf" ; size=3': "cv.pdf",
    b'filename="cv.pdf"': "cv.pdf",
    b'attachment; filename="a;b.pdf"; size=3': "a;b.pdf",
    b'attachment; filename="a \\"b\\".pdf"': 'a "b".pdf',
    b'attachment; filename="C:\\a\\b.pdf"': "C:\\a\\b.pdf",
    b'attachment; filename="cv.pdf': "cv.pdf",
    'attachment; filename="Müller 履歴書.pdf"'.encode(): "Müller 履歴書.pdf",
    "attachment; filename=Müller.pdf".encode(): "Müller.pdf",
    'attachment; filename="Müller.pdf"'.encode("latin-1"): "Müller.pdf",
    'attachment; filename="Müller – €.pdf"'.encode("windows-1252"): "Müller – €.pdf",
    b"attachment; filename*=UTF-8''M%C3%BCller.pdf; filename=\"x.pdf\"": "Müller.pdf",
    b"attachment; filename=\"x.pdf\"; filename*=UTF-8''M%C3%BCller.pdf": "Müller.pdf",
    b"attachment; filename*=utf-8'de'M%c3%bcller.pdf": "Müller.pdf",
    b"attachment; filename*=ISO-8859-1''M%FCller.pdf": "Müller.pdf",
    b"attachment; filename*=UTF-8''M%FCller.pdf": "Müller.pdf",
    b"attachment; filename*=nobody-knows''M%C3%BCller.pdf": "Müller.pdf",
    b"attachment; filename*=\"UTF-8''M%C3%BCller.pdf\"": "Müller.pdf",
    b"attachment; filename*=cv.pdf": "cv.pdf",
    b"attachment; filename*=UTF-8''; filename=cv.pdf": "cv.pdf",
    b'attachment; filename="M%C3%BCller%20cv.pdf"': "Müller cv.pdf",
    b'attachment; filename="100%.pdf"': "100%.pdf",
    b'attachment; filename="100%FF.pdf"': "100%FF.pdf",
    b'attachment; filename="=?UTF-8?B?TcO8bGxlci5wZGY=?="': "Müller.pdf",
    b'attachment; filename="=?utf-8?q?M=C3=BCller.pdf?="': "Müller.pdf",
    b'attachment; filename*1="b.pdf"; filename*0="a"': "ab.pdf",
    b"attachment; filename*0*=UTF-8''%C3%BC; filename*1=\"100%25.pdf\"": "ü100%25.pdf",
    b'attachment; name="filename=evil"; filename=cv.pdf': "cv.pdf",
    b"attachment": None,
    b"inline; filename=": None,
    b'attachment; filename=""': None,
    b"": None,
}


@pytest.mark.parametrize("header", NAMES, ids=range(len(NAMES)))
def test_a_name_is_read_as_the_server_meant_it(header: bytes) -> None:
    assert file_name(header) == NAMES[header]


@given(st.binary(max_size=200), st.sampled_from([b"", b"attachment; filename=", b"a; filename*=", b"a; filename*0*="]))
def test_no_header_is_an_error(header: bytes, beginning: bytes) -> None:
    assert file_name(beginning + header) != ""


names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).map(str.strip).filter(bool)


@given(names, st.booleans())
def test_any_name_survives_percent_encoding_beside_a_plain_one(name: str, is_first: bool) -> None:
    parts = ["filename=x.pdf", f"filename*=UTF-8''{quote(name, safe='')}"]
    header = "; ".join(["attachment", *(reversed(parts) if is_first else parts)])
    assert file_name(header.encode()) == name


@given(names.filter(lambda name: "%" not in name and not name.startswith("=?")))
def test_any_name_survives_quotes_and_its_own_bytes(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert file_name(f'attachment; filename="{quoted}"'.encode()) == name


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_any_name_survives_an_encoded_word(name: str) -> None:
    word = Header(name, "utf-8", maxlinelen=10_000).encode()
    assert file_name(f'attachment; filename="{word}"'.encode()) == name
