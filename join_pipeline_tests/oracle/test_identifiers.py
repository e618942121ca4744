"""Ids, compared with a calculation by hand and a known decoding of base58."""

import hashlib

from join_pipeline_tests.oracle.identifiers import ALPHABET, unified_id


def test_an_id_decodes_to_the_first_17_bytes_of_the_hash():
    name = unified_id("join:test", "jobs", "42")
    number = 0
    for character in name:
        number = number * 58 + ALPHABET.index(character)
    assert number.to_bytes(17, "big") == hashlib.sha256(b"join:test\njobs\n42").digest()[:17]


def test_every_id_has_24_characters():
    assert {len(unified_id("i", "tags", str(n))) for n in range(2_000)} == {24}


def test_model_and_integration_are_part_of_the_id():
    ids = [unified_id(integration, model, "1") for integration in ("a", "b") for model in ("jobs", "users")]
    assert len(set(ids)) == 4
