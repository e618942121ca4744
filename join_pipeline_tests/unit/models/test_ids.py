"""Ids, computed a second way: by repeated division of bytes, without big numbers."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.models.ids import ALPHABET, Ids, base58, record_id

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def by_division(raw: bytes, length: int) -> str:
    """Base58 by schoolbook division, byte by byte."""
    digits, rest_of = "", list(raw)
    while any(rest_of):
        carry, quotient = 0, []
        for byte in rest_of:
            carry = carry * 256 + byte
            quotient.append(carry // 58)
            carry %= 58
        digits, rest_of = LETTERS[carry] + digits, quotient
    return "1" * (length - len(digits)) + digits


@given(integration=st.text(min_size=1), model=st.sampled_from(["jobs", "users"]), remote_id=st.text())
def test_an_id_is_the_first_17_bytes_of_the_hash_in_base58(integration, model, remote_id):
    text = integration + "\n" + model + "\n" + remote_id
    raw = hashlib.sha256(text.encode()).digest()[:17]
    assert record_id(integration, model, remote_id) == by_division(raw, 24)


@pytest.mark.parametrize(
    ("integration", "model", "remote_id", "expected"),
    [  # frozen: an id that changes cuts a record's history off
        ("join:test", "jobs", "42", "2Knh51BcsQttyKt8HFnh2n9V"),
        ("join:test", "tags", "Köchin / gut", "1YfS5MGdir1p26EsRwfALjRv"),
        ("join:test", "candidate_tags", "7/gut", "1pfhnrqNgqptX44tmBaKG3zS"),
    ],
)
def test_an_id_never_changes(integration, model, remote_id, expected):
    assert record_id(integration, model, remote_id) == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", "1111"), (b"\x00", "1111"), (b"\x01", "1112"), (b"\x39", "111z"), (b"\x3a", "1121"), (b"\xff" * 2, "1LUv")],
)
def test_base58_is_padded_on_the_left(raw, text):
    assert base58(raw, 4) == text


def test_the_longest_id_fits():
    assert len(base58(b"\xff" * 17, 24)) == 24
    assert ALPHABET == LETTERS


def test_a_number_and_its_text_are_the_same_record():
    ids = Ids("join:test")
    assert ids.of("jobs", 42) == ids.of("jobs", "42") == record_id("join:test", "jobs", "42")


def test_what_is_not_there_has_no_id():
    ids = Ids("join:test")
    assert ids.maybe("jobs", None) is None
    assert ids.maybe("jobs", 0) == ids.of("jobs", 0)


def test_the_same_key_in_another_model_or_account_is_another_record():
    assert len({Ids(account).of(model, 1) for account in ("a", "b") for model in ("jobs", "tags", "users")}) == 6
