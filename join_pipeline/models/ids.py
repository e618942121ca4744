"""Ids that this package computes: a record has the same id on every machine, even before its first sync."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ID_BYTES: Final = 17
ID_LENGTH: Final = 24  # 58 ** 24 > 256 ** 17


_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_EIGHT: Final = 58**8
_TWO: Final = len(_PAIRS)


def base58(raw: bytes, length: int) -> str:
    """Read `raw` as a big-endian number and write it in base58, left-padded with `1` to `length` characters."""
    number = int.from_bytes(raw, "big")
    text = ""
    while number:  # two digits at a time, of numbers that are small enough to be quick: every record needs this
        number, eight = divmod(number, _EIGHT)
        four, last = divmod(eight, _TWO * _TWO)
        text = f"{_PAIRS[four // _TWO]}{_PAIRS[four % _TWO]}{_PAIRS[last // _TWO]}{_PAIRS[last % _TWO]}{text}"
    return text.lstrip(ALPHABET[0]).rjust(length, ALPHABET[0])


@lru_cache(maxsize=65_536)
def record_id(integration_id: str, model: str, remote_id: str) -> str:
    """The id of a record: 24 characters of base58, from the first 17 bytes of the SHA-256 of the three arguments."""
    digest = hashlib.sha256(f"{integration_id}\n{model}\n{remote_id}".encode()).digest()
    return base58(digest[:ID_BYTES], ID_LENGTH)


def question_key(format_type: str, text: str) -> str:
    """The key of a question that has no id in the ATS: its format type and a hash of its exact text."""
    return f"{format_type}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Ids:
    """Computes the ids of one integration."""

    integration_id: str

    def of(self, model: str, remote_id: object) -> str:
        return record_id(self.integration_id, model, str(remote_id))

    def maybe(self, model: str, remote_id: object | None) -> str | None:
        return None if remote_id is None else self.of(model, remote_id)
