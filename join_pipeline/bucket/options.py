"""The settings of a lake in a bucket. Without a URL, the lake lies on this machine alone.

Belongs here: their names and checks. Not here: the bucket (store), the other settings (settings).
"""

import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator

from join_pipeline.environment import file_of

SHORTEST_KEY: Final = 32
_URL: Final = re.compile(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,62}(/[A-Za-z0-9._=-]+)*/?")


def _url(text: str) -> str:
    if _URL.fullmatch(text) is None or any(part in {".", ".."} for part in text.split("/")):
        raise ValueError("needs s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX, and nothing else")
    return text.rstrip("/")


def _key(key: SecretStr) -> SecretStr:
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"needs at least {SHORTEST_KEY} characters, as `openssl rand -hex 32` makes them")
    return key


class BucketSettings(BaseModel):
    """Where the lake lies, and the key that its files are encrypted by. `Settings` is one."""

    lake_url: Annotated[str, AfterValidator(_url)] | None = Field(
        None,
        validation_alias="JOIN_PIPELINE_LAKE",
        description="Bucket of the lake, as in `s3://bucket/prefix` (also `gs://`, `az://`); without it, this disk",
    )
    lake_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        None,
        description="Key by which the lake's files in the bucket are encrypted, a secret; without it, they are not",
    )
    lake_key_file: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="File (mode 0600) that has this key, instead of the setting before"
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.lake_key is not None and self.lake_key_file is not None:
            raise ValueError("JOIN_PIPELINE_LAKE_KEY and JOIN_PIPELINE_LAKE_KEY_FILE: give one of them")
        return self
