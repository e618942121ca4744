"""Record ids by the rule of the models: SHA-256, 17 bytes, base58, 24 characters."""

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH = 24


def unified_id(integration_id: str, model: str, remote_id: str) -> str:
    """Id of one record, e.g. of model "jobs"."""
    digest = hashlib.sha256(f"{integration_id}\n{model}\n{remote_id}".encode()).digest()
    number = int.from_bytes(digest[:17], "big")
    digits = [ALPHABET[number // 58**place % 58] for place in reversed(range(LENGTH))]
    return "".join(digits)
