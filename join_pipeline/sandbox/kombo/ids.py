"""Kombo's ids: 24 characters without a meaning.

They do not use the pipeline's formula, on purpose. A source must keep Kombo's ids, and with the same formula nobody
would notice a source that makes its own. `remote_id` matches the records of both sources.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from join_pipeline.models.ids import ID_BYTES, ID_LENGTH, base58


@lru_cache(maxsize=65_536)
def _opaque(integration_id: str, model: str, key: str) -> str:
    digest = blake2b(f"{model}/{key}".encode(), key=integration_id.encode()[:64], digest_size=ID_BYTES).digest()
    return base58(digest, ID_LENGTH)


@dataclass(frozen=True, slots=True)
class KomboIds:
    """The ids of one integration's records."""

    integration_id: str

    def of(self, model: str, key: object) -> str:
        return _opaque(self.integration_id, model, str(key))
