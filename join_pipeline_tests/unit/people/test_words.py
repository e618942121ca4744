"""Words that tell who is meant: as they are typed and pasted, and as files have them."""

import json
import re
import unicodedata

import pytest

from join_pipeline.lake.erased import Naming
from join_pipeline.people.words import address_key, addresses_in, forms, own_addresses, unescaped, words_of

ADDRESS = "anna.mayer+job@example.com"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"  {ADDRESS}\t", (ADDRESS,)),
        (f"\ufeff{ADDRESS}\u200b\u00a0", (ADDRESS,)),
        (f"<{ADDRESS}>", (ADDRESS,)),
        (f'"{ADDRESS}",', (ADDRESS,)),
        (f"Mailto:{ADDRESS}?subject=x", (ADDRESS,)),
        (f'"Mayer, Anna" <{ADDRESS}>; Other < o@example.com >', (ADDRESS, "o@example.com")),
        (f"{ADDRESS}; o@example.com.", (ADDRESS, "o@example.com")),
        ("candidate:3", ("candidate:3",)),
        ("Candidate: 3,", ("candidate:3",)),
        ("APPLICATION #3", ("application:3",)),
        ("applications=3", ("application:3",)),
        ("candidate 3f-7", ("candidate 3f-7",)),
        ("user:anna@example.com", ("user:anna@example.com",)),
        ("Mayer, Anna", ("Mayer, Anna",)),
        ("", ()),
        (" ,\u200b", ()),
    ],
)
def test_what_a_line_names(line: str, words: tuple[str, ...]) -> None:
    assert words_of([line]) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Größe@Müller.de", "GRÖSSE@MÜLLER.DE"),
        (unicodedata.normalize("NFD", "jörg@müller.de"), "JÖRG@müller.de"),
        ("anna@müller.de", "Anna@xn--mller-kva.de"),
        ("İlker@örnek.com.tr", "ilker@ÖRNEK.com.tr"),
        ("IŞIK@örnek.com.tr", "ışık@örnek.com.tr"),
    ],
)
def test_one_address_in_two_spellings(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


def test_addresses_that_differ_are_not_one() -> None:
    differing = ["anna@x.de", "anna+job@x.de", "ana@x.de", "anna@x.d", "mayer.anna@x.de", "anna@xn--.de", "änna@x.de"]
    assert len({address_key(one) for one in differing}) == len(differing)


@pytest.mark.parametrize("text", ["Größe@Müller.de", 'a "b\\c"@x.de', "😀@x.de", ADDRESS])
def test_a_text_is_found_however_a_file_writes_it(text: str) -> None:
    pattern = re.compile("|".join(map(re.escape, forms(text))))
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        for inside in (written, written.upper(), json.dumps(written, ensure_ascii=False), json.dumps(written)):
            assert pattern.search(unescaped(inside.casefold())), inside


def test_an_address_is_of_those_whose_part_of_a_payload_has_it() -> None:
    join = (Naming("applications", "remote_id", ("id",)), Naming("candidates", "remote_id", ("candidate", "id")))
    payload = {"id": 1, "candidate": {"id": 2, "email": ADDRESS, "note": "b@x.de"}, "answer": "c@x.de", "email": "d@x"}
    assert [(value, own) for _, value, own in own_addresses(json.dumps(payload), join)] == [("2", ADDRESS)]
    kombo = (Naming("candidates", "id", ("id",)),)
    listed = {"id": "k", "email_addresses": [{"email_address": ADDRESS}, {"email_address": None}, 7, "e@x.de"]}
    assert [own for *_, own in own_addresses(json.dumps(listed), kombo)] == [ADDRESS, "e@x.de"]
    for odd in (None, "", "[", "[1]", '{"candidate": "x"}', '{"candidate": {"id": 2, "email": 7}}'):
        assert list(own_addresses(odd, join)) == []


def test_a_candidates_own_payload_tells_their_addresses() -> None:
    shown = {"/applications/{id}": {"candidate": {"email": 'odd "one"@x.de', "links": ["a@x.de"]}}}
    assert list(addresses_in(json.dumps(shown))) == ['odd "one"@x.de']
    assert list(addresses_in(None)) == list(addresses_in("[")) == []
