"""Encryption by a key of one's own: whatever was cut, moved or changed is refused, and the bucket tells no content."""

import secrets
from collections.abc import Iterator
from itertools import chain

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from join_pipeline.bucket import encryption
from join_pipeline.bucket.encryption import MAGIC, SALT_BYTES, TAG_BYTES, Cipher, cipher_for
from join_pipeline.errors import DamagedError, SettingsError

KEY = "0123456789abcdef0123456789abcdef"
CIPHER = Cipher(KEY.encode())
SMALL = 64


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "CHUNK", SMALL)


def cut(content: bytes, size: int) -> Iterator[bytes]:
    yield from (content[start : start + size] for start in range(0, len(content), size))


def encrypted(content: bytes, path: str = "lake/a") -> bytes:
    return b"".join(CIPHER.encrypted(cut(content, 50), path))


def decrypted(content: bytes, path: str = "lake/a", size: int = 70, cipher: Cipher = CIPHER) -> bytes:
    return b"".join(cipher.decrypted(cut(content, size), path))


@given(n=st.integers(0, 5 * SMALL), size=st.integers(1, 300))
@settings(max_examples=80)
def test_what_is_encrypted_is_decrypted_whatever_its_chunks(n: int, size: int) -> None:
    content = secrets.token_bytes(n)
    hidden = encrypted(content)
    assert decrypted(hidden, size=size) == content
    n_chunks = max(1, -(-n // SMALL))
    assert len(hidden) == len(MAGIC) + SALT_BYTES + n + n_chunks * TAG_BYTES


def test_every_changed_byte_and_every_cut_is_refused() -> None:
    hidden = encrypted(bytes(range(200)))
    for place in range(len(hidden)):
        changed = hidden[:place] + bytes([hidden[place] ^ 1]) + hidden[place + 1 :]
        for broken in (changed, hidden[:place], hidden[place + 1 :], hidden + hidden[place:]):
            with pytest.raises(DamagedError):
                decrypted(broken)


def test_chunks_that_change_places_and_other_files_are_refused() -> None:
    hidden = encrypted(b"a" * SMALL * 3)
    head, step = len(MAGIC) + SALT_BYTES, SMALL + TAG_BYTES
    first, second, third = (hidden[head + place * step : head + (place + 1) * step] for place in range(3))
    for order in ((second, first, third), (first, third), (first, second, second), (first, first, second, third)):
        with pytest.raises(DamagedError):
            decrypted(hidden[:head] + b"".join(order))
    with pytest.raises(DamagedError):
        decrypted(hidden, path="lake/b")
    with pytest.raises(DamagedError):
        decrypted(hidden, cipher=Cipher(b"another key"))


def test_equal_files_look_different() -> None:
    assert encrypted(b"a" * 200) != encrypted(b"a" * 200)
    assert b"aaaa" not in encrypted(b"a" * 200)


def test_the_bucket_tells_whether_a_key_is_its_own_and_not_the_key() -> None:
    assert cipher_for(None, "") is None
    found = cipher_for(KEY, CIPHER.check)
    assert found is not None
    assert found.check == CIPHER.check
    assert KEY not in CIPHER.check + repr(CIPHER)
    with pytest.raises(SettingsError, match="is not set"):
        cipher_for(None, CIPHER.check)
    with pytest.raises(SettingsError, match="is not the key") as refused:
        cipher_for("f" * 32, CIPHER.check)
    assert "f" * 32 not in str(refused.value)


def test_memory_is_bounded_by_a_chunk() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * SMALL

    hidden = CIPHER.encrypted(endless(), "lake/a")
    for _ in range(10):
        next(hidden)
    assert taken <= 12
    taken = 0
    first = chain([b"".join(next(hidden) for _ in range(1))], endless())
    with pytest.raises(DamagedError):
        list(CIPHER.decrypted(first, "lake/a"))
    assert taken <= 3
