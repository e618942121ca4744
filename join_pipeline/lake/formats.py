"""Reading the lake's JSON of any release as today's.

Belongs here: one function for each older format, rejecting newer formats. Not here: columns of Parquet files
(evolution).
"""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, TypeVar

import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.lake.damage import unreadable
from join_pipeline.lake.integrity import check_seal
from join_pipeline.lake.record import FORMAT, FileKind

T = TypeVar("T")
Document = dict[str, Any]


SEALED_SINCE: Final = 3
"""From this format on a record carries its own digest."""


Seal = Literal["may", "must", "ignored"]
"""Whether a document may carry its own digest, must carry it, or is read whatever its digest says."""


def decode(path: Path, text: bytes, kind: type[T], *, seal: Seal = "may") -> T:
    """Decode a JSON document of the lake, of this release or an older one. `path` is for error messages.

    A document that carries its own digest must be as it was written, unless that is ignored.

    Raises `LakeError` if a newer release wrote the document, or if it can't be read.
    """
    try:
        document = msgspec.json.decode(text, type=Document)
        found = msgspec.convert(document, _Formatted).format
        if seal != "ignored":
            check_seal(path, text, is_required=seal == "must" and SEALED_SINCE <= found <= FORMAT)
        if found > FORMAT:
            raise LakeError(
                f"{path} has format {found}; this version of join-pipeline reads formats up to {FORMAT}. Upgrade "
                "join-pipeline."
            )
        for old in range(found, FORMAT):
            UPGRADES[old](document)
        document["format"] = FORMAT
        return msgspec.convert(document, kind)
    except (msgspec.MsgspecError, LookupError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from None


class _Formatted(msgspec.Struct):
    """The part of a document that every format has."""

    format: int


def _from_1(document: Document) -> None:
    """In format 1 an objection was a text, and a file was a path whose name said what kind it is."""
    if "files" not in document:
        return
    document["objections"] = [
        dict(zip(("feed", "reason"), text.split(": ", 1), strict=True)) for text in document.get("objections", [])
    ]
    for group in document.get("files", {}).values():
        for name, paths in group.items():
            group[name] = [_file_of_1(path, document["sync_id"]) for path in paths]


def _file_of_1(path: str, newest: str) -> Document:
    """The file that a path of format 1 stands for.

    raw/<feed>/<sync_id>/part-00000.parquet, merged: merged-part-00000.parquet
    quarantine/<feed>/<sync_id>.parquet, merged: merged-<sync_id>.parquet
    models/<model>/<sync_id>.parquet, merged: <sync_id>.merged.parquet; personal files end in .personal.parquet
    models/<model>/replayed-0001.parquet, which names no sync
    """
    pure = PurePosixPath(path)
    stem = pure.name.split(".")[0]
    kind = FileKind.WRITTEN
    if stem.startswith("replayed-"):
        return {"path": path, "sync_id": newest, "kind": FileKind.REPLAYED, "format": 1}
    if stem.startswith("merged-") or ".merged." in pure.name:
        kind = FileKind.MERGED
    folder = pure.parent.name
    sync_id = folder if folder[0].isdigit() else stem.removeprefix("merged-")
    return {"path": path, "sync_id": sync_id, "kind": kind, "format": 1}


def _from_2(document: Document) -> None:
    """In format 2 files had no size and digest, and records no digest of their own. The next commit takes them."""


def _from_3(_document: Document) -> None:
    """In format 3 version files had words about people: tags, and keys that integrations gave. The upgrade moves them.

    `kept_out` and `kept_out_since` of a record came within format 3. Where they lack, nothing was kept out.
    """


UPGRADES: Final[Mapping[int, Callable[[Document], None]]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""For each older format, the function that turns its documents into documents of the next format."""
