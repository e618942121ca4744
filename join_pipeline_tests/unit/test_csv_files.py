"""Files that a user writes: every usual encoding and separator is read, and every fault is told by its line."""

import codecs
import unicodedata

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.csv_files import LONGEST_NAME, csv_rows, decoded, name_key, named_words
from join_pipeline.errors import SettingsError
from join_pipeline.transform.run import project_dir

WORDS = ("OFFER", "HIRED")
COLUMNS = ("name", "source")
EQUAL = (
    ("İşe Alındı", "işe alındı"),
    ("İşe Alındı", "İŞE ALINDI"),
    ("İşe Alındı", "İşe Alındı".lower()),
    ("ΤΕΛΙΚΟΣ", "τελικος"),
    ("ΤΕΛΙΚΟΣ", "τελικοσ"),
    ("Straße", "STRASSE"),
    ("Straße", "STRAẞE"),
    ("Erstgespräch", unicodedata.normalize("NFD", "ERSTGESPRÄCH")),
    ("Việt", unicodedata.normalize("NFD", "VIỆT")),
    ("ǆ", "ǅ"),
    ("Zweites\u00a0Gespräch\u3000", " zweites  gespräch"),
    ("Ꭰ", "ꭰ"),
)


def macro() -> str:
    """The SQL of dbt's macro `name_key` for the column `s`."""
    text = (project_dir() / "macros" / "name_key.sql").read_text()
    body = text.partition("{% macro name_key(text) -%}")[2].partition("{%- endmacro %}")[0]
    return body.replace("{{ text }}", "s")


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_names_are_the_same_in_any_case_and_composition(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_python_and_dbt_write_every_letter_alike() -> None:
    letters = [chr(number) for number in range(1, 0x110000) if not 0xD800 <= number < 0xE000]
    rows = duckdb.execute(f"SELECT s, {macro()} FROM (SELECT unnest($1) AS s)", [letters]).fetchall()
    assert len(rows) == len(letters)
    assert [(letter, key) for letter, key in rows if key != name_key(letter)] == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=50))
@settings(max_examples=60, deadline=None)
def test_python_and_dbt_write_every_name_alike(names: list[str]) -> None:
    rows = duckdb.execute(f"SELECT s, {macro()} FROM (SELECT unnest($1) AS s)", [names]).fetchall()
    for name, key in rows:
        assert key == name_key(name)
        assert name_key(key) == key


names = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), min_size=1, max_size=20
).filter(lambda text: bool(name_key(text)))


@given(
    st.lists(st.tuples(names, st.sampled_from(WORDS)), max_size=8, unique_by=lambda row: name_key(row[0])),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["name", "Name ", ' "NAME"']),
    st.sampled_from(["", "\n", "sep=@\n"]),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_each_dialect_is_read(
    rows: list[tuple[str, str]], mark: str, encoding: str, end: str, header: str, before: str, has_more: bool
) -> None:
    more = mark * 2 if has_more else ""
    quoted = ['"' + name.replace('"', '""') + f'"{mark} {word.lower()} {more}' for name, word in rows]
    text = before.replace("@", mark).replace("\n", end)
    text += end.join([f"{header}{mark}Source{more}", "", *quoted, f"{mark}{more}", ""])
    read = named_words(decoded(text.encode(encoding), "f.csv"), COLUMNS, WORDS, "f.csv")
    assert [(name, word) for _, name, word in read] == [(name.strip(), word) for name, word in rows]


@given(st.binary(max_size=200), st.sampled_from([b"", b"name,source\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE]))
@settings(max_examples=300, deadline=None)
def test_no_content_is_more_than_an_error_of_settings(content: bytes, beginning: bytes) -> None:
    told = ""
    try:
        list(named_words(decoded(beginning + content, "f.csv"), COLUMNS, WORDS, "f.csv"))
    except SettingsError as error:
        told = str(error)
    assert told == "" or told.startswith("f.csv, line ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,source\nX,OFFER\nB\xfcro,HIRED\n", "line 3: not UTF-8. Save it as CSV UTF-8"),
        ("name,source\nX,OFFER\nBüro,HIRED\n".encode("utf-16")[:-1], "line 3: not UTF-16"),
        (b"name,source\nX,OFFER\n\x00,HIRED\n", "line 3: has a NUL character"),
        (b"name,source\nX,OFFER\n\x1b[31m,HIRED\n", "line 3: has a control character"),
        (b'name,source\nX,OFFER\n"' + b"y" * 200_000 + b'",HIRED\n', "line 3: a cell has more than 100,000"),
        (b"name,source\nX,OFFER\n" + b"y" * 120_000 + b",HIRED\n", "line 3: a cell has more than 100,000"),
        (b"name,source\nX,OFFER\n" + b"y" * (LONGEST_NAME + 1) + b",HIRED\n", "line 3, column name: needs 1 to 500"),
        (b'name,source\n"X\nY",OFFER\nZ,HIRED\n"x  y",HIRED\n', "line 5, column name: the same name as in line 2"),
        (b'name,source\nX,OFFER\n"Y,HIRED\nZ,HIRED\n', "line 3: "),
        (b"\n\nsep=;\nname;source\nX;LUNCH\n", "line 5, column source: 'LUNCH' is not one of OFFER, HIRED"),
        (b"name,source\nX\n", "line 2: 1 columns, not 2"),
        (b"name,source\nX,OFFER,y\n", "line 2: 3 columns, not 2"),
        (b"", "line 1: the header has to be name,source"),
    ],
)
def test_a_fault_is_told_by_its_line(content: bytes, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        list(named_words(decoded(content, "f.csv"), COLUMNS, WORDS, "f.csv"))
    assert str(caught.value).startswith(f"f.csv, {words}")


def test_a_header_names_each_column_once() -> None:
    with pytest.raises(SettingsError, match="line 1: the header has a column twice"):
        list(csv_rows("name,source,name\n", COLUMNS, "f.csv", is_exact=False))
