"""The helpers of all mappings: queries of URLs, JSON text, hashes, country codes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.models.rows import content_digest, country_code, json_text, without_query
from join_pipeline.sources.join.mapping.vocabulary import slug

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://files.example.com/a/b.pdf?sig=1&exp=2", "https://files.example.com/a/b.pdf"),
        ("http://files.example.com/a#page=2", "http://files.example.com/a"),
        ("https://files.example.com/a?b#c", "https://files.example.com/a"),
        ("https://files.example.com?sig=1", "https://files.example.com"),
        ("HTTPS://files.example.com/a?sig=1", "HTTPS://files.example.com/a"),
        ("https://files.example.com/ä b?c", "https://files.example.com/ä b?c"),
        ("https://files.example.com/a", "https://files.example.com/a"),
        ("see https://files.example.com/a?sig=1", "see https://files.example.com/a?sig=1"),
        ("Why? And how?", "Why? And how?"),
        ("http://[no host?x", "http://[no host?x"),
        ("http://[nohost?x", "http://[nohost"),
        ("https://", "https://"),
        ("ftp://files.example.com/a?sig=1", "ftp://files.example.com/a?sig=1"),
        ("", ""),
    ],
)
def test_only_a_text_that_is_a_url_as_a_whole_loses_its_query(text, kept):
    assert without_query(text) == kept
    assert without_query({"a": [{"b": text}]}) == {"a": [{"b": kept}]}


@given(st.text())
def test_no_text_that_a_person_can_write_is_an_error(text):
    for prefix in ("", "http://", "https://"):
        kept = without_query(prefix + text)
        assert (prefix + text).startswith(kept)


@given(JSON)
def test_what_holds_no_url_stays_as_it_is(value):
    assert without_query(value) == value or "http" in json.dumps(value)


@given(JSON)
def test_json_text_reads_back_as_the_same_value(value):
    assert json.loads(json_text(value)) == value


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_order_of_keys_changes_neither_text_nor_hash(value):
    turned = dict(reversed(value.items()))
    assert json_text(turned) == json_text(value)
    assert content_digest(turned) == content_digest(value)


def test_the_order_of_a_list_is_content():
    assert content_digest(["a", "b"]) != content_digest(["b", "a"])


@pytest.mark.parametrize(
    ("text", "code"), [("DE", "DE"), ("de", "DE"), ("Deu", "Deu"), ("Germany", "Germany"), ("", None), (None, None)]
)
def test_a_country_of_two_letters_is_a_code(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "word"),
    [("Full-time", "full_time"), ("FULL_TIME", "full_time"), (" Full  time ", "full_time"), ("Teilzeit", "teilzeit"),
     ("Freie Mitarbeit", "freie_mitarbeit"), ("Aushilfe / Minijob", "aushilfe_minijob"), ("--", "")],
)  # fmt: skip
def test_names_of_lists_are_compared_by_their_words(text, word):
    assert slug(text) == word
