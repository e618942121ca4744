"""Decoding payloads as their types. An error names the field that breaks the contract, never its value.

Belongs here: decoding. Not here: what any API's payloads look like (each API's own payloads).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from join_pipeline.errors import ContractError

# an instant outside of these bounds has another meaning: year 1 is none, year 9999 is never
MIN_INSTANT: Final = datetime(1900, 1, 1, tzinfo=UTC)
MAX_INSTANT: Final = datetime(9000, 1, 1, tzinfo=UTC)
PayloadT = TypeVar("PayloadT", bound=msgspec.Struct)
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that fits an Arrow column of 64 bits. Numbers in JSON have no limit."""

_DECODERS: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def decode(kind: type[PayloadT], text: str | bytes) -> PayloadT:
    """Decode a payload as `kind`, with its instants in UTC. Raises `ContractError`, which names the field only."""
    decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        payload: PayloadT = decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ContractError("not JSON") from None
    for name, value in _instants(payload):
        try:
            instant = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:  # in UTC, 9999-12-31T23:59:59-01:00 is in a year that Python does not have
            instant = datetime.max.replace(tzinfo=UTC)
        if not MIN_INSTANT <= instant <= MAX_INSTANT:
            raise ContractError(f"Instant out of range - at `$.{key_of(kind, name)}`")
        setattr(payload, name, instant)
    return payload


def _instants(payload: msgspec.Struct) -> Iterator[tuple[str, datetime]]:
    for name in payload.__struct_fields__:
        value = getattr(payload, name)
        if isinstance(value, datetime):
            yield name, value


def key_of(kind: type[msgspec.Struct], name: str) -> str:
    """The API's key for a field."""
    return kind.__struct_encode_fields__[kind.__struct_fields__.index(name)]


def extras(kind: type[msgspec.Struct], payload: dict[str, Any]) -> list[str]:
    """The keys of `payload` that have no field in `kind`."""
    known = set(kind.__struct_encode_fields__)
    return [key for key in payload if key not in known]
